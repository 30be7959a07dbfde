//! A sub-task that is executed more than once: each replica is a run of its own behind those of the file, with its own
//! attempts, tickets, holds and contracts; the sub-task itself, its *head*, only waits for their vote.
//!
//! **The price.** `Price` is what the sub-task may cost in all (paper §III-D: fault tolerance counts against the user's
//! budget), so each replica may cost `Price / Replicas`. Of all that are bought at most `Replicas` are paid for a
//! result: those that agree. For a replica beyond the first ones is bought only where a quorum lacks it, and then the
//! quorum has no result to spare.

use super::{State, SubTaskRun, SubTaskStatus, TaskRun};
use crate::dispatch::ballot::{Pairs, Terms, Voice};
use crate::event::{End, Replica, Sale, Verdict, Vote};
use crate::plan::SubTaskPlan;
use crate::task::{Comparison, Redundancy, Replication};
use proto::{ContractId, Cycles, Money, Peer, PublicKey, Time};
use std::collections::BTreeSet;

/// What is known of the replicas of a sub-task.
#[derive(Clone, Debug)]
pub(in crate::dispatch) struct Ballot {
    /// Their indices, in the order in which they were bought.
    pub(in crate::dispatch) replicas: Vec<u32>,
    /// Those of the probes that are bought with it.
    pub(in crate::dispatch) probes: Vec<u32>,
    /// Whether a result waits for what probes tell of its seller.
    pub(in crate::dispatch) is_patient: bool,
    pub(in crate::dispatch) terms: Terms,
    pub(in crate::dispatch) pairs: Pairs,
    pub(in crate::dispatch) stage: Stage,
    /// How many are bought at first, and of these have to agree, where experience does not spare them.
    pub(in crate::dispatch) wanted: u32,
    pub(in crate::dispatch) quorum: u32,
    /// Why there are as many as there are; empty where the file says so.
    pub(in crate::dispatch) why: String,
}

/// Where the vote stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::dispatch) enum Stage {
    /// Results are awaited.
    Open,
    /// Enough agree by their hashes; this one's outputs are fetched.
    Fetching(u32),
    /// The outputs of this one are here, and those that agree with it are paid.
    Paying(u32),
    /// The sub-task has ended.
    Over,
}

impl Ballot {
    fn new(redundancy: &Redundancy) -> Self {
        let Redundancy { replicas, quorum, max_replicas, .. } = *redundancy;
        let wanted = replicas.max(1);
        let quorum = quorum.clamp(1, wanted);
        let terms = Terms { quorum, most: max_replicas.max(wanted) };
        Self {
            replicas: Vec::new(),
            probes: Vec::new(),
            is_patient: true,
            terms,
            pairs: Pairs::default(),
            stage: Stage::Open,
            wanted,
            quorum,
            why: String::new(),
        }
    }
}

impl SubTaskPlan {
    /// Whether a vote, a test or what is known of its seller decides about its result.
    pub(in crate::dispatch) fn is_voted(&self) -> bool {
        let Redundancy { max_replicas, verify, .. } = &self.redundancy;
        *max_replicas > 1 || verify.is_some() || !self.probes.is_empty()
    }

    /// Whether results agree only where their hashes do.
    pub(in crate::dispatch) fn is_compared_by_hash(&self) -> bool {
        self.redundancy.compare == Comparison::Exact
    }

    /// Whether results are compared by their hashes, and none has to be here for that.
    pub(in crate::dispatch) fn is_voted_unseen(&self) -> bool {
        self.is_compared_by_hash() && self.redundancy.verify.is_none()
    }
}

impl TaskRun {
    /// Puts a sub-task, or its first replicas, into the queue.
    pub(in crate::dispatch) fn release(&mut self, index: u32) {
        let Some(plan) = self.run_mut(index).map(|run| &run.plan) else { return };
        if !plan.is_voted() {
            self.enqueue(index);
            return;
        }
        let ballot = Ballot::new(&plan.redundancy);
        let is_adaptive = plan.redundancy.replication == Replication::Adaptive;
        // With whom it is bought first decides how many more there have to be.
        let first = if is_adaptive { 1 } else { ballot.wanted };
        self.ballots.insert(index, ballot);
        self.with_probes(index, |run| (0..first).for_each(|_| run.add_replica(index)));
    }

    /// Puts what is to be bought into the queue, by the rank of its sub-task.
    pub(in crate::dispatch) fn enqueue(&mut self, index: u32) {
        let rank = self.flow.rank(self.sub_task_of(index));
        self.queue.push(index, rank);
    }

    /// Takes out of the queue what is not to be bought yet.
    pub(in crate::dispatch) fn dequeue(&mut self, index: u32) {
        self.queue.remove(index);
    }

