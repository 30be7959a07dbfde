//! Whether the calibration still holds: what sub-tasks get done in a second of a core, against what it promises.
//!
//! Programs differ: one that waits for its memory gets less done than the kernel of the calibration, a tight loop
//! more. So a rate that is off is a doubt, not a measurement: it has the kernel measured again, which decides.

use proto::{Capacity, Cycles, Span, Time};
use std::collections::BTreeMap;

/// A rate raises doubts when it is off by more than this part of what was calibrated, in per cent. Programs of
/// integers and of floating point differ from the kernel by up to 40 % (`docs/measurements.md`).
pub(super) const OFF_PCT: u64 = 50;
/// Processor time after which a rate is judged: shorter ones are chance.
const JUDGED_AFTER: Span = Span::secs(5);
/// A rate has to be off for so long a time of processors, judgement by judgement, before it is doubted.
const OFF_FOR: Span = Span::secs(60);
/// The shortest pause between two measurements for a doubt. The programs that raised it may run for hours.
const PAUSE: Span = Span::secs(3_600);

/// Watches over the calibration.
#[derive(Debug, Default)]
pub(super) struct Drift {
    /// What each execution had done at the last look: cycles and processor time.
    before: BTreeMap<String, (Cycles, Span)>,
    cycles: Cycles,
    time: Span,
    off_for: Span,
    doubted: Option<Time>,
}

/// A rate that is not what was calibrated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Doubt {
    /// What sub-tasks get done by a core.
    pub(super) seen: Capacity,
}

impl Drift {
    /// What every execution has done by now, by its contract; a doubt if it has been off for long enough.
    pub(super) fn look(
        &mut self,
        done: BTreeMap<String, (Cycles, Span)>,
        calibrated: Capacity,
        now: Time,
    ) -> Option<Doubt> {
        for (contract, (cycles, time)) in &done {
            if let Some((cycles_before, time_before)) = self.before.get(contract) {
                let worked = cycles.0.saturating_sub(cycles_before.0);
                // A program that is still being compiled has used time and done nothing.
                if worked > 0 && cycles_before.0 > 0 {
                    self.cycles = Cycles(self.cycles.0.saturating_add(worked));
                    self.time = self.time.plus(Span(time.0.saturating_sub(time_before.0)));
                }
            }
        }
        self.before = done;
        if self.time < JUDGED_AFTER || calibrated == Capacity(0) {
            return None;
        }
        // Cycles in a microsecond are Mc/s.
        let seen = Capacity(self.cycles.0 / self.time.0);
        self.off_for = if is_off(seen, calibrated) { self.off_for.plus(self.time) } else { Span(0) };
        (self.cycles, self.time) = (Cycles(0), Span(0));
        let is_due = self.doubted.is_none_or(|doubted| now.since(doubted) >= PAUSE);
        if self.off_for < OFF_FOR || !is_due {
            return None;
        }
        self.doubted = Some(now);
        self.off_for = Span(0);
        Some(Doubt { seen })
    }
}

/// Whether one is less than the other by more than [`OFF_PCT`], or more than it in the same proportion.
fn is_off(seen: Capacity, calibrated: Capacity) -> bool {
    let [seen, calibrated] = [seen.0, calibrated.0].map(u128::from);
    let (less, more) = (seen.min(calibrated), seen.max(calibrated));
    less * 100 < more * u128::from(100 - OFF_PCT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_off_when_it_is_half_or_double() {
        for (seen, calibrated, expected) in [
            (1_000, 1_000, false),
            (500, 1_000, false),
            (499, 1_000, true),
            (2_000, 1_000, false),
            (2_001, 1_000, true),
            (0, 1, true),
            (u64::MAX, u64::MAX, false),
            (u64::MAX, 1, true),
        ] {
            assert_eq!(is_off(Capacity(seen), Capacity(calibrated)), expected, "{seen} of {calibrated}");
        }
    }

    /// Seconds of one execution at a rate each; the seconds at which doubts came.
    fn check(script: &[(u64, u64)], expected: &[u64]) {
        let mut drift = Drift::default();
        let (mut second, mut cycles, mut doubts) = (0, 1, Vec::new());
        for (seconds, rate) in script {
            for _ in 0..*seconds {
                second += 1;
                cycles += rate * 1_000_000;
                let done = [("c".to_owned(), (Cycles(cycles), Span::secs(second)))];
                let now = Time(0).after(Span::secs(second));
                if let Some(doubt) = drift.look(done.into(), Capacity(1_000), now) {
                    assert_eq!(doubt.seen, Capacity(*rate));
                    doubts.push(second);
                }
            }
        }
        assert_eq!(doubts, expected, "{script:?}");
    }

    #[test]
    fn a_rate_is_doubted_when_it_was_off_for_a_minute_and_once_an_hour() {
        for (script, expected) in [
            (&[(10_000, 1_000)][..], &[][..]),
            (&[(10_000, 600)], &[]),
            (&[(61, 400)], &[61]),
            // Judgements come every five seconds of work; the first second only begins to count.
            (&[(56, 400), (5, 1_000), (56, 400)], &[]),
            (&[(3_661, 400)], &[61, 3_661]),
            (&[(61, 2_500), (3_000, 2_500)], &[61]),
        ] {
            check(script, expected);
        }
    }

    #[test]
    fn compiling_and_ended_executions_say_nothing() {
        let mut drift = Drift::default();
        let mut now = Time(0);
        for second in 0..1_000 {
            now = now.after(Span::secs(1));
            // One compiles for ever; the others live for one look each.
            let done = [
                ("compiles".to_owned(), (Cycles(0), Span::secs(second))),
                (second.to_string(), (Cycles(second), Span::secs(1))),
            ];
            assert_eq!(drift.look(done.into(), Capacity(1_000), now), None);
        }
        assert_eq!((drift.time, drift.before.len()), (Span(0), 2));
        assert_eq!(drift.look(BTreeMap::new(), Capacity(0), now), None);
    }
}
