//! `sub_task_paid_once`: whatever becomes of its attempts, its buyer accepts the result of a sub-task once. (`paid_once`
//! says the same of a contract, which is one attempt.) Two kinds of pay are not that: by its cycles for work that was handed
//! over with a checkpoint, and for what the buyer has rejected or left unanswered, and was claimed.

use super::{Breach, Checked};
use bank::{Event, Record};
use proto::message::bank::Order;
use proto::message::service::{Offer, Outcome};
use proto::{ContractId, PublicKey};
use std::collections::BTreeMap;

/// A sub-task: whose, of which task, and its number.
type SubTask = (PublicKey, ContractId, u32);

/// Which contract is for which sub-task, and which sub-tasks are paid.
#[derive(Debug, Default)]
pub(crate) struct SubTasks {
    of: BTreeMap<ContractId, SubTask>,
    paid: BTreeMap<SubTask, ContractId>,
    /// What was paid to sellers, and to market owners, for parts of the work that were handed over.
    handed: BTreeMap<SubTask, (u64, u64)>,
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
        let order = record.command().map(|command| &command.body.order);
        let Some(Order::Settle(settle)) = order else { return Ok(()) };
        if let (Outcome::Migrated(_), Some(sub_task)) = (&settle.report.body.outcome, self.of.get(&hold)) {
            let (seller, owner) = self.handed.entry(*sub_task).or_default();
            *seller += ending.shares.seller.0.saturating_sub(ending.shares.seller_held.0);
            *owner += ending.shares.owner.0;
        }
        let is_whole = ending.how.is_paid() && settle.report.body.outcome == Outcome::Succeeded;
        let Some(sub_task) = self.of.get(&hold).filter(|_| is_whole) else { return Ok(()) };
        let first = *self.paid.entry(*sub_task).or_insert(hold);
        Breach::unless(first == hold, "sub_task_paid_once", || {
            let (buyer, _, number) = sub_task;
            format!("sub-task {number} of {buyer} is paid for contract {first} and for contract {hold}")
        })
    }

    /// What was paid to sellers, and to market owners, for parts of this sub-task that were handed over.
    pub(crate) fn handed(&self, buyer: PublicKey, task: ContractId, number: u32) -> (u64, u64) {
        self.handed.get(&(buyer, task, number)).copied().unwrap_or_default()
    }

    /// The bank has started again from these records.
    pub(crate) fn replayed(&mut self, records: &[Record]) -> Checked {
        self.paid.clear();
        self.handed.clear();
        records.iter().try_for_each(|record| self.enter(record))
    }
}
