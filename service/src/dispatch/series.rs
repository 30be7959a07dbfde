//! Equal short sub-tasks share contracts: a seller that has been found is offered several of them, which it executes one
//! after the other.
//!
//! A contract costs its parties some twenty signatures and four syncs of a disk, whatever its work is, and between two of
//! them a seller waits; for a sub-task of a millisecond that is nearly everything. So the buyer watches how long the
//! sub-tasks of a task take, and gives a contract as many as take about [`TARGET`], up to [`MAX_REPEATS`] and one, and no
//! more than the seller's share of what has not ended, but the whole share where that is half as many again at most: what
//! is left is not worth a contract. Ticket, hold, offer, report, verdict and settlement are those of one contract; what the
//! sub-tasks may cost is set aside together, and what they have cost is divided by their cycles.
//!
//! When nothing waits any more and a seller becomes free, the contract that has the most left is recalled: its seller ends
//! the sub-task that it is at, and hands back those behind it, which are bought again by whoever is free (Blumofe and
//! Leiserson, "Scheduling multithreaded computations by work stealing", FOCS 1994, with the buyer in the thief's place).
//!
//! The sub-task for which the seller was found leads, the others follow: they are in its state until the contract ends. Those
//! that the report has a product of succeed with it, whatever made the seller stop there: a program that fails, the limit on
//! time, its owner, its machine. The next one may have been the reason: it goes back to the queue and is bought for itself.
//! Those behind it have not begun, and are as if they had never been offered. When the contract comes to nothing, any of them
//! may have been the reason, and all are bought for themselves.

use super::run::{SubTaskRun, TaskRun};
use super::{Dispatch, State};
use crate::effect::Effect;
use crate::event::{End, Sale, Verdict};
use proto::message::service::{Job, MAX_REPEATS, Product, Recall, Report, ServiceMessage};
use proto::{ContractId, Money, Span, Time};

/// How long the sub-tasks of one contract should take together: what is lost when its seller dies.
const TARGET: Span = Span::secs(2);
/// A contract has at most so many times as many sub-tasks as the last one: how long one took says little of others.
const GROWTH: usize = 16;
/// What is not recalled, since to buy it again would take as long.
const LEAST_RECALLED: Span = Span::millis(250);
/// What the names, arguments and variables of the followers may come to, in bytes: an offer is a message.
const MAX_WORDS: usize = 512 << 10;

/// How many sub-tasks a contract of one task takes at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Series {
    size: usize,
    /// How long one sub-task took the last time.
    each: Span,
    /// Sub-tasks that follow others.
    following: u32,
}

/// What a follower has come to.
pub(super) struct Share {
    pub(super) sale: Sale,
    pub(super) product: Product,
}

impl Series {
    pub(super) const fn new() -> Self {
        Self { size: 1, each: Span(0), following: 0 }
    }

    /// A contract for so many sub-tasks has taken so long, and has brought so many results.
    fn learn(&mut self, count: usize, took: Span, results: usize) {
        if results < count {
            self.size = 1;
            return;
        }
        self.each = Span(took.0 / u64::try_from(count).unwrap_or(u64::MAX).max(1));
        self.size = self.fitting(TARGET).min(count.saturating_mul(GROWTH)).clamp(1, MAX_REPEATS + 1);
    }

    /// How many a contract takes of a seller's share.
    fn portion(self, share: usize) -> usize {
        if share <= (self.size + self.size / 2).min(MAX_REPEATS + 1) { share } else { self.size }
    }

    /// Of so many sub-tasks that a seller has been at for so long, those that have not begun: of one that takes longer than
    /// it should, half are taken to have begun.
    fn unbegun(&self, count: usize, ran: Span) -> usize {
        let begun = self.fitting(ran);
        if begun < count { count - begun - 1 } else { count / 2 }
    }

    /// How many sub-tasks a seller ends in such a time.
    fn fitting(self, span: Span) -> usize {
        span.0.checked_div(self.each.0).and_then(|count| count.try_into().ok()).unwrap_or(usize::MAX)
    }
}

impl TaskRun {
    /// Takes sub-tasks out of the queue that `leader` is followed by.
    fn gather(&mut self, leader: u32, now: Time) {
        let is_shared = self.series.size > 1;
        let Some(first) = self.run_ref(leader).filter(|run| is_shared && run.may_share()) else { return };
        let most = self.series.portion(self.share(now)).saturating_sub(1);
        let mut words = 0_usize;
        let mut followers = Vec::new();
        for index in self.ahead() {
            let Some(run) = self.run_ref(index).filter(|run| run.may_share() && run.is_like(first)) else {
                continue;
            };
            words = words.saturating_add(run.plan.job.words());
            if followers.len() >= most || words > MAX_WORDS {
                break;
            }
            followers.push(index);
        }
        for index in &followers {
            self.dequeue(*index);
            self.become_state(*index, State::Matching);
        }
        self.series.following += u32::try_from(followers.len()).unwrap_or(0);
        if let Some(run) = self.run_mut(leader) {
            run.followers = followers;
        }
    }

