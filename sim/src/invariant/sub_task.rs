//! `sub_task_paid_once`: whatever becomes of its attempts, a sub-task is paid once. (`paid_once` says the same of a
//! contract, which is one attempt.)

use super::{Breach, Checked};
use bank::{Event, Record};
use proto::message::service::Offer;
use proto::{ContractId, PublicKey};
use std::collections::BTreeMap;

/// A sub-task: whose, of which task, and its number.
type SubTask = (PublicKey, ContractId, u32);

/// Which contract is for which sub-task, and which sub-tasks are paid.
#[derive(Debug, Default)]
pub(crate) struct SubTasks {
    of: BTreeMap<ContractId, SubTask>,
    paid: BTreeMap<SubTask, ContractId>,
}

impl SubTasks {
    /// A buyer offers a contract.
    pub(crate) fn offered(&mut self, offer: &Offer) {
        self.of.insert(offer.contract, (offer.buyer.key, offer.task, offer.sub_task));
    }

    /// The bank has decided something.
    pub(crate) fn enter(&mut self, record: &Record) -> Checked {
        let Event::HoldClosed { ending, .. } = &record.event else { return Ok(()) };
        let hold = ending.hold;
        let Some(sub_task) = self.of.get(&hold).filter(|_| ending.how.is_paid()) else { return Ok(()) };
        let first = *self.paid.entry(*sub_task).or_insert(hold);
        Breach::unless(first == hold, "sub_task_paid_once", || {
            let (buyer, _, number) = sub_task;
            format!("sub-task {number} of {buyer} is paid for contract {first} and for contract {hold}")
        })
    }

    /// The bank has started again from these records.
    pub(crate) fn replayed(&mut self, records: &[Record]) -> Checked {
        self.paid.clear();
        records.iter().try_for_each(|record| self.enter(record))
    }
}
