//! `sub_task_paid_once`: whatever becomes of its attempts, its buyer accepts the result of a sub-task once. (`paid_once`
//! says the same of a contract, which is one attempt.) Two kinds of pay are not that: by its cycles for work that was handed
//! over with a checkpoint, and for what the buyer has rejected or left unanswered, and was claimed.
//!
//! Where a sub-task is executed more than once, it is accepted once of each replica that is paid: of no more than its
//! file asks for at first, and all of one result. And `accepted`: no output of an attempt that was cancelled or outvoted
//! is delivered, so what a buyer is told of a success is what a seller was paid for.

use super::{Breach, Checked};
use bank::{Event, Record};
use proto::message::bank::Order;
use proto::message::service::{NamedBlob, Offer, Outcome};
use proto::{ContractId, PublicKey};
use service::Submission;
use service::event::Verdict;
use service::{End, Replica, Vote};
use std::collections::{BTreeMap, BTreeSet};

/// A sub-task: whose, of which task, and its number.
type SubTask = (PublicKey, ContractId, u32);

/// Which contract is for which sub-task, and which sub-tasks are paid.
#[derive(Debug, Default)]
pub(crate) struct SubTasks {
    /// The most that are paid for one sub-task.
    most: usize,
    /// The inputs of the questions whose answers are known: they are offered and paid beside the sub-tasks.
    questions: BTreeSet<Vec<NamedBlob>>,
    of: BTreeMap<ContractId, SubTask>,
    paid: BTreeMap<SubTask, BTreeMap<ContractId, Vec<NamedBlob>>>,
    /// What was paid to sellers, and to market owners, for parts of the work that were handed over.
    handed: BTreeMap<SubTask, (u64, u64)>,
    /// The outputs for which sellers claim their price.
    claimed: BTreeMap<ContractId, Vec<NamedBlob>>,
    /// Those that were paid so.
    lapsed: BTreeMap<SubTask, Vec<Vec<NamedBlob>>>,
}

impl SubTasks {
    /// Where so many results of a sub-task are paid at most, and this is submitted.
    pub(crate) fn new(most: usize, submissions: &BTreeMap<usize, Submission>) -> Self {
        let plans = submissions.values().flat_map(|submission| &submission.plans);
        let probes = plans.flat_map(|plan| &plan.probes);
        let questions = probes.map(|probe| probe.inputs.clone()).collect();
        Self { most, questions, ..Self::default() }
    }

    /// A buyer offers a contract.
    pub(crate) fn offered(&mut self, offer: &Offer) {
        if self.questions.contains(&offer.job.inputs) {
            return;
        }
        self.of.insert(offer.contract, (offer.buyer.key, offer.task, offer.sub_task));
    }

    /// The bank has decided something.
    pub(crate) fn enter(&mut self, record: &Record) -> Checked {
        let order = record.command().map(|command| &command.body.order);
        if let Some(Order::Claim(claim)) = order {
            self.claimed.insert(claim.hold, claim.report.body.outputs.clone());
        }
        let Event::HoldClosed { ending, .. } = &record.event else { return Ok(()) };
        let hold = ending.hold;
        let claimed = self.claimed.remove(&hold).filter(|_| ending.how.is_paid());
        let Some(Order::Settle(settle)) = order else {
            if let Some((sub_task, outputs)) = self.of.get(&hold).zip(claimed) {
                self.lapsed.entry(*sub_task).or_default().push(outputs);
            }
            return Ok(());
        };
        if let (Outcome::Migrated(_), Some(sub_task)) = (&settle.report.body.outcome, self.of.get(&hold)) {
            let (seller, owner) = self.handed.entry(*sub_task).or_default();
            *seller += ending.shares.seller.0.saturating_sub(ending.shares.seller_held.0);
            *owner += ending.shares.owner.0;
        }
        let is_whole = ending.how.is_paid() && settle.report.body.outcome == Outcome::Succeeded;
        let Some(sub_task) = self.of.get(&hold).filter(|_| is_whole) else { return Ok(()) };
        let (buyer, _, number) = sub_task;
        let paid = self.paid.entry(*sub_task).or_default();
        let outputs = &settle.report.body.outputs;
        if let Some((first, other)) = paid.first_key_value().filter(|(_, other)| *other != outputs) {
            let what = format!(
                "sub-task {number} of {buyer} is paid for {first} and, with other outputs, for {hold}"
            );
            return Err(Breach::new("sub_task_paid_once", format!("{what}: {other:?} and {outputs:?}")));
        }
        paid.insert(hold, outputs.clone());
        Breach::unless(paid.len() <= self.most, "sub_task_paid_once", || {
            let contracts: Vec<String> =
                paid.keys().map(|contract| format!("for contract {contract}")).collect();
            format!("sub-task {number} of {buyer} is paid {}", contracts.join(" and "))
        })
    }

    /// The user of `buyer` is told of an end.
    pub(crate) fn told(&self, buyer: PublicKey, task: ContractId, sub_task: u32, end: &End) -> Checked {
        if let Some(replica) = end.replicas.iter().find(|replica| is_paid_without_right(replica)) {
            let what =
                format!("replica {} of sub-task {sub_task} is paid: {:?}", replica.number, replica.vote);
            return Err(Breach::new("accepted", what));
        }
        if end.verdict != Verdict::Succeeded {
            return Ok(());
        }
        let of = (buyer, task, sub_task);
        let paid = self.paid.get(&of);
        let is_accepted = paid.is_some_and(|paid| paid.values().any(|outputs| *outputs == end.outputs));
        let has_lapsed = self.lapsed.get(&of).is_some_and(|lapsed| lapsed.contains(&end.outputs));
        Breach::unless(is_accepted || has_lapsed, "accepted", || {
            format!("the outputs of sub-task {sub_task} are {:?}, and paid was {paid:?}", end.outputs)
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
        self.claimed.clear();
        self.lapsed.clear();
        records.iter().try_for_each(|record| self.enter(record))
    }
}

/// Whether a replica is paid that has not agreed. (In these worlds nobody hands work over with a checkpoint.)
fn is_paid_without_right(replica: &Replica) -> bool {
    replica.vote != Vote::Agreed && replica.paid.0 + replica.fee.0 > 0
}
