//! The buyer's side: every sub-task is matched, paid for in advance by a hold, offered, watched, fetched and
//! settled; what goes wrong on the way is tried again elsewhere or ends with its reason.

mod attempt;
pub mod ballot;
mod bank;
mod compare;
mod deadline;
mod delivery;
mod experience;
mod flow;
mod objection;
mod place;
mod probe;
mod prospect;
mod purse;
mod queue;
mod restore;
mod run;
mod saved;
mod seller;
mod series;
mod spread;
mod staging;
mod stop;
mod storage;
mod straggler;
mod timer;
mod vote;

pub(crate) use bank::{follow_up, shares, total_rate};
pub use compare::{Comparing, Testing};
pub use experience::{ENOUGH, Experience};
pub use prospect::{Want, whole_commodity};
pub use run::{SubTaskStatus, Tally, TaskStatus};
pub use staging::SLOWEST_STAGING;
pub use stop::Examining;

use crate::contract::State;
use crate::effect::{Effect, Effects};
use crate::event::{End, Event, EventKind, Verdict};
use crate::journal::Note;
use crate::plan::SubTaskPlan;
use crate::task::StopWhen;
use attempt::{Abandoned, Attempt};
use objection::Objection;
use proto::message::survey::Inquiry;
use proto::{CommandId, ContractId, KeyPair, Money, Peer, PublicKey, Rules, Span, Time};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;
use run::{SubTaskRun, TaskRun};
use saved::Keeping;
use std::collections::{BTreeMap, BTreeSet};
use storage::Room;
use timer::{Timer, Timers};

/// A task to be bought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    /// The buyer's id for it.
    pub task: ContractId,
    /// Its sub-tasks.
    pub plans: Vec<SubTaskPlan>,
    /// How long a sub-task waits for a seller.
    pub patience: Patience,
    /// The most it is to cost, if its file says so: the user is told when a fifth of it is left.
    pub budget: Option<Money>,
    /// The result that makes the rest of it needless, if its file names one.
    pub stop_when: Option<StopWhen>,
}

/// How long a sub-task may find no seller, while nothing else of its task is at work, before it fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// So long; and no longer than until it is known that nobody who is listed could ever run it.
    For(Span),
    /// Without end, also while nobody who is listed could ever run it.
    Endless,
}

/// For how long nothing is bought for what a leaving node has taken back: it has left long before.
const AFTER_LEAVING: Span = Span::secs(60);

pub(crate) struct Dispatch {
    me: Peer,
    keys: KeyPair,
    bank: PublicKey,
    rules: Rules,
    rng: ChaCha8Rng,
    tasks: BTreeMap<ContractId, TaskRun>,
    contracts: BTreeMap<ContractId, (ContractId, u32)>,
    /// What tickets are being bought for, by their ids.
    purchases: BTreeMap<CommandId, (ContractId, u32)>,
    /// What was seen of sellers.
    memory: experience::Memory,
    /// Results that are being looked into, for what their task looks for.
    examinations: BTreeMap<u64, (ContractId, u32)>,
    /// Comparisons of results under way.
    comparisons: BTreeMap<u64, compare::Asked>,
    /// Surveys under way: for which task, about which requirement.
    surveys: BTreeMap<u64, (ContractId, Inquiry)>,
    /// Tasks with tickets that are not given to sub-tasks yet.
    unassigned: BTreeSet<ContractId>,
    settlements: BTreeMap<CommandId, ContractId>,
    abandoned: BTreeMap<ContractId, Abandoned>,
    /// Sellers that were given up and have signed, until the bank has answered, by the ids of the releases.
    freeing: BTreeMap<CommandId, (ContractId, Abandoned)>,
    /// Releases under way for holds of a former life of this node.
    strays: BTreeSet<CommandId>,
    /// Rejected results whose sellers may claim.
    objections: BTreeMap<ContractId, Objection>,
    /// Disputes that the bank has not answered.
    disputes: BTreeMap<CommandId, ContractId>,
    /// Contracts with claims that the user was told of, and that nothing is known of.
    told: BTreeSet<ContractId>,
    /// The saved states of sub-tasks that are saved.
    keepings: BTreeMap<(ContractId, u32), Keeping>,
    /// The ids under which states are kept here.
    kept_for: BTreeMap<ContractId, (ContractId, u32)>,
    /// Room that is bought for states.
    rooms: BTreeMap<ContractId, Room>,
    /// Settlements of rooms.
    bills: BTreeMap<CommandId, ContractId>,
    balance_asked: Option<Time>,
    timers: Timers,
    next_token: u64,
    pub(crate) effects: Effects,
}

