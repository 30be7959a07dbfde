//! A share of the time: a program runs for part of each period and rests for the other.

use std::time::{Duration, Instant};

/// Run and rest together, about. Short enough that a fan or a user does not notice the change, long enough that the
/// switching costs nothing (HTCondor and BOINC throttle by whole seconds, cgroups by 100 ms).
const PERIOD: Duration = Duration::from_millis(100);

/// When a program has run long enough, and for how long it then rests. What it ran too long, because it is looked at
/// between two slices only, and what it rested too long are made up for.
#[derive(Debug, Default)]
pub(super) struct Duty {
    /// When it last began to run.
    runs_since: Option<Instant>,
    /// Rest that it was given beyond what it had to have; what a program comes too late to is not owed.
    ahead: Duration,
    total: Duration,
}

impl Duty {
    /// The rest that is due at `now` for a program that may run for `percent` (1 to 99) of the time.
    pub(super) fn rest(&mut self, percent: u32, now: Instant) -> Option<Duration> {
        let since = *self.runs_since.get_or_insert(now);
        let ran = now.saturating_duration_since(since);
        if ran < PERIOD * percent / 100 {
            return None;
        }
        let due = ran * 100_u32.saturating_sub(percent) / percent.max(1);
        let rest = due.saturating_sub(self.ahead);
        self.ahead = self.ahead.saturating_sub(due);
        self.runs_since = Some(now);
        (!rest.is_zero()).then_some(rest)
    }

    /// It has rested for `took` instead of `due`.
    pub(super) fn rested(&mut self, due: Duration, took: Duration) {
        self.ahead += took.saturating_sub(due);
        self.total += took;
        self.runs_since = self.runs_since.map(|since| since + took);
    }

    /// What was before does not count any more.
    pub(super) const fn forget(&mut self) {
        self.runs_since = None;
        self.ahead = Duration::ZERO;
    }

    /// All that it has rested.
    #[cfg(test)]
    pub(super) const fn total(&self) -> Duration {
        self.total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lets a program of slices of `slice` run for about `runs` under a share, with rests that take `late` longer;
    /// gives the share that came out, in thousandths.
    fn check(percent: u32, slice: Duration, late: Duration) -> u128 {
        let start = Instant::now();
        let (mut now, mut ran) = (start, Duration::ZERO);
        let mut duty = Duty::default();
        while ran < Duration::from_secs(60) {
            if let Some(rest) = duty.rest(percent, now) {
                now += rest + late;
                duty.rested(rest, rest + late);
            }
            now += slice;
            ran += slice;
        }
        ran.as_micros() * 1_000 / now.duration_since(start).as_micros()
    }

    #[test]
    fn a_share_is_kept_to_a_hundredth_whatever_the_slices_and_however_late_a_rest_ends() {
        for percent in [1, 10, 25, 50, 80, 99] {
            for slice in [Duration::from_micros(50), Duration::from_millis(7), Duration::from_millis(50)] {
                for late in [Duration::ZERO, Duration::from_micros(60), Duration::from_millis(3)] {
                    let share = check(percent, slice, late);
                    let wanted = u128::from(percent) * 10;
                    let shown = format!("{percent} % {slice:?} {late:?}: {share}");
                    assert!(share.abs_diff(wanted) <= 10, "{shown}");
                }
            }
        }
    }

    #[test]
    fn a_period_lasts_a_tenth_of_a_second() {
        let start = Instant::now();
        let mut duty = Duty::default();
        let at = |millis| start + Duration::from_millis(millis);
        let rests = [0, 10, 24, 25].map(|millis| duty.rest(25, at(millis)));
        assert_eq!(rests, [None, None, None, Some(Duration::from_millis(75))]);
    }
}
