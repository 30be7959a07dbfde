//! What is known of a task while it runs.

mod probes;
mod replicas;
mod restore;
mod status;

use probes::Probing;
pub(super) use replicas::{Ballot, Stage};
pub use status::{SubTaskStatus, Tally, TaskStatus};

use super::flow::Flow;
use super::prospect::Prospects;
use super::purse::Purses;
use super::queue::Queue;
use super::series::{Series, Share};
use super::{Attempt, Patience, Submission};
use crate::contract::State;
use crate::event::{End, Verdict, Vote};
use crate::plan::{Part, SubTaskPlan};
use crate::task::StopWhen;
use proto::message::market::{MAX_BATCH, Requirement};
use proto::{ContractId, Hash, Money, PublicKey, Signed, Span, Time};
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Sub-tasks of one task that may be waiting for the market's answer at once, at the start.
const FIRST_WINDOW: u32 = 4;
/// The most sub-tasks of one task that may be waiting for the market's answer at once: one largest batch
/// ([`MAX_BATCH`]).
const LARGEST_WINDOW: u32 = 256;
/// How far ahead in the queue is looked for sub-tasks that can be bought together.
const LOOK_AHEAD: usize = MAX_BATCH;
/// The wait after the first purchase that found nobody; doubled up to [`SLOWEST_LOOK`].
const FIRST_LOOK: Span = Span::millis(50);
/// The longest wait between two looks for a seller.
const SLOWEST_LOOK: Span = Span::millis(1_000);

pub(super) struct TaskRun {
    /// The sub-tasks in the order of the file; behind them the replicas of those that have some.
    runs: Vec<SubTaskRun>,
    sub_tasks: u32,
    ballots: BTreeMap<u32, Ballot>,
    /// Sub-tasks of which a copy was bought, since they took too long.
    copies: BTreeSet<u32>,
    /// What the task looks for, how many results are being looked into, and what was found.
    pub(super) stop_when: Option<StopWhen>,
    pub(super) examining: u32,
    /// How long the last sub-tasks have run that have ended well.
    pub(super) ran: VecDeque<(u32, Span)>,
    pub(super) found: Option<String>,
    queue: Queue,
    pub(super) series: Series,
    pub(super) flow: Flow,
    pub(super) probing: Probing,
    /// One sub-task of each batch that the market was asked for last.
    leaders: Vec<u32>,
    pub(super) patience: Patience,
    pub(super) prospects: Prospects,
    pub(super) purses: Purses,
    started: Time,
    pace: Pace,
    matching: u32,
    at_work: u32,
    /// Work has ended since the gate was last opened.
    has_worked: bool,
    /// When work of this task last ended.
    worked_until: Time,
    look_again: Span,
    pub(super) gate_opens: Time,
    tally: Tally,
    is_told: bool,
    illegal: Option<(State, State)>,
}

/// How many sub-tasks the market is asked about at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pace {
    /// Whoever asks finds somebody: so many at once, twice as many after each success.
    Growing { window: u32 },
    /// Somebody has found nobody: as many as sellers have become `freed` since, and one now and then to see.
    Scarce { freed: u32, is_probing: bool },
}

pub(super) struct SubTaskRun {
    pub(super) plan: SubTaskPlan,
    pub(super) state: State,
    pub(super) attempts: u32,
    pub(super) failures: u32,
    /// Attempts that sellers gave up in order.
    pub(super) returns: u32,
    /// Sellers that are passed over until nobody else is found.
    pub(super) avoid: Vec<PublicKey>,
    /// Sellers that do not get it again: an attempt failed there, or they are too near to those of other replicas.
    pub(super) shun: Vec<PublicKey>,
    /// The sub-task whose replica this is.
    pub(super) head: Option<u32>,
    /// Which of the questions with known answers it is, from 1, if it is one.
    pub(super) probe: Option<u32>,
    /// The word on the result of a replica.
    pub(super) vote: Vote,
    /// What names the result of a replica.
    pub(super) result: Option<Hash>,
    pub(super) attempt: Option<Attempt>,
    /// Sub-tasks that are under its contract, in the order in which they are executed after it.
    pub(super) followers: Vec<u32>,
    /// What it has come to under the contract of another one.
    pub(super) share: Option<Box<Share>>,
    pub(super) fruitless_since: Option<Time>,
    pub(super) why: String,
    pub(super) fee: Money,
    pub(super) paid: Money,
    /// What is set aside for it at the moment.
    held: Money,
    end: Option<End>,
    /// Parts of the work that are paid.
    pub(super) parts: Vec<Part>,
    /// What room for its states has cost.
    for_room: Money,
}

