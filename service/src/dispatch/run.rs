//! What is known of a task while it runs.

use super::prospect::Prospects;
use super::{Attempt, Patience, Submission};
use crate::contract::State;
use crate::event::{End, Sale, Verdict};
use crate::plan::SubTaskPlan;
use proto::message::market::Requirement;
use proto::message::service::Report;
use proto::{ContractId, Cycles, Money, PublicKey, Signed, Span, Time};
use std::collections::VecDeque;

/// Purchases of one task that may be under way at once, at the start.
const FIRST_WINDOW: u32 = 4;
/// The most purchases of one task that may be under way at once.
const LARGEST_WINDOW: u32 = 64;
/// The wait after the first purchase that found nobody; doubled up to [`SLOWEST_LOOK`].
const FIRST_LOOK: Span = Span::millis(50);
/// The longest wait between two looks for a seller.
const SLOWEST_LOOK: Span = Span::millis(1_000);

/// A task as its user sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskStatus {
    /// Its sub-tasks, in the order of the file.
    pub sub_tasks: Vec<SubTaskStatus>,
    /// The figures of it.
    pub tally: Tally,
    /// Whether every sub-task has ended.
    pub has_ended: bool,
}

/// A sub-task as its user sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubTaskStatus {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub state: State,
    /// Attempts made.
    pub attempts: u32,
    /// Cycles that the seller has reported so far.
    pub cycles: Cycles,
    /// The deal, once there is one.
    pub sale: Option<Sale>,
    /// Why it waits or why the last attempt failed; empty if there is nothing to say.
    pub why: String,
    /// How it ended.
    pub end: Option<End>,
}

/// A task in figures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Sub-tasks that succeeded.
    pub done: u32,
    /// Sub-tasks that failed or were cancelled.
    pub failed: u32,
    /// Sub-tasks that have a seller.
    pub running: u32,
    /// The others.
    pub waiting: u32,
    /// Paid so far, fees included.
    pub spent: Money,
    /// Set aside at the moment.
    pub held: Money,
}

pub(super) struct TaskRun {
    runs: Vec<SubTaskRun>,
    queue: VecDeque<u32>,
    pub(super) patience: Patience,
    pub(super) prospects: Prospects,
    started: Time,
    window: u32,
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

pub(super) struct SubTaskRun {
    pub(super) plan: SubTaskPlan,
    pub(super) state: State,
    pub(super) attempts: u32,
    pub(super) failures: u32,
    pub(super) avoid: Vec<PublicKey>,
    pub(super) attempt: Option<Attempt>,
    pub(super) fruitless_since: Option<Time>,
    pub(super) why: String,
    pub(super) fee: Money,
    pub(super) paid: Money,
    end: Option<End>,
}

impl TaskRun {
    pub(super) fn new(submission: Submission, now: Time) -> Self {
        let runs: Vec<SubTaskRun> = submission.plans.into_iter().map(SubTaskRun::new).collect();
        let queue = (0_u32..).take(runs.len()).collect();
        Self {
            queue,
            patience: submission.patience,
            prospects: Prospects::default(),
            started: now,
            window: FIRST_WINDOW,
            matching: 0,
            at_work: 0,
            has_worked: false,
            worked_until: now,
            look_again: FIRST_LOOK,
            gate_opens: now,
            tally: Tally { waiting: u32::try_from(runs.len()).unwrap_or(u32::MAX), ..Tally::default() },
            is_told: false,
            illegal: None,
            runs,
        }
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

    pub(super) fn become_state(&mut self, index: u32, next: State) {
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
            self.queue.retain(|waiting| *waiting != index);
        }
        let Some(run) = self.run_mut(index) else { return };
        run.state = next;
        let price = run.plan.price;
        self.tally.count(before, |count| count.saturating_sub(1));
        self.tally.count(next, |count| count.saturating_add(1));
        if before.is_with_seller() {
            self.tally.held = self.tally.held.checked_sub(price).unwrap_or(Money::ZERO);
        }
        if next.is_with_seller() {
            self.tally.held = self.tally.held.checked_add(price).unwrap_or(self.tally.held);
        }
    }

    /// Notes what a sub-task has cost.
    pub(super) fn pay(&mut self, index: u32, paid: Money, fee: Money) {
        let Some(run) = self.run_mut(index) else { return };
        (run.paid, run.fee) = (paid, fee);
        let cost = Money(paid.0.saturating_add(fee.0));
        self.tally.spent = self.tally.spent.checked_add(cost).unwrap_or(self.tally.spent);
    }

