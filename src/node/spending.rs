//! How fast the account's money goes: what was paid lately, and what the work under way has come to.

use proto::Money;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How far back payments count.
const LATELY: Duration = Duration::from_secs(3_600);
/// The shortest time that a rate is told of: what was paid in the first moment says nothing.
const LEAST: Duration = Duration::from_secs(1);

/// The payments of the last hour.
#[derive(Debug, Default)]
pub(crate) struct Spending {
    paid: VecDeque<(Instant, Money)>,
}

/// How fast money goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pace {
    /// So much in an hour.
    pub(crate) per_hour: Money,
}

impl Spending {
    /// Something was paid.
    pub(crate) fn note(&mut self, at: Instant, amount: Money) {
        while self.paid.front().is_some_and(|(then, _)| at.saturating_duration_since(*then) > LATELY) {
            self.paid.pop_front();
        }
        if amount > Money::ZERO {
            self.paid.push_back((at, amount));
        }
    }

    /// What is spent in an hour when it goes on as it did in the last one, or since `began` if that is later: what was
    /// paid then, and what the sub-tasks at work have come to (`accrued`). `None` when nothing was.
    pub(crate) fn pace(&self, now: Instant, began: Instant, accrued: Money) -> Option<Pace> {
        let window = now.saturating_duration_since(began).clamp(LEAST, LATELY);
        let is_in = |at: &Instant| now.saturating_duration_since(*at) <= window;
        let paid = self.paid.iter().filter(|(at, _)| is_in(at)).map(|(_, amount)| u128::from(amount.0));
        let spent = paid.sum::<u128>() + u128::from(accrued.0);
        let per_hour = spent.saturating_mul(LATELY.as_millis()) / window.as_millis().max(1);
        let per_hour = Money(u64::try_from(per_hour).unwrap_or(u64::MAX));
        (per_hour > Money::ZERO).then_some(Pace { per_hour })
    }
}

impl Pace {
    /// How many seconds `money` lasts.
    pub(crate) fn lasts(self, money: Money) -> f64 {
        let millis = u128::from(money.0) * LATELY.as_millis() / u128::from(self.per_hour.0.max(1));
        Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX)).as_secs_f64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CREDIT: u64 = 1_000_000;

    /// With payments of so many credits so many seconds ago, a task that began so many seconds ago, and so many credits
    /// at work, this is spent in an hour, and 100 credits last so many seconds.
    #[track_caller]
    fn check(paid: &[(u64, u64)], began: u64, accrued: u64, expected: Option<(u64, f64)>) {
        let start = Instant::now();
        let now = start + Duration::from_secs(100_000);
        let ago = |seconds: u64| now.checked_sub(Duration::from_secs(seconds)).unwrap();
        let mut spending = Spending::default();
        paid.iter().for_each(|(seconds, credits)| spending.note(ago(*seconds), Money::credits(*credits)));
        let pace = spending.pace(now, ago(began), Money::credits(accrued));
        let told = pace.map(|pace| (pace.per_hour.0 / CREDIT, pace.lasts(Money::credits(100))));
        assert_eq!(told, expected);
    }

    #[test]
    fn what_was_paid_since_the_task_began_gives_the_rate() {
        check(&[], 60, 0, None);
        check(&[(30, 1)], 60, 0, Some((60, 6_000.0)));
        check(&[(90, 7), (30, 1)], 60, 0, Some((60, 6_000.0)));
        check(&[(30, 1)], 60, 1, Some((120, 3_000.0)));
        check(&[], 60, 2, Some((120, 3_000.0)));
    }

    #[test]
    fn only_the_last_hour_counts() {
        check(&[(4_000, 9), (1_800, 10)], 7_200, 0, Some((10, 36_000.0)));
        check(&[(4_000, 9)], 7_200, 0, None);
        check(&[(0, 1)], 0, 0, Some((3_600, 100.0)));
    }
}
