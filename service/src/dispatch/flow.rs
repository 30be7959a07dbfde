//! Sub-tasks that wait for others: when they may be bought, in which order, and which of the sellers found gets which.
//!
//! A decentralised list heuristic (HEFT: Topcuoglu, Hariri and Wu, IEEE TPDS 13(3), 2002; systems.md W11). The buyer's
//! node alone decides, with what the market tells it:
//!
//! 1. The *list*: what is ready is bought for in the order of its upward rank, the time that the longest way from it to
//!    the end of the task takes at the power asked for.
//! 2. The *choice*: of the sellers that the market has found at one time for sub-tasks that ask for the same, the first
//!    of the list gets the one with which it ends first: its inputs have to get there, unless that seller has them from
//!    an earlier sub-task, and its work takes as long as that seller's cores need.
//!
//! Which sellers are found, and at which price, is decided by the market alone, and the buyer cannot ask it for one of
//! its choice. A task in which nobody waits for anybody is bought in the order of its file, as it comes.

use super::{Dispatch, State, TaskRun, Timer};
use crate::event::{End, Verdict};
use crate::graph::Graph;
use crate::plan::SubTaskPlan;
use crate::task::{Feed, Produced, Slot};
use proto::message::market::{Requirement, Ticket};
use proto::message::service::{Blob, NamedBlob};
use proto::{Bytes, ContractId, Hash, PublicKey, Rate, Signed, Span, Time};
use std::collections::{BTreeMap, BTreeSet};

/// What a sub-task that does not state its work is taken to need, in microseconds: a minute, as in the usual rules.
const UNSTATED: u64 = 60_000_000;
/// How fast contents are taken to travel, in bytes a second, when the end of a sub-task is estimated: 100 Mbit/s.
const LINK: u64 = 12_500_000;
/// Contents of one seller that are remembered, and sellers of one task.
const MAX_REMEMBERED: usize = 4_096;

/// The bid, what is needed, who is passed over for now and for good, and what [`TaskRun::has_others`] says.
type Asked<'a> = (Rate, &'a Requirement, &'a Vec<PublicKey>, &'a Vec<PublicKey>, Option<u32>);

/// Who waits for whom in a task.
#[derive(Debug, Default)]
pub(super) struct Flow {
    graph: Graph,
    /// Those that wait for each other, so that none of them can begin.
    pub(super) stuck: Vec<u32>,
    is_flat: bool,
    ranks: Vec<u64>,
    /// For how many others each one waits.
    open: Vec<u32>,
    /// What sellers have from earlier sub-tasks.
    at_sellers: BTreeMap<PublicKey, BTreeSet<Hash>>,
    /// Tickets of one moment, which are given to the sub-tasks together.
    tickets: Vec<Signed<Ticket>>,
}

impl Flow {
    pub(super) fn new(plans: &[SubTaskPlan]) -> Self {
        let before = plans.iter().map(|plan| plan.depends_on.clone()).collect();
        let (graph, stuck) = match Graph::new(before) {
            Ok(graph) => (graph, Vec::new()),
            // The parser lets no circle through; whoever makes plans in another way is told so.
            Err(_) => (Graph::default(), (0_u32..).take(plans.len()).collect()),
        };
        let is_flat = graph.is_flat() && stuck.is_empty();
        let costs: Vec<u64> = plans.iter().map(cost).collect();
        let ranks = if is_flat { Vec::new() } else { graph.ranks(&costs) };
        let count = |index| u32::try_from(graph.before(index).len()).unwrap_or(u32::MAX);
        let open = (0_u32..).take(plans.len()).map(count).collect();
        Self { graph, stuck, is_flat, ranks, open, at_sellers: BTreeMap::new(), tickets: Vec::new() }
    }

    /// Those that wait for nobody, from the start.
    pub(super) fn ready(&self) -> Vec<u32> {
        if !self.stuck.is_empty() {
            return Vec::new();
        }
        (0_u32..).zip(&self.open).filter(|(_, open)| **open == 0).map(|(index, _)| index).collect()
    }

    /// The upward rank, in microseconds; 0 for all in a task in which nobody waits.
    pub(super) fn rank(&self, index: u32) -> u64 {
        usize::try_from(index).ok().and_then(|index| self.ranks.get(index)).copied().unwrap_or(0)
    }

    /// Notes that `index` has succeeded. Those that waited for it last.
    fn succeeded(&mut self, index: u32) -> Vec<u32> {
        let Self { graph, open, .. } = self;
        let mut ready = Vec::new();
        for next in graph.after(index) {
            let Some(open) = usize::try_from(*next).ok().and_then(|next| open.get_mut(next)) else {
                continue;
            };
            *open = open.saturating_sub(1);
            if *open == 0 {
                ready.push(*next);
            }
        }
        ready
    }

    /// Notes what a seller has from now on.
    fn note_contents(&mut self, seller: PublicKey, blobs: impl Iterator<Item = Blob>) {
        if self.at_sellers.len() >= MAX_REMEMBERED && !self.at_sellers.contains_key(&seller) {
            return;
        }
        let known = self.at_sellers.entry(seller).or_default();
        for blob in blobs.take(MAX_REMEMBERED.saturating_sub(known.len())) {
            known.insert(blob.hash);
        }
    }