    pub(super) const fn tally(&self) -> Tally {
        self.tally
    }

    /// Nothing more is bought.
    pub(super) fn drop_queue(&mut self) {
        self.queue.clear();
    }

    /// The next sub-task to buy for, if the gate is open and the window has room.
    pub(super) fn next_to_match(&mut self, now: Time) -> Option<u32> {
        if now < self.gate_opens || self.matching >= self.window {
            return None;
        }
        self.queue.pop_front()
    }

    pub(super) fn is_waiting_for_gate(&self) -> bool {
        !self.queue.is_empty()
    }

    pub(super) fn requeue(&mut self, index: u32) {
        self.queue.push_back(index);
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
        let is_like = |other: &u32| {
            let is_like = |plan: &SubTaskPlan| {
                plan.requirement == found_nobody.requirement && plan.bid <= found_nobody.bid
            };
            plan(*other).is_some_and(is_like)
        };
        let (taken, left): (Vec<u32>, Vec<u32>) = queue.iter().partition(|index| is_like(index));
        *queue = left.into();
        taken
    }

    /// Takes those out of the queue that need exactly this, whatever they bid.
    pub(super) fn take_waiting_for(&mut self, requirement: &Requirement) -> Vec<u32> {
        let Self { runs, queue, .. } = self;
        let run = |index: u32| usize::try_from(index).ok().and_then(|index| runs.get(index));
        let is_meant = |index: &u32| run(*index).is_some_and(|run| run.plan.requirement == *requirement);
        let (taken, left): (Vec<u32>, Vec<u32>) = queue.iter().partition(|index| is_meant(index));
        *queue = left.into();
        taken
    }

    /// The sub-tasks, in the order of the file.
    pub(super) fn runs(&self) -> impl Iterator<Item = &SubTaskRun> {
        self.runs.iter()
    }

    /// A sub-task has its seller and its money: more purchases may run at once.
    pub(super) fn widen(&mut self) {
        self.window = self.window.saturating_mul(2).min(LARGEST_WINDOW);
        self.look_again = FIRST_LOOK;
    }

    /// Nobody was found: one purchase at a time, and after a while.
    pub(super) fn close_gate(&mut self, now: Time) {
        self.window = 1;
        self.gate_opens = now.after(self.look_again);
        self.look_again = self.look_again.times(2).min(SLOWEST_LOOK);
    }

    pub(super) const fn open_gate(&mut self, now: Time) {
        if self.has_worked {
            (self.worked_until, self.has_worked) = (now, false);
        }
        self.gate_opens = now;
        self.look_again = FIRST_LOOK;
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
        self.tally.running == 0 && self.tally.waiting == 0
    }

    /// Whether the task has just ended.
    pub(super) const fn notice_end(&mut self) -> bool {
        let is_news = self.has_ended() && !self.is_told;
        self.is_told |= is_news;
        is_news
    }

    pub(super) fn status(&self) -> TaskStatus {
        TaskStatus {
            tally: self.tally,
            sub_tasks: self.runs.iter().map(SubTaskRun::status).collect(),
            has_ended: self.has_ended(),
        }
    }
}

impl Tally {
    /// Changes the count that a sub-task in `state` belongs to.
    fn count(&mut self, state: State, change: impl FnOnce(u32) -> u32) {
        let count = match state {
            State::Succeeded => &mut self.done,
            State::Failed | State::Cancelled => &mut self.failed,
            state if state == State::Holding || state.is_with_seller() => &mut self.running,
            _ => &mut self.waiting,
        };
        *count = change(*count);
    }
}

impl SubTaskRun {
    const fn new(plan: SubTaskPlan) -> Self {
        Self {
            plan,
            state: State::Waiting,
            attempts: 0,
            failures: 0,
            avoid: Vec::new(),
            attempt: None,
            fruitless_since: None,
            why: String::new(),
            fee: Money::ZERO,
            paid: Money::ZERO,
            end: None,
        }
    }

    pub(super) fn contract(&mut self) -> Option<ContractId> {
        self.attempt.as_ref().map(|attempt| attempt.contract)
    }

    /// Whether a paper is signed by the seller of the present attempt.
    pub(super) fn is_signed_by_seller<T: proto::signed::Paper>(&self, paper: &Signed<T>) -> bool {
        self.attempt.as_ref().is_some_and(|attempt| paper.is_genuine_by(attempt.seller().key))
    }