    /// Buys one replica more.
    pub(in crate::dispatch) fn add_replica(&mut self, head: u32) {
        let index = self.count();
        let Some(run) = self.run_mut(head) else { return };
        let mut plan = run.plan.clone();
        plan.price = plan.share();
        let mut replica = SubTaskRun::new(plan);
        replica.head = Some(head);
        replica.shun.clone_from(&run.shun);
        let Some(ballot) = self.ballots.get_mut(&head) else { return };
        ballot.replicas.push(index);
        self.runs.push(replica);
        self.enqueue(index);
    }

    /// Buys a copy of a sub-task that is at work: what is at work becomes a replica, whose index is told, and the copy
    /// another one. The first result wins.
    pub(in crate::dispatch) fn copy(&mut self, head: u32, why: String) -> Option<u32> {
        let index = self.count();
        let run = self.run_mut(head).filter(|run| run.head.is_none())?;
        let plan = run.plan.clone();
        let at_work = std::mem::replace(run, SubTaskRun::new(plan));
        run.state = State::Running;
        run.shun.clone_from(&at_work.shun);
        self.runs.push(SubTaskRun { head: Some(head), ..at_work });
        let terms = Terms { quorum: 1, most: 2 };
        let ballot = Ballot { replicas: vec![index], terms, why, ..Ballot::new(&Redundancy::default()) };
        self.ballots.insert(head, ballot);
        self.copies.insert(head);
        self.add_replica(head);
        Some(index)
    }

    /// Copies that are bought or at work.
    pub(in crate::dispatch) fn copies(&self) -> u32 {
        let is_open = |head: &&u32| self.run_ref(**head).is_some_and(|run| !run.state.is_final());
        u32::try_from(self.copies.iter().filter(is_open).count()).unwrap_or(u32::MAX)
    }

    /// The sub-task whose replica this is.
    pub(in crate::dispatch) fn head_of(&self, index: u32) -> Option<u32> {
        self.run_ref(index)?.head
    }

    /// The index of the sub-task in the file.
    pub(in crate::dispatch) fn sub_task_of(&self, index: u32) -> u32 {
        self.head_of(index).unwrap_or(index)
    }

    /// Whether this is a question whose answer is known.
    pub(in crate::dispatch) fn is_probe(&self, index: u32) -> bool {
        self.run_ref(index).is_some_and(|run| run.probe.is_some())
    }

    /// Whether some of its sub-tasks have replicas or probes.
    pub(in crate::dispatch) fn has_ballots(&self) -> bool {
        !self.ballots.is_empty()
    }

    /// The replicas of a sub-task, if it has some.
    pub(in crate::dispatch) fn ballot(&self, head: u32) -> Option<&Ballot> {
        self.ballots.get(&head)
    }

    pub(in crate::dispatch) fn ballot_mut(&mut self, head: u32) -> Option<&mut Ballot> {
        self.ballots.get_mut(&head)
    }

    pub(in crate::dispatch) fn run_ref(&self, index: u32) -> Option<&SubTaskRun> {
        self.runs.get(usize::try_from(index).ok()?)
    }

    /// How many sub-tasks the file has.
    pub(in crate::dispatch) const fn sub_tasks(&self) -> u32 {
        self.sub_tasks
    }

    /// The replicas of a sub-task that has some, with their runs.
    pub(in crate::dispatch) fn replicas_of(&self, head: u32) -> impl Iterator<Item = (u32, &SubTaskRun)> {
        let replicas = self.ballots.get(&head).map(|ballot| ballot.replicas.as_slice()).unwrap_or_default();
        replicas.iter().filter_map(|index| Some((*index, self.run_ref(*index)?)))
    }

    /// What each replica says.
    pub(in crate::dispatch) fn voices(&self, head: u32) -> Vec<(u32, Voice)> {
        self.replicas_of(head).map(|(index, run)| (index, run.voice())).collect()
    }

    /// The seller of an attempt at a sub-task is not to have it again, nor any of its replicas.
    pub(in crate::dispatch) fn shun(&mut self, index: u32, seller: PublicKey) {
        let head = self.sub_task_of(index);
        let replicas = self.ballots.get(&head).map(|ballot| ballot.replicas.clone()).unwrap_or_default();
        for index in replicas.into_iter().chain([head, index]) {
            if let Some(run) = self.run_mut(index).filter(|run| !run.shun.contains(&seller)) {
                run.shun.push(seller);
            }
        }
    }