    /// How long a sub-task takes at the seller of `ticket` from now on: until its contents are there and its work is done.
    fn finish(&self, plan: &SubTaskPlan, ticket: &Ticket) -> Span {
        let listing = &ticket.winner.body;
        let known = self.at_sellers.get(&listing.seller.key);
        let is_there = |blob: &Blob| known.is_some_and(|known| known.contains(&blob.hash));
        let blobs = plan.job.contents();
        let bytes: u64 = blobs.iter().filter(|blob| !is_there(blob)).map(|blob| blob.size.0).sum();
        let travel = u128::from(bytes) * 1_000_000 / u128::from(LINK);
        let speed = listing.per_core.0.saturating_mul(u64::from(plan.requirement.cores.max(1)));
        // A Mc/s is a cycle in a microsecond.
        let unstated = || plan.requirement.power.0.saturating_mul(UNSTATED);
        let compute = plan.work.map_or_else(unstated, |work| work.0) / speed.max(1);
        Span(u64::try_from(travel.saturating_add(u128::from(compute))).unwrap_or(u64::MAX))
    }
}

/// How long a sub-task computes at the power that it asks for, in microseconds.
fn cost(plan: &SubTaskPlan) -> u64 {
    plan.work.map_or(UNSTATED, |work| work.0.checked_div(plan.requirement.power.0).unwrap_or(work.0))
}

impl TaskRun {
    /// Gives a sub-task the outputs of others that are its inputs; which one is missing, if one is.
    fn feed(&mut self, index: u32) -> Result<(), String> {
        let Some(feeds) = self.run_ref(index).map(|run| run.plan.feeds.clone()) else { return Ok(()) };
        for Feed { from, what, slot } in feeds {
            let made = self.run_ref(from);
            let name = || made.map_or_else(String::new, |made| made.plan.name.clone());
            let blob = made.and_then(|made| produced(made.ending()?, &what));
            let Some(blob) = blob else { return Err(name()) };
            let Some(run) = self.run_mut(index) else { continue };
            match slot {
                Slot::Input(name) => run.plan.job.inputs.push(NamedBlob { name, blob }),
                Slot::StdIn => run.plan.job.stdin = Some(blob),
            }
        }
        Ok(())
    }

    /// The tickets that came for sub-tasks of this task, if they are to be given out together.
    fn is_given_together(&self, index: u32) -> bool {
        !self.flow.is_flat && self.head_of(index).is_none()
    }

    /// What the market is asked for a sub-task: those of one order may have each other's tickets.
    pub(super) fn order_of(&self, index: u32) -> Option<Asked<'_>> {
        let run = self.run_ref(index)?;
        Some((run.plan.bid, &run.plan.requirement, &run.avoid, &run.shun, self.has_others(index)))
    }

    /// Which sub-task each ticket goes to: `indices` are those for which they were bought.
    fn choose(&self, tickets: Vec<Signed<Ticket>>, indices: &[u32]) -> Vec<(Signed<Ticket>, u32)> {
        let mut list: Vec<u32> = indices.to_vec();
        list.sort_by_key(|index| (std::cmp::Reverse(self.flow.rank(*index)), *index));
        let mut left = tickets;
        let mut chosen = Vec::new();
        for index in list {
            let Some(run) = self.run_ref(index) else { continue };
            let finish = |ticket: &Signed<Ticket>| self.flow.finish(&run.plan, &ticket.body);
            let best = left.iter().enumerate().min_by_key(|(_, ticket)| finish(ticket));
            let Some((at, _)) = best else { break };
            chosen.push((left.remove(at), index));
        }
        chosen
    }
}

/// The content of a part of a result. An empty stream is kept nowhere; the buyer has the empty content.
fn produced(end: &End, what: &Produced) -> Option<Blob> {
    let empty = || Blob { hash: Hash::of(b""), size: Bytes(0) };
    match what {
        Produced::Output(name) => end.outputs.iter().find(|made| made.name == *name).map(|made| made.blob),
        Produced::StdOut => Some(end.stdout.unwrap_or_else(empty)),
        Produced::StdErr => Some(end.stderr.unwrap_or_else(empty)),
    }
}

