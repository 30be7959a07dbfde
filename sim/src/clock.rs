//! The clocks of the nodes: what each is told of the time. The world's own time is the bank's, and what invariants
//! compare.

use crate::dice::Dice;
use proto::{Span, Time};

/// A rate of so many parts is right.
const PARTS: i64 = 1_000_000;

/// How far clocks are from the world's. What each is like follows from the seed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Clocks {
    /// All run too fast or too slow, by up to so many millionths; below a million.
    pub drift_ppm: u32,
    /// So many in a thousand are set wrong from the start.
    pub wrong: u32,
    /// By up to so much, in either direction.
    pub apart: Span,
}

/// The clock of one node. It never goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Clock {
    begins: Time,
    /// What it says when the world begins.
    says: i64,
    /// So many of its microseconds pass in a second.
    rate: i64,
}

impl Clocks {
    /// All are right.
    pub const RIGHT: Self = Self { drift_ppm: 0, wrong: 0, apart: Span(0) };

    /// When a world with such clocks begins, so that none of them says less than nothing.
    pub(crate) const fn begin(self) -> Time {
        Time(self.apart.0)
    }

    /// The clock of a node.
    pub(crate) fn of(self, node: u64, seed: u64) -> Clock {
        let mut dice = Dice::new(seed, "clock", node);
        let mut either_way = |most: u64| signed(dice.between(0, 2 * most)) - signed(most);
        let (drift, apart) = (either_way(self.drift_ppm.into()), either_way(self.apart.0));
        let apart = if dice.is_hit(self.wrong) { apart } else { 0 };
        let begins = self.begin();
        Clock { begins, says: signed(begins.0) + apart, rate: (PARTS + drift).max(1) }
    }
}

impl Clock {
    /// What it says at a moment of the world.
    pub(crate) fn at(&self, moment: Time) -> Time {
        let passed = i128::from(moment.since(self.begins).0) * i128::from(self.rate) / i128::from(PARTS);
        time(i128::from(self.says) + passed)
    }

    /// The first moment of the world at which it says `time` or more.
    pub(crate) fn when(&self, told: Time) -> Time {
        let ahead = (i128::from(told.0) - i128::from(self.says)).max(0) * i128::from(PARTS);
        let rate = i128::from(self.rate);
        time(i128::from(self.begins.0) + (ahead + rate - 1) / rate)
    }

    /// The moment of the world by which `span` has passed for it, from `moment` on.
    pub(crate) fn after(&self, moment: Time, span: Span) -> Time {
        self.when(self.at(moment).after(span))
    }
}

fn signed(micros: u64) -> i64 {
    i64::try_from(micros).unwrap_or(i64::MAX / 4)
}

fn time(micros: i128) -> Time {
    Time(u64::try_from(micros.max(0)).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Span = Span::secs(3_600);

    #[test]
    fn a_clock_says_what_its_rate_and_its_start_make_of_the_time() {
        let begins = Time(HOUR.0);
        for (says, rate, moment, expected) in [
            (HOUR.0, PARTS, begins, HOUR.0),
            (HOUR.0, PARTS, begins.after(HOUR), 2 * HOUR.0),
            (0, PARTS, begins.after(HOUR), HOUR.0),
            (0, PARTS + 300, begins.after(HOUR), HOUR.0 + 1_080_000),
            (7, PARTS - 300, begins.after(HOUR), 7 + HOUR.0 - 1_080_000),
            (7, PARTS, Time(0), 7),
        ] {
            let clock = Clock { begins, says: signed(says), rate };
            assert_eq!(clock.at(moment), Time(expected), "{says} {rate}");
        }
    }

    /// It is woken at the first moment at which its clock says what it has waited for: not before, or it would have to be
    /// woken again and again.
    #[test]
    fn the_moment_at_which_a_clock_says_something_is_the_first() {
        for node in 0..500 {
            let clock = Clocks { drift_ppm: 400, wrong: 500, apart: HOUR }.of(node, 1);
            for told in [HOUR.0 * 2, HOUR.0 * 2 + 1, HOUR.0 * 3 + 333_333].map(Time) {
                let when = clock.when(told);
                assert!(clock.at(when) >= told && clock.at(Time(when.0 - 1)) < told, "{clock:?} {told:?}");
            }
        }
    }

    #[test]
    fn clocks_are_apart_and_drift_as_far_as_is_said_and_no_farther() {
        let begins = Time(HOUR.0);
        let clocks: Vec<Clock> =
            (0..2_000).map(|node| Clocks { drift_ppm: 300, wrong: 250, apart: HOUR }.of(node, 1)).collect();
        let wrong = clocks.iter().filter(|clock| clock.at(begins) != begins).count();
        // 500 ± 19, one standard deviation.
        assert!((420..580).contains(&wrong), "{wrong}");
        let (least, most) =
            (clocks.iter().map(|clock| clock.says).min(), clocks.iter().map(|clock| clock.says).max());
        assert!(least.is_some_and(|says| (0..60_000_000).contains(&says)), "{least:?}");
        let last = i64::try_from(2 * HOUR.0).unwrap();
        assert!(most.is_some_and(|says| (last - 60_000_000..=last).contains(&says)), "{most:?}");
        let rates = clocks.iter().map(|clock| clock.rate - PARTS);
        assert_eq!((rates.clone().min(), rates.max()), (Some(-300), Some(300)));
    }

    #[test]
    fn clocks_that_are_right_say_the_time() {
        let clock = Clocks::RIGHT.of(3, 1);
        assert_eq!((clock.at(Time(12_345)), clock.when(Time(12_345))), (Time(12_345), Time(12_345)));
    }
}