    /// The sellers of the other replicas, which the one of `index` may not be near to.
    pub(in crate::dispatch) fn others(&self, index: u32) -> Vec<Peer> {
        let head = self.head_of(index).filter(|_| !self.is_probe(index));
        let Some(head) = head else { return Vec::new() };
        let others = self.replicas_of(head).filter(|(other, _)| *other != index);
        others.filter_map(|(_, run)| run.sale()).map(|sale| sale.seller).collect()
    }

    /// The sub-task of a replica that may not be had of the sellers of others of it: it is bought for itself.
    pub(in crate::dispatch) fn has_others(&self, index: u32) -> Option<u32> {
        let head = self.head_of(index).filter(|_| !self.is_probe(index))?;
        let has_seller = |run: &SubTaskRun| run.attempt.is_some() || run.end.is_some();
        self.replicas_of(head).any(|(other, run)| other != index && has_seller(run)).then_some(head)
    }

    /// Sub-tasks of which a replica is being bought: the others wait, since they may not have the same seller.
    pub(super) fn is_being_bought(&self, index: u32) -> bool {
        if self.is_probe(index) {
            return self.is_asking(index);
        }
        let Some(head) = self.head_of(index) else { return false };
        self.replicas_of(head).any(|(_, run)| run.state == State::Matching)
    }

    /// Takes what may be bought together out of `ahead`: at most `room`, of one sub-task one replica, and of one group of
    /// sub-tasks one probe.
    pub(super) fn pick(
        &self,
        ahead: &mut Vec<u32>,
        room: usize,
        is_meant: impl Fn(&u32) -> bool,
    ) -> Vec<u32> {
        let mut heads = BTreeSet::new();
        let mut batch = Vec::new();
        ahead.retain(|index| {
            let is_taken = batch.len() < room
                && is_meant(index)
                && self.probed_group(*index).or(self.head_of(*index)).is_none_or(|one| heads.insert(one));
            if is_taken {
                batch.push(*index);
            }
            !is_taken
        });
        batch
    }

    /// A replica has changed: its sub-task runs as long as any of them is at work or being paid.
    pub(super) fn look_at_head(&mut self, index: u32) {
        let Some(head) = self.head_of(index) else { return };
        let is_at_work =
            |state: State| state == State::Holding || (state.is_with_seller() && state != State::Voting);
        let is_running = self.replicas_of(head).any(|(_, run)| is_at_work(run.state));
        let next = if is_running { State::Running } else { State::Waiting };
        self.set_head(head, next);
    }

    /// Heads have three states of their own beside the final ones, and go through no contract.
    fn set_head(&mut self, head: u32, next: State) {
        let Some(run) = self.run_mut(head).filter(|run| !run.state.is_final()) else { return };
        let before = run.state;
        run.state = next;
        self.tally.count(before, |count| count.saturating_sub(1));
        self.tally.count(next, |count| count.saturating_add(1));
    }

    /// Ends a sub-task that has replicas: with the outputs of the accepted one.
    pub(in crate::dispatch) fn end_head(
        &mut self,
        head: u32,
        accepted: Option<u32>,
        verdict: Verdict,
        now: Time,
    ) -> Option<End> {
        let next = match verdict {
            Verdict::Succeeded => State::Succeeded,
            Verdict::Cancelled | Verdict::NotNeeded(_) => State::Cancelled,
            _ => State::Failed,
        };
        self.set_head(head, next);
        let elapsed = now.since(self.started);
        let replicas = self.replicas(head);
        let of = accepted.and_then(|index| self.run_ref(index)?.end.clone());
        let last = || self.replicas_of(head).filter_map(|(_, run)| run.end.clone()).last();
        let of = of.or_else(last);
        let sum = |money: fn(&Replica) -> Money| {
            Money(replicas.iter().fold(0, |sum: u64, replica| sum.saturating_add(money(replica).0)))
        };
        let attempts = attempts(&replicas);
        let end = End {
            verdict,
            sale: of.as_ref().and_then(|end| end.sale.clone()),
            attempts,
            cycles: of.as_ref().map_or(Cycles(0), |end| end.cycles),
            paid: sum(|replica| replica.paid),
            fee: sum(|replica| replica.fee),
            elapsed,
            outputs: of.as_ref().map(|end| end.outputs.clone()).unwrap_or_default(),
            stdout: of.as_ref().and_then(|end| end.stdout),
            stderr: of.as_ref().and_then(|end| end.stderr),
            replicas,
        };
        self.run_mut(head)?.end = Some(end.clone());
        Some(end)
    }

