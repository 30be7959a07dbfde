//! Whether money runs low: of a task's budget, or of the account since the task began (issue 5, item 6).

use super::{Dispatch, TaskRun};
use crate::effect::Effect;
use crate::event::{EventKind, Purse};
use proto::{ContractId, Money, Span, Time};
use std::collections::BTreeSet;

/// The user is told when less than this is left, in per cent of the whole.
const LOW_PERCENT: u128 = 20;
/// How long between two questions for the balance, at least.
const ASK_EVERY: Span = Span::secs(10);

/// What a task may cost, and of which of it the user has been told that it runs low.
#[derive(Clone, Debug, Default)]
pub(super) struct Purses {
    budget: Option<Money>,
    at_start: Option<Money>,
    told: BTreeSet<Purse>,
}

impl Purses {
    pub(super) const fn new(budget: Option<Money>) -> Self {
        Self { budget, at_start: None, told: BTreeSet::new() }
    }

    /// The warning that is due when so much was spent, if one is.
    fn spent(&mut self, spent: Money) -> Option<EventKind> {
        let of = self.budget?;
        let left = of.checked_sub(spent).unwrap_or(Money::ZERO);
        self.warn(Purse::Budget, left, of)
    }

    /// The warning that is due when so much is available, if one is. The first figure is what later ones are held
    /// against.
    fn available(&mut self, available: Money) -> Option<EventKind> {
        let of = *self.at_start.get_or_insert(available);
        self.warn(Purse::Account, available, of)
    }

    fn warn(&mut self, purse: Purse, left: Money, of: Money) -> Option<EventKind> {
        let is_low = u128::from(left.0) * 100 <= u128::from(of.0) * LOW_PERCENT && of > Money::ZERO;
        (is_low && self.told.insert(purse)).then_some(EventKind::BudgetLow { purse, left, of })
    }
}

impl Dispatch {
    /// The bank has told what is available.
    pub(crate) fn balance(&mut self, available: Money, now: Time) {
        let running = self.tasks.iter_mut().filter(|(_, task)| !task.has_ended());
        let warnings: Vec<_> = running
            .filter_map(|(id, task)| task.purses.available(available).map(|warning| (*id, warning)))
            .collect();
        for (task, warning) in warnings {
            self.tell(task, warning, now);
        }
    }

    /// A task has cost so much more.
    pub(super) fn spend(&mut self, task: ContractId, cost: Money, now: Time) {
        let Some(run) = self.tasks.get_mut(&task) else { return };
        run.spend(cost);
        self.look_at_purse(task, now);
    }

    /// Tells the user when a budget runs low, and asks how the account stands.
    pub(super) fn look_at_purse(&mut self, task: ContractId, now: Time) {
        let warning = self.tasks.get_mut(&task).and_then(|run: &mut TaskRun| {
            let spent = run.tally().spent;
            run.purses.spent(spent)
        });
        if let Some(warning) = warning {
            self.tell(task, warning, now);
        }
        self.ask_balance(now);
    }

    /// Asks for the balance, if the last answer may be old.
    pub(super) fn ask_balance(&mut self, now: Time) {
        if self.balance_asked.is_none_or(|asked| now.since(asked) >= ASK_EVERY) {
            self.balance_asked = Some(now);
            self.effects.push_back(Effect::AskBalance);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is told of the one and the other purse.
    fn check(budget: Option<u64>, spent: &[u64], available: &[u64], expected: &[(Purse, u64, u64)]) {
        let mut purses = Purses::new(budget.map(Money));
        let spent: Vec<_> = spent.iter().filter_map(|spent| purses.spent(Money(*spent))).collect();
        let left: Vec<_> = available.iter().filter_map(|left| purses.available(Money(*left))).collect();
        let expected = expected.iter().map(|(purse, left, of)| EventKind::BudgetLow {
            purse: *purse,
            left: Money(*left),
            of: Money(*of),
        });
        assert_eq!(spent.into_iter().chain(left).collect::<Vec<_>>(), expected.collect::<Vec<_>>());
    }

    #[test]
    fn the_user_is_told_once_when_a_fifth_is_left() {
        use Purse::{Account, Budget};
        check(Some(100), &[0, 79, 80, 90], &[], &[(Budget, 20, 100)]);
        check(Some(100), &[150], &[], &[(Budget, 0, 100)]);
        check(None, &[u64::MAX], &[], &[]);
        check(None, &[], &[1_000, 201, 200, 1, 900, 0], &[(Account, 200, 1_000)]);
        check(None, &[], &[0, 0], &[]);
        check(
            Some(u64::MAX),
            &[u64::MAX - 1],
            &[u64::MAX, 5],
            &[(Budget, 1, u64::MAX), (Account, 5, u64::MAX)],
        );
    }
}