impl TaskRun {
    pub(super) fn new(submission: Submission, rng: &mut ChaCha8Rng, now: Time) -> Self {
        let flow = Flow::new(&submission.plans);
        let ready = flow.ready();
        let probing = Probing::new(&submission.plans, &ready, rng);
        let runs: Vec<SubTaskRun> = submission.plans.into_iter().map(SubTaskRun::new).collect();
        let sub_tasks = u32::try_from(runs.len()).unwrap_or(u32::MAX);
        let mut task = Self {
            sub_tasks,
            ballots: BTreeMap::new(),
            copies: BTreeSet::new(),
            stop_when: submission.stop_when,
            examining: 0,
            ran: VecDeque::new(),
            found: None,
            queue: Queue::default(),
            series: Series::new(),
            flow,
            probing,
            leaders: Vec::new(),
            patience: submission.patience,
            prospects: Prospects::default(),
            purses: Purses::new(submission.budget),
            started: now,
            pace: Pace::Growing { window: FIRST_WINDOW },
            matching: 0,
            at_work: 0,
            has_worked: false,
            worked_until: now,
            look_again: FIRST_LOOK,
            gate_opens: now,
            tally: Tally { waiting: sub_tasks, ..Tally::default() },
            is_told: false,
            illegal: None,
            runs,
        };
        ready.into_iter().for_each(|index| task.release(index));
        task
    }

    pub(super) fn count(&self) -> u32 {
        u32::try_from(self.runs.len()).unwrap_or(u32::MAX)
    }

    pub(super) fn run_mut(&mut self, index: u32) -> Option<&mut SubTaskRun> {
        self.runs.get_mut(usize::try_from(index).ok()?)
    }

    pub(super) const fn illegal_transition(&self) -> Option<(State, State)> {
        self.illegal
    }

    /// A sub-task changes its state, and with it those that follow it.
    pub(super) fn become_state(&mut self, index: u32, next: State) {
        self.change_state(index, next);
        let followers = self.run_ref(index).map(|run| run.followers.clone()).unwrap_or_default();
        for follower in followers {
            if self.run_ref(follower).is_some_and(|run| !run.state.is_final()) {
                self.change_state(follower, next);
            }
        }
    }

    fn change_state(&mut self, index: u32, next: State) {
        let Some(before) = self.run_mut(index).map(|run| run.state) else { return };
        if !before.may_become(next) {
            self.illegal = self.illegal.or(Some((before, next)));
        }
        if before == State::Matching {
            self.matching = self.matching.saturating_sub(1);
        }
        if next == State::Matching {
            self.matching += 1;
        }
        self.has_worked |= before.is_at_work();
        self.at_work -= u32::from(before.is_at_work()).min(self.at_work);
        self.at_work += u32::from(next.is_at_work());
        if next.is_final() && before == State::Waiting {
            self.queue.remove(index);
        }
        let Some(run) = self.run_mut(index) else { return };
        run.state = next;
        let (held, price) = (run.held, run.plan.price);
        run.held = if next.is_with_seller() { price } else { Money::ZERO };
        let is_replica = run.head.is_some();
        if !is_replica {
            self.tally.count(before, |count| count.saturating_sub(1));
            self.tally.count(next, |count| count.saturating_add(1));
        }
        if before.is_with_seller() {
            self.tally.held = self.tally.held.checked_sub(held).unwrap_or(Money::ZERO);
        }
        if next.is_with_seller() {
            self.tally.held = self.tally.held.checked_add(price).unwrap_or(self.tally.held);
        }
        self.look_at_head(index);
    }

    /// Notes what an attempt at a sub-task has cost.
    pub(super) fn pay(&mut self, index: u32, paid: Money, fee: Money) {
        let Some(run) = self.run_mut(index) else { return };
        run.paid = Money(run.paid.0.saturating_add(paid.0));
        run.fee = Money(run.fee.0.saturating_add(fee.0));
        self.spend(Money(paid.0.saturating_add(fee.0)));
    }

    /// Notes what the task has cost.
    pub(super) fn spend(&mut self, cost: Money) {
        self.tally.spent = Money(self.tally.spent.0.saturating_add(cost.0));
    }

    /// Notes what room for the states of a sub-task has cost.
    pub(super) fn pay_room(&mut self, index: u32, cost: Money) {
        if let Some(run) = self.run_mut(index) {
            run.for_room = Money(run.for_room.0.saturating_add(cost.0));
        }
        self.spend(cost);
    }

    pub(super) const fn tally(&self) -> Tally {
        self.tally
    }

    /// Nothing more is bought.
    pub(super) fn drop_queue(&mut self) {
        self.queue.clear();
    }

