//! What contracts need of the store: fetched, and kept as long as they are open.

use super::Driver;
use crate::net::Gather;
use crate::net::store::{Access, Pins};
use proto::message::service::Blob;
use proto::{ContractId, Peer};
use service::Input;

impl Driver {
    /// Keeps contents as long as the contract is open.
    pub(super) fn pin(&mut self, contract: ContractId, blobs: Vec<Blob>) {
        let pins = self.pins.entry(contract).or_insert_with(|| Pins::new(&self.store, []));
        blobs.iter().for_each(|blob| pins.add(blob.hash));
    }

    pub(super) fn fetch(&mut self, contract: ContractId, from: Peer, blobs: Vec<Blob>) {
        self.pin(contract, blobs.clone());
        let (net, inputs) = (self.net.clone(), self.inputs.clone());
        // What is fetched to compute for somebody else stays that buyer's.
        let access =
            if self.node.is_hired(contract) { Access::Passed([from.key].into()) } else { Access::Everybody };
        tokio::spawn(async move {
            let mut result = Ok(());
            for blob in blobs {
                let gather = Gather { access: access.clone(), ..Gather::open(from, blob) };
                result = net.gather(gather).await.map_err(|error| error.to_string());
                if result.is_err() {
                    break;
                }
            }
            // The driver may have ended meanwhile; then nobody waits for this.
            let _ = inputs.send(Input::Fetched { contract, result });
        });
    }
}