impl Dispatch {
    pub(crate) fn new(me: Peer, keys: KeyPair, bank: PublicKey, rules: Rules, rng: ChaCha8Rng) -> Self {
        Self {
            me,
            keys,
            bank,
            rules,
            rng,
            tasks: BTreeMap::new(),
            contracts: BTreeMap::new(),
            purchases: BTreeMap::new(),
            memory: experience::Memory::default(),
            examinations: BTreeMap::new(),
            comparisons: BTreeMap::new(),
            surveys: BTreeMap::new(),
            unassigned: BTreeSet::new(),
            settlements: BTreeMap::new(),
            abandoned: BTreeMap::new(),
            freeing: BTreeMap::new(),
            strays: BTreeSet::new(),
            objections: BTreeMap::new(),
            disputes: BTreeMap::new(),
            told: BTreeSet::new(),
            keepings: BTreeMap::new(),
            kept_for: BTreeMap::new(),
            rooms: BTreeMap::new(),
            bills: BTreeMap::new(),
            balance_asked: None,
            timers: Timers::default(),
            next_token: 0,
            effects: Effects::new(),
        }
    }

    /// Starts a task. The same id again changes nothing.
    pub(crate) fn submit(&mut self, mut submission: Submission, now: Time) {
        let id = submission.task;
        if self.tasks.contains_key(&id) {
            return;
        }
        self.prepare_saving(id, &mut submission.plans);
        self.tasks.insert(id, TaskRun::new(submission, &mut self.rng, now));
        self.balance_asked = None;
        self.ask_balance(now);
        self.watch_deadlines(id, now);
        self.end_stuck(id, now);
        self.place(id, now);
        self.tell_if_ended(id, now);
    }

    /// Ends every sub-task of `task` that has not ended and is not being paid.
    pub(crate) fn cancel(&mut self, task: ContractId, now: Time) {
        self.stop(task, &Verdict::Cancelled, now);
    }

    /// The node leaves: sellers are asked to stop, and what they worked on waits until the node is back. What they sign
    /// frees the holds, then or before.
    pub(crate) fn leave(&mut self, now: Time) {
        for contract in self.contracts.keys().copied().collect::<Vec<_>>() {
            let Some((task, index, run)) = self.attempt(contract) else { continue };
            if run.state.is_sellers_turn() {
                self.timers.clear(Timer::Lease(contract));
                self.abandon_attempt(task, index, now);
                self.retry(task, index, "this node leaves the network".into(), AFTER_LEAVING, now);
            }
        }
    }

    /// Whether a contract of this buyer is open, or its end is contested.
    pub(crate) fn has_contract(&self, contract: ContractId) -> bool {
        self.contracts.contains_key(&contract) || self.is_contested(contract) || self.keeps(contract)
    }

    /// Forgets a task that has ended; its results stay in the driver's store.
    pub(crate) fn forget(&mut self, task: ContractId) -> bool {
        let has_ended = self.tasks.get(&task).is_some_and(TaskRun::has_ended);
        if has_ended {
            self.tasks.remove(&task);
            self.note(Note::Forgotten { task });
        }
        has_ended
    }

    /// Whether a task has not ended, or a dispute has not.
    pub(crate) fn is_busy(&self) -> bool {
        self.tasks.values().any(|task| !task.has_ended()) || self.is_any_contested() || !self.rooms.is_empty()
    }

    pub(crate) fn status(&self, task: ContractId) -> Option<TaskStatus> {
        self.tasks.get(&task).map(TaskRun::status)
    }

    pub(crate) fn tally(&self, task: ContractId) -> Option<Tally> {
        self.tasks.get(&task).map(TaskRun::tally)
    }