    fn take_end(&self, verdict: Verdict, elapsed: Span) -> End {
        let attempt = self.attempt.as_ref();
        let report = attempt.and_then(|attempt| attempt.report.as_ref()).map(|Signed { body, .. }| body);
        let here = report.filter(|_| attempt.is_some_and(|attempt| attempt.has_contents));
        End {
            sale: attempt.map(|attempt| Sale::of(&attempt.ticket.body)),
            attempts: self.attempts,
            cycles: report.map_or(Cycles(0), |report| report.cycles),
            paid: self.paid,
            fee: self.fee,
            elapsed,
            outputs: here.map_or_else(Vec::new, |report: &Report| report.outputs.clone()),
            stdout: here.and_then(|report| report.stdout),
            stderr: here.and_then(|report| report.stderr),
            verdict,
        }
    }

    fn status(&self) -> SubTaskStatus {
        let sale = self.attempt.as_ref().map(|attempt| Sale::of(&attempt.ticket.body));
        SubTaskStatus {
            name: self.plan.name.clone(),
            state: self.state,
            attempts: self.attempts,
            cycles: self.attempt.as_ref().map_or(Cycles(0), |attempt| attempt.cycles),
            sale: sale.or_else(|| self.end.as_ref().and_then(|end| end.sale.clone())),
            why: self.why.clone(),
            end: self.end.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dispatch::Submission;
    use proto::message::market::Requirement;
    use proto::message::service::{Blob, Job, Limits};
    use proto::{Bytes, Hash, Rate};

    fn task(count: usize) -> TaskRun {
        let limits = Limits {
            wall: Span::secs(60),
            memory: Bytes::mib(1),
            disk: Bytes::mib(1),
            output: Bytes::mib(1),
            cycles: Cycles(1),
        };
        let program = Blob { hash: Hash([1; 32]), size: Bytes(1) };
        let job = Job {
            program,
            arguments: vec![],
            environment: vec![],
            inputs: vec![],
            outputs: vec![],
            stdin: None,
            limits,
        };
        let plan = SubTaskPlan {
            name: "a".into(),
            requirement: Requirement::default(),
            bid: Rate(1),
            price: Money(10),
            work: None,
            job,
            retries: 3,
        };
        let task = proto::CommandId([7; 16]);
        TaskRun::new(
            Submission { task, plans: vec![plan; count], patience: Patience::For(Span::secs(1)) },
            Time(0),
        )
    }

    /// The path a sub-task takes, and the first step of it that the table does not allow.
    fn check(path: &[State], expected: Option<(State, State)>) {
        let mut run = task(1);
        path.iter().for_each(|state| run.become_state(0, *state));
        assert_eq!(run.illegal_transition(), expected, "{path:?}");
    }

    #[test]
    fn a_step_that_the_table_does_not_allow_is_remembered() {
        use State::{
            Failed, Fetching, Holding, Matching, Offered, Running, Settling, Staging, Succeeded, Waiting,
        };
        let paid = [Matching, Holding, Offered, Staging, Running, Fetching, Settling, Succeeded];
        check(&paid, None);
        check(&[Matching, Waiting, Matching, Failed], None);
        check(&[Matching, Offered], Some((Matching, Offered)));
        check(&[Failed, Waiting, Settling], Some((Failed, Waiting)));
        check(&[Matching, Holding, Offered, Staging, Succeeded], Some((Staging, Succeeded)));
    }

    #[test]
    fn those_that_ask_for_the_same_and_bid_no_more_are_taken_together() {
        let mut run = task(5);
        run.run_mut(1).unwrap().plan.bid = Rate(2);
        run.run_mut(3).unwrap().plan.requirement.cores = 4;
        assert_eq!(run.next_to_match(Time(0)), Some(0));
        assert_eq!(run.take_waiting_like(0), [2, 4]);
        assert_eq!((run.next_to_match(Time(0)), run.next_to_match(Time(0))), (Some(1), Some(3)));
    }

    #[test]
    fn the_tally_follows_the_states() {
        let mut run = task(3);
        for state in [State::Matching, State::Holding, State::Offered] {
            run.become_state(1, state);
        }
        run.become_state(2, State::Failed);
        let expected = Tally { failed: 1, running: 1, waiting: 1, held: Money(10), ..Tally::default() };
        assert_eq!(run.tally(), expected);
        for state in [State::Staging, State::Running, State::Fetching, State::Settling] {
            run.become_state(1, state);
        }
        run.pay(1, Money(6), Money(1));
        run.become_state(1, State::Succeeded);
        let expected = Tally { done: 1, failed: 1, waiting: 1, spent: Money(7), ..Tally::default() };
        assert_eq!((run.tally(), run.has_ended()), (expected, false));
    }
}