    /// One seller's share of what has not ended, with the one that leads: of those that are at work, and of those that are
    /// expected. Rounded down: who has one too many ends later than all others by a whole sub-task, who has one too few is
    /// free for another.
    fn share(&self, now: Time) -> usize {
        let open = self.tally().running.saturating_sub(self.series.following).saturating_add(self.expected());
        let elsewhere: usize = self.runs().map(|run| self.remaining(run, now)).sum();
        let left = self.unbought().saturating_add(elsewhere);
        left.checked_div(usize::try_from(open.max(1)).unwrap_or(usize::MAX)).unwrap_or(0)
    }

    /// How many of a contract's sub-tasks have not ended.
    fn remaining(&self, leader: &SubTaskRun, now: Time) -> usize {
        let count = leader.followers.len() + 1;
        match leader.state {
            State::Holding | State::Offered | State::Staging if leader.attempt.is_some() => count,
            State::Running => leader.ran(now).map_or(0, |ran| self.series.unbegun(count, ran) + 1),
            _ => 0,
        }
    }

    /// How many of those that share the contract that `leader` leads have not begun.
    fn unbegun(&self, leader: &SubTaskRun, now: Time) -> usize {
        let is_running = leader.state == State::Running && !leader.followers.is_empty();
        let Some(ran) = leader.ran(now).filter(|_| is_running) else { return 0 };
        self.series.unbegun(leader.followers.len() + 1, ran)
    }

    /// The contract that has the most left that is worth being recalled: which, and how much.
    fn to_recall(&self, now: Time) -> Option<ContractId> {
        let most = self.runs().filter_map(|run| {
            let attempt = run.attempt.as_ref().filter(|attempt| !attempt.is_recalled)?;
            Some((self.unbegun(run, now), attempt.contract))
        });
        let (unbegun, contract) = most.max_by_key(|(unbegun, _)| *unbegun)?;
        let takes = self.series.each.times(u64::try_from(unbegun).unwrap_or(u64::MAX));
        (unbegun > 0 && takes >= LEAST_RECALLED).then_some(contract)
    }

    /// The job of a sub-task with those of its followers.
    pub(super) fn joint_job(&self, leader: u32) -> Option<Job> {
        let run = self.run_ref(leader)?;
        let mut job = run.plan.job.clone();
        let followers = run.followers.iter().filter_map(|index| self.run_ref(*index));
        job.repeats.extend(followers.map(|run| run.plan.job.to_repeat()));
        Some(job)
    }

    /// What is set aside for a sub-task and its followers.
    pub(super) fn joint_price(&self, leader: u32) -> Money {
        let Some(run) = self.run_ref(leader) else { return Money::ZERO };
        let followers = run.followers.iter().filter_map(|index| self.run_ref(*index));
        Money(followers.fold(run.plan.price.0, |sum, run| sum.saturating_add(run.plan.price.0)))
    }

    /// The seller has the offer: one attempt more for each follower.
    pub(super) fn count_attempt(&mut self, leader: u32) {
        let followers = self.run_ref(leader).map(|run| run.followers.clone()).unwrap_or_default();
        for run in [leader].into_iter().chain(followers) {
            if let Some(run) = self.run_mut(run) {
                run.attempts += 1;
                run.why.clear();
            }
        }
    }

    /// The contract of a sub-task has brought a result.
    pub(super) fn learn_series(&mut self, leader: u32, now: Time) {
        let Some(run) = self.run_ref(leader) else { return };
        let Some(attempt) = run.attempt.as_ref().filter(|attempt| !attempt.is_recalled) else { return };
        let results = attempt.report.as_ref().map_or(0, |report| report.body.more.len() + 1);
        let took = now.since(attempt.running_since.unwrap_or(attempt.offered_at));
        self.series.learn(run.followers.len() + 1, took, results);
    }

    /// The sub-tasks that a job of a former run of the node was for besides `leader`. Equal ones stand for each other.
    pub(super) fn recognise(&self, leader: u32, job: &Job) -> Option<Vec<u32>> {
        let first = self.run_ref(leader)?;
        let mut followers = Vec::new();
        for repeat in &job.repeats {
            let is_meant = |index: &u32| {
                let run =
                    self.run_ref(*index).filter(|run| run.state == State::Waiting && run.is_like(first));
                *index != leader
                    && !followers.contains(index)
                    && run.is_some_and(|run| run.head.is_none() && run.plan.job.to_repeat() == *repeat)
            };
            followers.push((0..self.sub_tasks()).find(is_meant)?);
        }
        Some(followers)
    }

