//! `distrusted`: a seller that has answered a question wrongly whose answer is known gets nothing more of the task: no
//! new offer, and no word that anything is accepted which was not before.

use super::{Breach, Checked};
use proto::message::service::{Offer, Verdict};
use proto::{ContractId, PublicKey};
use std::collections::{BTreeMap, BTreeSet};

/// Whose offers and words these are, and to which seller.
type Between = (PublicKey, PublicKey);

/// What was offered and accepted, and who is believed no more.
#[derive(Debug, Default)]
pub(crate) struct Probes {
    /// The tasks that contracts are for.
    of: BTreeMap<ContractId, ContractId>,
    accepted: BTreeSet<ContractId>,
    /// In which tasks.
    distrusted: BTreeMap<Between, BTreeSet<ContractId>>,
}

impl Probes {
    /// A buyer's node starts again: what it knew of a task is gone.
    pub(crate) fn forgets(&mut self, buyer: PublicKey) {
        self.distrusted.retain(|(of, _), _| *of != buyer);
    }

    /// A buyer is told that a seller has answered wrongly.
    pub(crate) fn told(&mut self, buyer: PublicKey, task: ContractId, seller: PublicKey) {
        self.distrusted.entry((buyer, seller)).or_default().insert(task);
    }

    /// A buyer offers something, perhaps again.
    pub(crate) fn offered(&mut self, offer: &Offer) -> Checked {
        let is_new = self.of.insert(offer.contract, offer.task).is_none();
        let is_distrusted = self.is_distrusted(offer.buyer.key, offer.seller, offer.task);
        Breach::unless(!is_new || !is_distrusted, "distrusted", || {
            format!(
                "{} is offered contract {}, and has answered a probe wrongly",
                offer.seller, offer.contract
            )
        })
    }

    /// A buyer judges a result.
    pub(crate) fn judged(&mut self, buyer: PublicKey, seller: PublicKey, verdict: &Verdict) -> Checked {
        let contract = verdict.contract;
        let Some(task) = self.of.get(&contract).filter(|_| verdict.is_accepted) else { return Ok(()) };
        let is_distrusted = self.is_distrusted(buyer, seller, *task);
        let is_new = self.accepted.insert(contract);
        Breach::unless(!is_new || !is_distrusted, "distrusted", || {
            format!("contract {contract} of {seller} is accepted, and it has answered a probe wrongly")
        })
    }

    fn is_distrusted(&self, buyer: PublicKey, seller: PublicKey, task: ContractId) -> bool {
        self.distrusted.get(&(buyer, seller)).is_some_and(|tasks| tasks.contains(&task))
    }
}
