//! `sub_task_paid_once`: whatever becomes of its attempts, its buyer accepts the result of a sub-task once. (`paid_once`
//! says the same of a contract, which is one attempt.) Two kinds of pay are not that: by its cycles for work that was handed
//! over with a checkpoint, and for what the buyer has rejected or left unanswered, and was claimed.
//!
//! Where a sub-task is executed more than once, it is accepted once of each replica that is paid: of no more than its
//! file asks for at first, and all of one result. And `accepted`: no output of an attempt that was cancelled or outvoted
//! is delivered, so what a buyer is told of a success is what a seller was paid for.
//!
//! Where several sub-tasks share a contract, each of those that its report has a product of is accepted by it. And
//! `metered`: nobody is paid for more cycles than the programs execute whose results it delivers, but who lies about that.

use super::{Breach, Checked};
use crate::machine::Program;
use bank::{Event, Record};
use proto::message::bank::Order;
use proto::message::service::{NamedBlob, Offer, Outcome, Report};
use proto::{ContractId, Cycles, Money, PublicKey};
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
    /// The sub-tasks of each task, by what their files give them.
    numbers: BTreeMap<(ContractId, Vec<NamedBlob>), u32>,
    /// What a sub-task executes.
    work: BTreeMap<(ContractId, u32), Cycles>,
    /// The sellers that report other cycles than they have metered.
    pub(crate) liars: BTreeSet<PublicKey>,
    /// The sub-tasks under each contract, in the order in which they are executed.
    of: BTreeMap<ContractId, Vec<SubTask>>,
    paid: BTreeMap<SubTask, BTreeMap<ContractId, Vec<NamedBlob>>>,
    /// What was paid to sellers, and to market owners, for parts of the work that were handed over.
    handed: BTreeMap<SubTask, (u64, u64)>,
    /// The reports for which sellers claim their price.
    claimed: BTreeMap<ContractId, Report>,
    /// What was paid so.
    lapsed: BTreeMap<SubTask, BTreeMap<ContractId, Vec<NamedBlob>>>,
    /// For each contract that is paid and has results of several sub-tasks: the cycles of each.
    shared: BTreeMap<ContractId, Vec<Cycles>>,
}

/// What a sub-task has of a contract that is for several.
pub(crate) struct Share<'a> {
    pub(crate) contract: ContractId,
    /// Its place in the order of execution, from 0.
    place: usize,
    /// The cycles of each in this order.
    cycles: &'a [Cycles],
}

impl Share<'_> {
    /// What is its part of `paid`: by its cycles, and what does not come out even is the first one's.
    pub(crate) fn of(&self, paid: Money) -> Money {
        let all = self.cycles.iter().map(|cycles| u128::from(cycles.0)).sum::<u128>();
        let part = |cycles: &Cycles| u128::from(paid.0) * u128::from(cycles.0) / all.max(1);
        let mut parts = self.cycles.iter().skip(1).map(part);
        let part = match self.place {
            0 => u128::from(paid.0) - parts.sum::<u128>(),
            place => parts.nth(place - 1).unwrap_or(0),
        };
        Money(u64::try_from(part).unwrap_or(u64::MAX))
    }

    /// Whether it is the first one: the owner's fee is its own.
    pub(crate) const fn is_first(&self) -> bool {
        self.place == 0
    }
}

impl SubTasks {
    /// Where so many results of a sub-task are paid at most, and this is submitted.
    pub(crate) fn new(most: usize, submissions: &BTreeMap<usize, Submission>) -> Self {
        let plans = || submissions.values().flat_map(|submission| &submission.plans);
        let probes = plans().flat_map(|plan| &plan.probes);
        let questions = probes.map(|probe| probe.inputs.clone()).collect();
        let (mut numbers, mut work) = (BTreeMap::new(), BTreeMap::new());
        for Submission { task, plans, .. } in submissions.values() {
            for (number, plan) in (0_u32..).zip(plans) {
                numbers.insert((*task, plan.job.inputs.clone()), number);
                work.insert((*task, number), Program::of(&plan.job).work);
            }
        }
        Self { most, questions, numbers, work, ..Self::default() }
    }

    /// A buyer offers a contract.
    pub(crate) fn offered(&mut self, offer: &Offer) -> Checked {
        if self.questions.contains(&offer.job.inputs) {
            return Ok(());
        }
        let mut numbers = vec![offer.sub_task];
        for repeat in &offer.job.repeats {
            let number = self.numbers.get(&(offer.task, repeat.inputs.clone())).copied();
            let number = number.filter(|number| !numbers.contains(number)).ok_or_else(|| {
                Breach::new("shared", format!("contract {} is for a run that is nobody's", offer.contract))
            })?;
            numbers.push(number);
        }
        let of = numbers.into_iter().map(|number| (offer.buyer.key, offer.task, number));
        self.of.insert(offer.contract, of.collect());
        Ok(())
    }