    /// Puts a sub-task and those that share its contract where a journal says that they were. To share it is the first
    /// attempt at each of them.
    pub(super) fn restore_series(&mut self, leader: u32, followers: Vec<u32>, state: State) {
        followers.iter().chain([&leader]).for_each(|index| self.restore_state(*index, state));
        for index in &followers {
            if let Some(run) = self.run_mut(*index) {
                run.attempts = 1;
            }
        }
        self.series.following += u32::try_from(followers.len()).unwrap_or(0);
        if let Some(run) = self.run_mut(leader) {
            run.followers = followers;
        }
    }

    /// Sub-tasks that are with a seller, without those that follow others.
    pub(super) fn with_sellers(&self) -> usize {
        let followers: usize = self.runs().map(|run| run.followers.len()).sum();
        usize::try_from(self.tally().running).unwrap_or(usize::MAX).saturating_sub(followers)
    }

    /// Nobody follows `leader` any more: those that have not ended.
    fn let_go(&mut self, leader: u32) -> Vec<u32> {
        let followers =
            self.run_mut(leader).map(|run| std::mem::take(&mut run.followers)).unwrap_or_default();
        let count = u32::try_from(followers.len()).unwrap_or(u32::MAX);
        self.series.following = self.series.following.saturating_sub(count);
        followers
    }

    /// A follower goes back to the queue.
    fn send_back(&mut self, index: u32) {
        if self.run_ref(index).is_some_and(|run| !run.state.is_final()) {
            self.become_state(index, State::Waiting);
            self.requeue(index);
        }
    }

    /// Of what the contract of `leader` has cost, each follower is charged by its cycles.
    fn charge(&mut self, leader: u32, followers: &[u32], report: &Report) {
        let Some(paid) = self.run_ref(leader).map(|run| run.paid) else { return };
        for (index, product) in followers.iter().zip(&report.more) {
            let share = u128::from(paid.0) * u128::from(product.cycles.0);
            let share = share.checked_div(u128::from(report.cycles.0)).unwrap_or(0);
            let share = Money(u64::try_from(share).unwrap_or(0));
            let Some(rest) = self.run_ref(leader).and_then(|run| run.paid.checked_sub(share)) else { return };
            if self.run_ref(*index).is_none_or(|run| run.state.is_final()) {
                continue;
            }
            if let Some(run) = self.run_mut(leader) {
                run.paid = rest;
            }
            if let Some(run) = self.run_mut(*index) {
                run.paid = Money(run.paid.0.saturating_add(share.0));
            }
        }
    }
}

impl Share {
    /// The end of the follower `run`.
    pub(super) fn end(&self, run: &SubTaskRun, verdict: Verdict, elapsed: Span) -> End {
        let Product { cycles, outputs, stdout, stderr } = self.product.clone();
        End {
            sale: Some(self.sale.clone()),
            attempts: run.attempts,
            cycles,
            paid: run.paid,
            fee: run.fee,
            elapsed,
            outputs,
            stdout,
            stderr,
            replicas: Vec::new(),
            verdict,
        }
    }
}

impl Dispatch {
    /// A seller was found for a sub-task: it may get more of its kind.
    pub(super) fn gather(&mut self, task: ContractId, leader: u32, now: Time) {
        if let Some(run) = self.tasks.get_mut(&task) {
            run.gather(leader, now);
        }
    }

    /// A seller has become free: where nothing waits for one, it gets something of what another one has.
    pub(super) fn take_back(&mut self, task: ContractId, now: Time) {
        let idle = self.tasks.get(&task).filter(|run| run.series.following > 0 && !run.is_buying());
        let Some(contract) = idle.and_then(|run| run.to_recall(now)) else { return };
        let Some(attempt) = self.attempt(contract).and_then(|(.., run)| run.attempt.as_mut()) else { return };
        attempt.is_recalled = true;
        let (to, message) = (attempt.seller(), ServiceMessage::Recall(Recall { contract }));
        self.effects.push_back(Effect::Send { to, message });
    }

    /// The contract of a sub-task comes to nothing: those that follow it go back to the queue. Whether there were some.
    pub(super) fn disband(&mut self, task: ContractId, leader: u32) -> bool {
        let Some(run) = self.tasks.get_mut(&task) else { return false };
        let followers = run.let_go(leader);
        if followers.is_empty() {
            return false;
        }
        run.series.size = 1;
        followers.iter().for_each(|index| run.send_back(*index));
        true
    }