    /// The next sub-tasks to buy for, all with one order, if the gate is open and the window has room.
    ///
    /// While the market is asked for sellers for some, those that ask for the same wait: what becomes due meanwhile is
    /// bought together afterwards.
    pub(super) fn next_to_match(&mut self, now: Time) -> Option<Vec<u32>> {
        let room = self.room(now)?;
        let mut leaders = std::mem::take(&mut self.leaders);
        leaders.retain(|index| self.run_ref(*index).is_some_and(|run| run.state == State::Matching));
        let mut ahead = self.queue.first(LOOK_AHEAD);
        let order = |index: &u32| self.order_of(*index);
        let is_ready = |index: &u32| !self.is_being_bought(*index);
        let is_free = |index: &&u32| leaders.iter().all(|leader| order(leader) != order(index));
        let first = ahead.iter().find(|index| is_ready(index) && is_free(index)).copied();
        let mut batch = Vec::new();
        if let Some(first) = first {
            let room = usize::try_from(room).unwrap_or(usize::MAX);
            let is_like = |index: &u32| is_ready(index) && order(index) == order(&first);
            batch = self.pick(&mut ahead, room, is_like);
            leaders.push(first);
        }
        self.leaders = leaders;
        batch.iter().for_each(|index| self.queue.remove(*index));
        first?;
        self.narrow(batch.len(), now);
        Some(batch)
    }

    /// How many sub-tasks more the market may be asked about.
    fn room(&self, now: Time) -> Option<u32> {
        let room = match self.pace {
            Pace::Growing { .. } if now < self.gate_opens => 0,
            Pace::Growing { window } => window.saturating_sub(self.matching),
            Pace::Scarce { freed, .. } if freed > 0 => freed,
            Pace::Scarce { .. } => u32::from(now >= self.gate_opens),
        };
        Some(room).filter(|room| *room > 0)
    }

    /// Notes that the market is being asked about `count` sub-tasks.
    fn narrow(&mut self, count: usize, now: Time) {
        if let Pace::Scarce { freed, is_probing } = &mut self.pace {
            *is_probing |= *freed == 0;
            *freed = freed.saturating_sub(u32::try_from(count).unwrap_or(u32::MAX));
            self.gate_opens = self.gate_opens.max(now.after(self.look_again));
        }
    }

    /// How many sellers more there are to be, with the one that was found just now: those that the market is asked for, but
    /// for the one that is to show whether there is anybody, and those that have become free.
    pub(super) fn expected(&self) -> u32 {
        match self.pace {
            Pace::Growing { .. } => self.matching,
            Pace::Scarce { freed, is_probing } => {
                self.matching.saturating_sub(u32::from(is_probing)).max(1).saturating_add(freed)
            }
        }
    }

    /// How many have no seller yet.
    pub(super) fn unbought(&self) -> usize {
        self.queue.len().saturating_add(usize::try_from(self.matching).unwrap_or(usize::MAX))
    }

    /// Whether something waits to be bought, or is being bought.
    pub(super) fn is_buying(&self) -> bool {
        self.matching > 0 || !self.queue.is_empty()
    }

    /// The next in the queue.
    pub(super) fn ahead(&self) -> Vec<u32> {
        self.queue.first(LOOK_AHEAD)
    }

    pub(super) fn is_waiting_for_gate(&self) -> bool {
        !self.queue.is_empty()
    }

    pub(super) fn requeue(&mut self, index: u32) {
        self.enqueue(index);
        self.park(index);
    }

    /// The attempt of a sub-task is over, and it is not its turn to be bought for.
    pub(super) fn park(&mut self, index: u32) {
        if let Some(run) = self.run_mut(index) {
            run.attempt = None;
        }
    }

    /// Takes those out of the queue that ask for no less than `index` and bid no more: where it finds nobody,
    /// they find nobody.
    pub(super) fn take_waiting_like(&mut self, index: u32) -> Vec<u32> {
        let Self { runs, queue, .. } = self;
        let plan =
            |index: u32| usize::try_from(index).ok().and_then(|index| runs.get(index)).map(|run| &run.plan);
        let Some(found_nobody) = plan(index) else { return Vec::new() };
        // Whom it may not have, others may.
        let shuns = usize::try_from(index)
            .ok()
            .and_then(|index| runs.get(index))
            .is_some_and(|run| !run.shun.is_empty());
        if shuns {
            return Vec::new();
        }
        let is_like = |other: u32| {
            let is_like = |plan: &SubTaskPlan| {
                plan.requirement == found_nobody.requirement && plan.bid <= found_nobody.bid
            };
            plan(other).is_some_and(is_like)
        };
        queue.take(is_like)
    }

    /// Takes those out of the queue that need exactly this, whatever they bid.
    pub(super) fn take_waiting_for(&mut self, requirement: &Requirement) -> Vec<u32> {
        let Self { runs, queue, .. } = self;
        let run = |index: u32| usize::try_from(index).ok().and_then(|index| runs.get(index));
        queue.take(|index| run(index).is_some_and(|run| run.plan.requirement == *requirement))
    }