    /// The bank has decided something.
    pub(crate) fn enter(&mut self, record: &Record) -> Checked {
        let order = record.command().map(|command| &command.body.order);
        if let Some(Order::Claim(claim)) = order {
            self.claimed.insert(claim.hold, claim.report.body.clone());
        }
        let Event::HoldClosed { ending, .. } = &record.event else { return Ok(()) };
        let hold = ending.hold;
        let claimed = self.claimed.remove(&hold).filter(|_| ending.how.is_paid());
        let Some(Order::Settle(settle)) = order else {
            if let Some(report) = claimed {
                for (sub_task, outputs) in self.results(&report) {
                    self.lapsed.entry(sub_task).or_default().insert(hold, outputs);
                }
            }
            return Ok(());
        };
        let report = &settle.report.body;
        if let (Outcome::Migrated(_), Some(sub_task)) = (&report.outcome, self.first(hold)) {
            let (seller, owner) = self.handed.entry(sub_task).or_default();
            *seller += ending.shares.seller.0.saturating_sub(ending.shares.seller_held.0);
            *owner += ending.shares.owner.0;
        }
        if !ending.how.is_paid() || report.outcome != Outcome::Succeeded {
            return Ok(());
        }
        self.is_metered(report, ending.seller)?;
        self.results(report).into_iter().try_for_each(|(sub_task, outputs)| self.pay(sub_task, hold, outputs))
    }

    /// The sub-task that a contract names, if it is known.
    fn first(&self, contract: ContractId) -> Option<SubTask> {
        self.of.get(&contract)?.first().copied()
    }

    /// The sub-tasks that a report has results of, each with its outputs.
    fn results(&mut self, report: &Report) -> Vec<(SubTask, Vec<NamedBlob>)> {
        let Some(of) = self.of.get(&report.contract) else { return Vec::new() };
        let outputs =
            std::iter::once(&report.outputs).chain(report.more.iter().map(|product| &product.outputs));
        if !report.more.is_empty() {
            let more = report.more.iter().map(|product| product.cycles);
            self.shared.insert(report.contract, std::iter::once(report.own_cycles()).chain(more).collect());
        }
        of.iter().copied().zip(outputs.cloned()).collect()
    }

    /// What is paid for has been executed.
    fn is_metered(&self, report: &Report, seller: PublicKey) -> Checked {
        let Some(of) = self.of.get(&report.contract) else { return Ok(()) };
        let made = of.iter().take(report.more.len().saturating_add(1));
        let work = made.filter_map(|(_, task, number)| self.work.get(&(*task, *number)));
        let work = work.fold(0_u64, |sum, cycles| sum.saturating_add(cycles.0));
        let cycles = report.cycles.0;
        Breach::unless(cycles <= work || self.liars.contains(&seller), "metered", || {
            let (contract, results) = (report.contract, report.more.len().saturating_add(1));
            format!("{cycles} cycles of contract {contract} are paid, and its {results} results take {work}")
        })
    }

    /// The bank pays for the result of a sub-task.
    fn pay(&mut self, sub_task: SubTask, hold: ContractId, outputs: Vec<NamedBlob>) -> Checked {
        let (buyer, _, number) = sub_task;
        let paid = self.paid.entry(sub_task).or_default();
        if let Some((first, other)) = paid.first_key_value().filter(|(_, other)| **other != outputs) {
            let what = format!(
                "sub-task {number} of {buyer} is paid for {first} and, with other outputs, for {hold}"
            );
            return Err(Breach::new("sub_task_paid_once", format!("{what}: {other:?} and {outputs:?}")));
        }
        paid.insert(hold, outputs);
        Breach::unless(paid.len() <= self.most, "sub_task_paid_once", || {
            let contracts: Vec<String> =
                paid.keys().map(|contract| format!("for contract {contract}")).collect();
            format!("sub-task {number} of {buyer} is paid {}", contracts.join(" and "))
        })
    }

    /// Under which contracts that it shared a sub-task came to such an end. One whose buyer died may have been bought
    /// again, and be told of by either contract; whether there is one of its own among them comes second.
    pub(crate) fn shares(&self, sub_task: SubTask, end: &End) -> (Vec<Share<'_>>, bool) {
        let by = [self.paid.get(&sub_task), self.lapsed.get(&sub_task)].into_iter().flatten().flatten();
        let by: Vec<ContractId> =
            by.filter(|(_, outputs)| **outputs == end.outputs).map(|(contract, _)| *contract).collect();
        let share = |contract: &ContractId| {
            let place = self.of.get(contract)?.iter().position(|other| *other == sub_task)?;
            Some(Share { contract: *contract, place, cycles: self.shared.get(contract)? })
        };
        let is_own = by.iter().any(|contract| !self.shared.contains_key(contract));
        (by.iter().filter_map(share).collect(), is_own)
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
        let has_lapsed =
            self.lapsed.get(&of).is_some_and(|lapsed| lapsed.values().any(|outputs| *outputs == end.outputs));
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
        self.shared.clear();
        records.iter().try_for_each(|record| self.enter(record))
    }
}

/// Whether a replica is paid that has not agreed. (In these worlds nobody hands work over with a checkpoint.)
fn is_paid_without_right(replica: &Replica) -> bool {
    replica.vote != Vote::Agreed && replica.paid.0 + replica.fee.0 > 0
}