impl Dispatch {
    /// A sub-task has ended: those that waited for it are bought, or end with it.
    pub(super) fn flowed(&mut self, task: ContractId, index: u32, now: Time) {
        self.timers.clear(Timer::Deadline(task, index));
        let Some(run) = self.tasks.get_mut(&task).filter(|run| !run.flow.is_flat) else { return };
        let Some(ended) = run.run_ref(index) else { return };
        let name = ended.plan.name.clone();
        let Some(end) = ended.ending() else { return };
        if end.verdict != Verdict::Succeeded {
            let verdict = match &end.verdict {
                same @ (Verdict::Cancelled | Verdict::NotNeeded(_)) => same.clone(),
                _ => Verdict::DependencyFailed { name },
            };
            return self.end_downstream(task, index, &verdict, now);
        }
        if let Some(seller) = end.sale.as_ref().map(|sale| sale.seller.key) {
            let outputs = end.outputs.iter().map(|made| made.blob).chain(end.stdout).chain(end.stderr);
            let blobs: Vec<Blob> = ended.plan.job.contents().into_iter().chain(outputs).collect();
            run.flow.note_contents(seller, blobs.into_iter());
        }
        for next in run.flow.succeeded(index) {
            let Some(run) = self.tasks.get_mut(&task) else { return };
            if run.run_ref(next).is_none_or(|run| run.state.is_final()) {
                continue;
            }
            match run.feed(next) {
                Ok(()) => run.release(next),
                Err(name) => {
                    let verdict = Verdict::DependencyFailed { name };
                    self.end_unbegun(task, next, verdict.clone(), now);
                    self.end_downstream(task, next, &verdict, now);
                }
            }
        }
    }

    /// Ends all that wait for `index`, directly or through others. None of them has begun.
    fn end_downstream(&mut self, task: ContractId, index: u32, verdict: &Verdict, now: Time) {
        let Some(run) = self.tasks.get(&task) else { return };
        for next in run.flow.graph.downstream(index) {
            if self.run(task, next).is_some_and(|run| run.state == State::Waiting) {
                self.end_unbegun(task, next, verdict.clone(), now);
            }
        }
    }

    /// Ends a sub-task that nothing was bought for, and tells the user.
    fn end_unbegun(&mut self, task: ContractId, index: u32, verdict: Verdict, now: Time) {
        let next = match verdict {
            Verdict::Cancelled | Verdict::NotNeeded(_) => State::Cancelled,
            _ => State::Failed,
        };
        self.timers.clear(Timer::Deadline(task, index));
        self.become_state(task, index, next);
        let Some(end) = self.tasks.get_mut(&task).and_then(|run| run.end(index, verdict, now)) else {
            return;
        };
        self.tell_ends(task, &[(index, end.clone())], now);
    }

    /// Ends those that wait for each other.
    pub(super) fn end_stuck(&mut self, task: ContractId, now: Time) {
        let stuck = self.tasks.get_mut(&task).map(|run| std::mem::take(&mut run.flow.stuck));
        for index in stuck.into_iter().flatten() {
            let Some(name) = self.run(task, index).map(|run| run.plan.name.clone()) else { continue };
            self.end_unbegun(task, index, Verdict::DependencyFailed { name }, now);
        }
    }

    /// Keeps a ticket until all of its moment are there, where they are given out together.
    pub(super) fn keep_ticket(&mut self, ticket: Signed<Ticket>) -> Option<Signed<Ticket>> {
        let Some((task, index)) = self.purchases.get(&ticket.body.id).copied() else { return Some(ticket) };
        let Some(run) = self.tasks.get_mut(&task).filter(|run| run.is_given_together(index)) else {
            return Some(ticket);
        };
        run.flow.tickets.push(ticket);
        self.unassigned.insert(task);
        None
    }

    /// Gives the tickets that have come together to those sub-tasks that they suit best. Whether there were any.
    pub(crate) fn assign(&mut self, now: Time) -> bool {
        let Some(task) = self.unassigned.pop_first() else { return false };
        for (tickets, indices) in self.by_order(task) {
            let chosen = self.tasks.get(&task).map(|run| run.choose(tickets, &indices));
            for (ticket, index) in chosen.into_iter().flatten() {
                self.hold_for(task, index, ticket, now);
            }
        }
        self.place(task, now);
        true
    }

    /// The tickets that are not given out yet, with the sub-tasks for which they were bought: those of one order
    /// together, since only they suit each other's sub-tasks. What nobody needs any more goes back.
    fn by_order(&mut self, task: ContractId) -> Vec<(Vec<Signed<Ticket>>, Vec<u32>)> {
        let tickets = self.tasks.get_mut(&task).map(|run| std::mem::take(&mut run.flow.tickets));
        let mut orders: Vec<(Vec<Signed<Ticket>>, Vec<u32>)> = Vec::new();
        for ticket in tickets.into_iter().flatten() {
            let index = self.purchases.remove(&ticket.body.id).map(|(_, index)| index);
            let is_matching =
                |index: &u32| self.run(task, *index).is_some_and(|run| run.state == State::Matching);
            let Some(index) = index.filter(is_matching) else {
                self.give_back(&ticket);
                continue;
            };
            let run = self.tasks.get(&task);
            let order = |index: u32| run.and_then(|run| run.order_of(index));
            let is_same = |(_, indices): &&mut (Vec<Signed<Ticket>>, Vec<u32>)| {
                indices.first().is_some_and(|first| order(*first) == order(index))
            };
            match orders.iter_mut().find(is_same) {
                Some((known, indices)) => {
                    known.push(ticket);
                    indices.push(index);
                }
                None => orders.push((vec![ticket], vec![index])),
            }
        }
        orders
    }
}

#[cfg(test)]
mod tests;
