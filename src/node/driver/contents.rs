//! What contracts need of the store: fetched, and kept as long as they are open.

use super::Driver;
use crate::net::store::Pins;
use proto::message::service::Blob;
use proto::{ContractId, Peer};
use service::Input;
use std::sync::Arc;
use std::time::Duration;

/// How long the fetching of one content may take, besides the time for its size.
const FETCH_WITHIN: Duration = Duration::from_secs(120);
/// Bytes a second below which fetching is given up: a peer that trickles must not hold a contract for ever.
const SLOWEST_FETCH: u64 = 256 << 10;

impl Driver {
    /// Keeps contents as long as the contract is open.
    pub(super) fn pin(&mut self, contract: ContractId, blobs: Vec<Blob>) {
        let pins = self.pins.entry(contract).or_insert_with(|| Pins::new(&self.store, []));
        blobs.iter().for_each(|blob| pins.add(blob.hash));
    }

    pub(super) fn fetch(&mut self, contract: ContractId, from: Peer, blobs: Vec<Blob>) {
        self.pin(contract, blobs.clone());
        let (net, store, inputs) = (self.net.clone(), Arc::clone(&self.store), self.inputs.clone());
        // The owner's cap may be what makes it slow.
        let slowest = net.rates().1.map_or(SLOWEST_FETCH, |rate| rate.min(SLOWEST_FETCH)).max(1);
        tokio::spawn(async move {
            let mut result = Ok(());
            for blob in blobs {
                if store.has(&blob.hash) {
                    continue;
                }
                let within = FETCH_WITHIN + Duration::from_secs(blob.size.0 / slowest);
                let fetched = tokio::time::timeout(within, net.fetch(from, blob)).await;
                let late = || format!("{from} has not sent the content {} within {within:?}", blob.hash);
                result = fetched.map_or_else(|_| Err(late()), |fetched| fetched.map_err(|e| e.to_string()));
                if result.is_err() {
                    break;
                }
            }
            // The driver may have ended meanwhile; then nobody waits for this.
            let _ = inputs.send(Input::Fetched { contract, result });
        });
    }
}