    /// The sub-tasks, in the order of the file.
    pub(super) fn runs(&self) -> impl Iterator<Item = &SubTaskRun> {
        self.runs.iter()
    }

    /// A sub-task has its seller and its money: more purchases may run at once.
    pub(super) fn widen(&mut self) {
        match self.pace {
            Pace::Growing { window } => {
                self.pace = Pace::Growing { window: window.saturating_mul(2).min(LARGEST_WINDOW) };
                self.look_again = FIRST_LOOK;
            }
            // Nobody had become free that is known of, and yet there was somebody: there may be more.
            Pace::Scarce { is_probing: true, .. } => {
                self.pace = Pace::Growing { window: 2 };
                self.gate_opens = Time(0);
                self.look_again = FIRST_LOOK;
            }
            Pace::Scarce { .. } => {}
        }
    }

    /// Nobody was found: from now on the market is asked about as many sub-tasks as sellers have become free, and
    /// about one after a while. All that find nobody at once count as one.
    pub(super) fn close_gate(&mut self, now: Time) {
        let freed = match self.pace {
            Pace::Scarce { freed, .. } => freed,
            Pace::Growing { .. } => 0,
        };
        let is_closed = matches!(self.pace, Pace::Scarce { is_probing: false, .. }) && now < self.gate_opens;
        self.pace = Pace::Scarce { freed, is_probing: false };
        if !is_closed {
            self.gate_opens = now.after(self.look_again);
            self.look_again = self.look_again.times(2).min(SLOWEST_LOOK);
        }
    }

    /// An attempt is over: its seller may be free.
    pub(super) fn open_gate(&mut self, now: Time) {
        if self.has_worked {
            (self.worked_until, self.has_worked) = (now, false);
        }
        match &mut self.pace {
            Pace::Growing { .. } => (self.gate_opens, self.look_again) = (now, FIRST_LOOK),
            // To look for others than those that became free goes on at its own pace.
            Pace::Scarce { freed, .. } => *freed = freed.saturating_add(1).min(LARGEST_WINDOW),
        }
    }

    /// Whether a sub-task that finds nobody since `since`, while nothing else was at work, should give up.
    pub(super) fn is_out_of_patience(&self, since: Time, now: Time) -> bool {
        // One that waits for the bank has a seller, and may soon be at work.
        let Patience::For(patience) = self.patience else { return false };
        now.since(since.max(self.worked_until)) >= patience && self.tally.running == 0
    }

    /// Whether sub-tasks have money set aside that may come back.
    pub(super) const fn has_holds(&self) -> bool {
        self.tally.held.0 > 0
    }

    /// Whether sellers are at work on sub-tasks: what others wait for may become free.
    pub(super) const fn is_at_work(&self) -> bool {
        self.at_work > 0
    }

    pub(super) fn end(&mut self, index: u32, verdict: Verdict, now: Time) -> Option<End> {
        let elapsed = now.since(self.started);
        let run = self.run_mut(index)?;
        let end = run.take_end(verdict, elapsed);
        run.end = Some(end.clone());
        run.attempt = None;
        Some(end)
    }

    pub(super) const fn has_ended(&self) -> bool {
        self.tally.running == 0 && self.tally.waiting == 0 && self.examining == 0
    }

    /// Whether the task has just ended.
    pub(super) const fn notice_end(&mut self) -> bool {
        let is_news = self.has_ended() && !self.is_told;
        self.is_told |= is_news;
        is_news
    }
}

impl SubTaskRun {
    const fn new(plan: SubTaskPlan) -> Self {
        Self {
            plan,
            state: State::Waiting,
            attempts: 0,
            failures: 0,
            returns: 0,
            avoid: Vec::new(),
            shun: Vec::new(),
            head: None,
            probe: None,
            vote: Vote::Open,
            result: None,
            attempt: None,
            followers: Vec::new(),
            share: None,
            fruitless_since: None,
            why: String::new(),
            fee: Money::ZERO,
            paid: Money::ZERO,
            held: Money::ZERO,
            end: None,
            parts: Vec::new(),
            for_room: Money::ZERO,
        }
    }

    pub(super) fn contract(&mut self) -> Option<ContractId> {
        self.attempt.as_ref().map(|attempt| attempt.contract)
    }

    /// Whether a paper is signed by the seller of the present attempt.
    pub(super) fn is_signed_by_seller<T: proto::signed::Paper>(&self, paper: &Signed<T>) -> bool {
        self.attempt.as_ref().is_some_and(|attempt| paper.is_genuine_by(attempt.seller().key))
    }
}

#[cfg(test)]
mod tests;