    pub(crate) fn task_ids(&self) -> impl Iterator<Item = ContractId> + '_ {
        self.tasks.keys().copied()
    }

    /// The first transition that the table does not allow, if one was made.
    pub(crate) fn illegal_transition(&self) -> Option<(State, State)> {
        self.tasks.values().find_map(TaskRun::illegal_transition)
    }

    /// Contracts that are neither in a final state nor watched by a timer: they could stay for ever.
    pub(crate) fn unwatched(&self) -> usize {
        let is_watched = |contract: &&ContractId| self.timers.watches(**contract);
        self.contracts.len() - self.contracts.keys().filter(is_watched).count()
    }

    /// Sub-tasks that are with a seller, and that no contract is for: nobody would ever end them. Those whose replicas are
    /// with sellers are not looked at.
    pub(crate) fn adrift(&self) -> usize {
        let under = |id: &ContractId| self.contracts.values().filter(|(task, _)| task == id).count();
        let tasks = self.tasks.iter().filter(|(_, run)| !run.has_ballots());
        tasks.map(|(id, run)| run.with_sellers().abs_diff(under(id))).sum()
    }

    fn run(&mut self, task: ContractId, index: u32) -> Option<&mut SubTaskRun> {
        self.tasks.get_mut(&task)?.run_mut(index)
    }

    fn attempt(&mut self, contract: ContractId) -> Option<(ContractId, u32, &mut SubTaskRun)> {
        let (task, index) = *self.contracts.get(&contract)?;
        let run = self.tasks.get_mut(&task)?.run_mut(index)?;
        Some((task, index, run))
    }

    fn become_state(&mut self, task: ContractId, index: u32, next: State) {
        if let Some(run) = self.tasks.get_mut(&task) {
            run.become_state(index, next);
        }
    }

    /// Ends a sub-task with its verdict and tells the user.
    fn end(&mut self, task: ContractId, index: u32, verdict: Verdict, now: Time) {
        let next = match verdict {
            Verdict::Succeeded => State::Succeeded,
            Verdict::Cancelled | Verdict::NotNeeded(_) => State::Cancelled,
            _ => State::Failed,
        };
        if self.tasks.get(&task).is_some_and(|run| run.head_of(index).is_some()) {
            self.end_replica(task, index, next, verdict, now);
            return;
        }
        self.disband(task, index);
        self.end_together(task, &[index], next, &verdict, now);
    }

    /// Ends sub-tasks with one verdict.
    fn end_together(&mut self, task: ContractId, indices: &[u32], next: State, verdict: &Verdict, now: Time) {
        let mut ends = Vec::new();
        let mut contracts = Vec::new();
        for index in indices {
            self.become_state(task, *index, next);
            self.end_keeping(task, *index, now);
            let Some(run) = self.tasks.get_mut(&task) else { return };
            contracts.extend(run.run_mut(*index).and_then(SubTaskRun::contract));
            ends.extend(run.end(*index, verdict.clone(), now).map(|end| (*index, end)));
        }
        self.tell_ends(task, &ends, now);
        for (index, end) in ends {
            self.look_for(task, index, &end, now);
            self.flowed(task, index, now);
        }
        for contract in &contracts {
            self.contracts.remove(contract);
            self.timers.clear(Timer::Lease(*contract));
        }
        if contracts.is_empty() {
            self.place(task, now);
        } else {
            self.attempt_is_over(task, now);
        }
        self.tell_if_ended(task, now);
    }

    /// Puts a sub-task back into the queue after an attempt that came to nothing, at once or after a rest.
    fn retry(&mut self, task: ContractId, index: u32, why: String, rest: Span, now: Time) {
        self.disband(task, index);
        self.become_state(task, index, State::Waiting);
        self.forget_result(task, index);
        let is_recovering = self.rewind(task, index, now);
        let Some(run) = self.tasks.get_mut(&task) else { return };
        if let Some(contract) = run.run_mut(index).and_then(SubTaskRun::contract) {
            self.contracts.remove(&contract);
        }
        if is_recovering {
            run.park(index);
        } else {
            run.requeue(index);
            self.rest(task, index, rest, now);
        }
        if let Some(tries) = self.run(task, index).map(|run| run.tries()) {
            self.note(Note::Tried { task, sub_task: index, tries });
        }
        self.tell(task, EventKind::Retrying { sub_task: index, why }, now);
        self.attempt_is_over(task, now);
    }

    /// A seller may have become free: the queue is looked at without waiting.
    fn attempt_is_over(&mut self, task: ContractId, now: Time) {
        if let Some(run) = self.tasks.get_mut(&task) {
            run.open_gate(now);
        }
        self.place(task, now);
        self.take_back(task, now);
    }

    /// Tells the user; what is about a replica is told of its sub-task.
    fn tell(&mut self, task: ContractId, mut kind: EventKind, now: Time) {
        if let (Some(index), Some(run)) = (kind.sub_task_mut(), self.tasks.get(&task)) {
            *index = run.sub_task_of(*index);
        }
        self.effects.push_back(Effect::Tell(Event { time: now, task, kind }));
    }

    /// Sub-tasks have ended: that is written down in one note, and the user is told of each.
    fn tell_ends(&mut self, task: ContractId, ends: &[(u32, End)], now: Time) {
        self.note(Note::Ended { task, ends: ends.to_vec() });
        for (sub_task, end) in ends {
            self.tell(task, EventKind::Ended { sub_task: *sub_task, end: Box::new(end.clone()) }, now);
        }
    }

    fn tell_if_ended(&mut self, task: ContractId, now: Time) {
        if !self.owes_room(task) && self.tasks.get_mut(&task).is_some_and(TaskRun::notice_end) {
            self.tell(task, EventKind::TaskEnded, now);
        }
    }

    fn new_id(&mut self) -> CommandId {
        let mut bytes = [0; 16];
        self.rng.fill_bytes(&mut bytes);
        CommandId(bytes)
    }

    fn watch(&mut self, at: Time, timer: Timer) {
        self.timers.set(at, timer);
    }
}

#[cfg(test)]
mod tests;
