//! Copies of sub-tasks that run far longer than they should: of both the first result wins, and the other is cancelled.
//! (MapReduce's backup tasks: Dean and Ghemawat, OSDI 2004, §3.6.)
//!
//! **The rule.** A copy is looked at when a sub-task has run for twice the time that it should take, and nothing else of the
//! task waits for a seller. How long it *should take* is its `Work` at the power that it asks for, and where it states no
//! work the median of its peers: the last of the task that have ended and ask for the same, three or more. How long it
//! will *still take* follows from the cycles that its seller reports; where they tell nothing, it is as long as it has
//! run already. The user has set a price `P` on work of length `T`, so a second is worth `P / T` to them. A copy that
//! costs `C` at most is bought if it saves more than that: `(still − T) · P / T > C`. With `C = P` that is: if the
//! sub-task still takes more than twice as long as a copy would.
//!
//! Only one of both is paid. A task has at most one copy for each ten of its sub-tasks at a time, or one.

use super::run::{SubTaskRun, TaskRun};
use super::{Dispatch, State, Timer};
use proto::{ContractId, Cycles, Money, Span, Time};

/// What runs for a shorter time than this is not looked at.
const LEAST: Span = Span::secs(10);
/// How many peers have to have ended before their median counts.
const PEERS: usize = 3;
/// Of so many sub-tasks one may have a copy.
const ONE_OF: u32 = 10;
/// Peers that are remembered.
pub(super) const MAX_PEERS: usize = 64;

/// Whether a copy is worth its price: see the rule.
fn is_worth(still: Span, takes: Span, price: Money, copy: Money) -> bool {
    let saved = u128::from(still.0.saturating_sub(takes.0));
    saved * u128::from(price.0) > u128::from(copy.0) * u128::from(takes.0)
}

/// How long a sub-task of `work` will still take that has executed `cycles` in `ran`.
fn still_takes(work: Option<Cycles>, cycles: Cycles, ran: Span) -> Span {
    let left = work.map(|work| work.0.saturating_sub(cycles.0)).filter(|left| *left > 0 && cycles.0 > 0);
    let span = left.and_then(|left| (u128::from(left) * u128::from(ran.0)).checked_div(u128::from(cycles.0)));
    span.map_or(ran, |span| Span(u64::try_from(span).unwrap_or(u64::MAX)))
}

impl TaskRun {
    /// How long a sub-task should take, if that is known.
    fn takes(&self, index: u32) -> Option<Span> {
        let plan = &self.run_ref(index)?.plan;
        if let Some(work) = plan.work {
            return plan.requirement.power.span_for(work);
        }
        let is_peer =
            |other: u32| self.run_ref(other).is_some_and(|other| other.plan.requirement == plan.requirement);
        let mut peers: Vec<Span> =
            self.ran.iter().filter(|(other, _)| is_peer(*other)).map(|(_, span)| *span).collect();
        peers.sort_unstable();
        peers.get(peers.len() / 2).copied().filter(|_| peers.len() >= PEERS)
    }

    /// Notes how long a sub-task has run that has ended well.
    pub(super) fn note_ran(&mut self, index: u32, span: Span) {
        if self.ran.len() >= MAX_PEERS {
            self.ran.pop_front();
        }
        self.ran.push_back((index, span));
    }

    /// Whether one more copy may be bought now.
    fn may_copy(&self) -> bool {
        let most = (self.sub_tasks() / ONE_OF).max(1);
        self.copies() < most && !self.is_waiting_for_gate()
    }
}

impl Dispatch {
    /// A sub-task runs: when it has run for too long it is looked at.
    pub(super) fn watch_straggler(&mut self, contract: ContractId, now: Time) {
        let Some((task, index, run)) = self.attempt(contract) else { return };
        if run.head.is_some() {
            return;
        }
        let takes = self.tasks.get(&task).and_then(|run| run.takes(index));
        // Its peers may tell later.
        let at = takes.map_or(LEAST, |takes| takes.times(2).max(LEAST));
        self.watch(now.after(at), Timer::Straggler(contract));
    }

    /// A sub-task has run for long: a copy is bought if that is worth its price.
    pub(super) fn look_at_straggler(&mut self, contract: ContractId, now: Time) {
        let Some((task, index, run)) = self.attempt(contract) else { return };
        if run.head.is_some()
            || !run.followers.is_empty()
            || !matches!(run.state, State::Running | State::Suspended)
        {
            return;
        }
        let (is_running, work, price) = (run.state == State::Running, run.plan.work, run.plan.price);
        let Some(attempt) = run.attempt.as_ref() else { return };
        let Some(since) = attempt.running_since else { return };
        let (ran, cycles) = (now.since(since), attempt.cycles);
        let Some(run) = self.tasks.get_mut(&task) else { return };
        let takes = run.takes(index);
        let still = still_takes(work, cycles, ran);
        let worth = takes.filter(|takes| ran >= takes.times(2) && is_worth(still, *takes, price, price));
        match worth.filter(|_| is_running && run.may_copy()) {
            Some(takes) => {
                let why = format!("it has run for {ran}, and a copy that takes {takes} was bought");
                if let Some(copied) = run.copy(index, why) {
                    self.contracts.insert(contract, (task, copied));
                    self.note_cast(task, copied);
                    self.place(task, now);
                }
            }
            None => {
                let again = takes.unwrap_or(LEAST).max(LEAST);
                self.watch(now.after(again), Timer::Straggler(contract));
            }
        }
    }
}

impl SubTaskRun {
    /// How long the present attempt has run.
    pub(super) fn ran(&self, now: Time) -> Option<Span> {
        Some(now.since(self.attempt.as_ref()?.running_since?))
    }

    /// How long the present attempt has run, for each sub-task that is under its contract.
    pub(super) fn has_run(&self, now: Time) -> Option<Span> {
        let ran = self.ran(now)?;
        let count = u64::try_from(self.followers.len()).unwrap_or(u64::MAX).saturating_add(1);
        Some(Span(ran.0 / count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_bought_when_it_saves_more_than_it_costs() {
        let check = |still: u64, takes: u64, price: u64, copy: u64, expected: bool| {
            let worth = is_worth(Span::secs(still), Span::secs(takes), Money(price), Money(copy));
            assert_eq!(worth, expected, "{still} {takes} {price} {copy}");
        };
        // With the same price: when it still takes more than twice as long.
        check(20, 10, 100, 100, false);
        check(21, 10, 100, 100, true);
        // A copy for half the price pays off earlier, and one for three times later.
        check(15, 10, 100, 50, false);
        check(16, 10, 100, 50, true);
        check(40, 10, 100, 300, false);
        check(41, 10, 100, 300, true);
        check(5, 10, 100, 0, false);
        check(u64::MAX / 1_000_000, 1, u64::MAX, u64::MAX, true);
    }

    #[test]
    fn what_is_left_follows_from_the_cycles_or_is_as_long_as_it_was() {
        let check = |work: Option<u64>, cycles: u64, ran: u64, expected: u64| {
            let still = still_takes(work.map(Cycles), Cycles(cycles), Span::secs(ran));
            assert_eq!(still, Span::secs(expected), "{work:?} {cycles}");
        };
        check(Some(100), 50, 10, 10);
        check(Some(100), 10, 10, 90);
        check(Some(100), 99, 99, 1);
        // It has stated less than it does, or nothing, or its seller says nothing.
        check(Some(100), 100, 10, 10);
        check(Some(100), 300, 10, 10);
        check(None, 50, 10, 10);
        check(Some(100), 0, 10, 10);
    }
}