    /// The replicas of a sub-task as its user sees them, and the probes that were bought with it.
    pub(in crate::dispatch) fn replicas(&self, head: u32) -> Vec<Replica> {
        let replica = |(number, (_, run)): (u32, (u32, &SubTaskRun))| Replica {
            number,
            state: run.state,
            sale: run.sale(),
            attempts: run.attempts,
            cycles: run.attempt.as_ref().map_or_else(
                || run.end.as_ref().map_or(Cycles(0), |end| end.cycles),
                |attempt| attempt.cycles,
            ),
            vote: run.vote.clone(),
            probe: run.probe,
            result: run.result,
            paid: run.paid,
            fee: run.fee,
        };
        (1..).zip(self.replicas_of(head).chain(self.probes_of(head))).map(replica).collect()
    }

    /// A sub-task as its user sees it.
    pub(super) fn sub_task_status(&self, index: u32) -> Option<SubTaskStatus> {
        let status = self.run_ref(index)?.status();
        if !self.ballots.contains_key(&index) {
            return Some(status);
        }
        let foremost = self.replicas_of(index).map(|(_, run)| run).max_by_key(|run| progress(run.state));
        let state = foremost.map_or(status.state, |run| run.state);
        let why = foremost.map(|run| run.why.clone()).filter(|why| !why.is_empty());
        let why = why.or_else(|| Some(self.ballot(index)?.why.clone())).unwrap_or_default();
        let replicas = self.replicas(index);
        Some(SubTaskStatus {
            state: if status.state.is_final() || state.is_final() { status.state } else { state },
            attempts: attempts(&replicas),
            cycles: status.end.as_ref().map_or_else(
                || replicas.iter().map(|replica| replica.cycles).max().unwrap_or_default(),
                |end| end.cycles,
            ),
            sale: status.sale.clone().or_else(|| foremost.and_then(SubTaskRun::sale)),
            why,
            replicas,
            ..status
        })
    }

    /// The probes that were bought with a sub-task and have not ended.
    pub(in crate::dispatch) fn open_probes(&self, head: u32) -> Vec<u32> {
        self.probes_of(head).filter(|(_, run)| !run.state.is_final()).map(|(index, _)| index).collect()
    }

    /// The contracts under which replicas of a sub-task are open.
    pub(in crate::dispatch) fn open_replicas(&self, head: u32) -> Vec<(u32, State, Option<ContractId>)> {
        let open = self.replicas_of(head).filter(|(_, run)| !run.state.is_final());
        let contract = |run: &SubTaskRun| run.attempt.as_ref().map(|attempt| attempt.contract);
        open.map(|(index, run)| (index, run.state, contract(run))).collect()
    }
}

/// Attempts at the sub-task itself.
fn attempts(replicas: &[Replica]) -> u32 {
    replicas.iter().filter(|replica| replica.probe.is_none()).map(|replica| replica.attempts).sum()
}

/// How far a replica is that has not ended.
const fn progress(state: State) -> u8 {
    match state {
        State::Failed | State::Cancelled => 0,
        State::Waiting => 1,
        State::Matching => 2,
        State::Holding => 3,
        State::Offered => 4,
        State::Staging => 5,
        State::Suspended => 6,
        State::Running => 7,
        State::Voting => 8,
        State::Fetching => 9,
        State::Settling => 10,
        State::Succeeded => 11,
    }
}

impl SubTaskRun {
    /// The last deal.
    pub(in crate::dispatch) fn sale(&self) -> Option<Sale> {
        let sale = self.attempt.as_ref().map(|attempt| Sale::of(&attempt.ticket.body));
        sale.or_else(|| self.end.as_ref()?.sale.clone())
    }

    /// How it ended, if it has.
    pub(in crate::dispatch) const fn ending(&self) -> Option<&End> {
        self.end.as_ref()
    }

    fn voice(&self) -> Voice {
        let is_tested = || self.attempt.as_ref().is_some_and(|attempt| attempt.test.is_over());
        match self.state {
            State::Voting if is_tested() => Voice::Result,
            State::Succeeded | State::Settling => Voice::Result,
            State::Failed => match self.end.as_ref().map(|end| &end.verdict) {
                Some(Verdict::Failed(outcome)) if !outcome.is_worth_retrying() => {
                    Voice::Failure(outcome.clone())
                }
                Some(Verdict::NotPlaced { .. } | Verdict::NotPaid(_)) => Voice::Stuck,
                _ => Voice::Gone,
            },
            State::Cancelled => Voice::Gone,
            _ => Voice::Pending,
        }
    }

    /// Notes what became of the vote of a replica that ends so, unless that is known already.
    pub(in crate::dispatch) fn note_vote(&mut self, verdict: &Verdict) {
        if self.vote != Vote::Open {
            return;
        }
        self.vote = match verdict {
            Verdict::Succeeded => Vote::Agreed,
            Verdict::Cancelled | Verdict::NotNeeded(_) => Vote::Cancelled,
            other => Vote::Failed(other.to_string()),
        };
    }
}