    /// The contract of a sub-task is paid: it has succeeded, and so have its followers that the report has a product of.
    pub(super) fn end_series(&mut self, task: ContractId, leader: u32, report: &Report, now: Time) {
        let Some(run) = self.tasks.get_mut(&task) else { return };
        let followers = run.let_go(leader);
        let sale = run.run_ref(leader).and_then(SubTaskRun::sale);
        run.charge(leader, &followers, report);
        let mut ended = vec![leader];
        let mut products = report.more.iter().cloned();
        let attempt = run.run_ref(leader).and_then(|run| run.attempt.as_ref());
        let mut is_unbegun = attempt.is_some_and(|attempt| attempt.is_recalled);
        for index in followers {
            let product = products.next().zip(sale.clone());
            let Some(follower) = run.run_mut(index).filter(|run| !run.state.is_final()) else { continue };
            if let Some((product, sale)) = product {
                follower.share = Some(Box::new(Share { sale, product }));
                ended.push(index);
                continue;
            }
            follower.attempts = follower.attempts.saturating_sub(u32::from(is_unbegun));
            is_unbegun = true;
            run.send_back(index);
        }
        if ended.len() > 1 {
            self.end_together(task, &ended, State::Succeeded, &Verdict::Succeeded, now);
        } else {
            self.end(task, leader, Verdict::Succeeded, now);
        }
    }
}

impl SubTaskRun {
    /// Whether it may be bought together with others: it has not failed, nothing is to be known of it before its end, and
    /// it goes to one seller.
    fn may_share(&self) -> bool {
        let job = &self.plan.job;
        let is_plain = job.checkpoint.is_none() && job.resume.is_none() && job.progress.is_none();
        let is_fresh = self.attempts == 0 && self.shun.is_empty() && self.avoid.is_empty();
        is_plain && is_fresh && self.head.is_none() && !self.plan.is_voted() && self.plan.deadline.is_none()
    }

    /// Whether it is another run of the same program under the same terms.
    fn is_like(&self, other: &Self) -> bool {
        let (mine, theirs) = (&self.plan, &other.plan);
        let is_same_order =
            (mine.bid, mine.price) == (theirs.bid, theirs.price) && mine.requirement == theirs.requirement;
        let (mine, theirs) = (&mine.job, &theirs.job);
        let is_same_program =
            (mine.program, mine.runtime, mine.success) == (theirs.program, theirs.runtime, theirs.success);
        is_same_order && is_same_program && mine.limits == theirs.limits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contract_gets_as_many_sub_tasks_as_take_two_seconds() {
        let check = |size: usize, (count, took, results): (usize, u64, usize), expected: usize| {
            let mut series = Series { size, ..Series::new() };
            series.learn(count, Span::millis(took), results);
            assert_eq!(series.size, expected, "{size} {count} {took} {results}");
        };
        check(1, (1, 20, 1), 16);
        check(1, (1, 0, 1), 16);
        check(1, (1, 250, 1), 8);
        check(8, (8, 2_000, 8), 8);
        check(8, (8, 200, 8), 80);
        check(80, (80, 200, 80), 128);
        check(16, (2, 20, 2), 32);
        check(8, (8, 4_000, 8), 4);
        check(8, (8, 16_001, 8), 1);
        check(1, (1, 1_001, 1), 1);
        check(1, (1, 5_000, 1), 1);
        check(8, (4, 20, 3), 1);
    }

    #[test]
    fn a_contract_takes_the_whole_share_where_little_would_be_left_of_it() {
        let check = |size: usize, share: usize, expected: usize| {
            assert_eq!(Series { size, ..Series::new() }.portion(share), expected, "{size} {share}");
        };
        check(16, 0, 0);
        check(16, 15, 15);
        check(16, 24, 24);
        check(16, 25, 16);
        check(2, 3, 3);
        check(1, 2, 1);
        check(100, 128, 128);
        check(100, 129, 100);
    }

    #[test]
    fn what_has_not_begun_is_told_by_the_clock() {
        let check = |each: u64, count: usize, ran: u64, expected: usize| {
            let series = Series { each: Span::millis(each), ..Series::new() };
            assert_eq!(series.unbegun(count, Span::millis(ran)), expected, "{each} {count} {ran}");
        };
        check(100, 8, 0, 7);
        check(100, 8, 99, 7);
        check(100, 8, 100, 6);
        check(100, 8, 799, 0);
        // A slow seller, of which nothing is known.
        check(100, 8, 800, 4);
        check(100, 1, 500, 0);
        check(0, 8, 5, 4);
    }
}
