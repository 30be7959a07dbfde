//! The past as a forecast needs it: the last looks, the last minutes, and the quarter of an hour that runs.

use super::forecast::{PRESENT, Usual, expected, mean, quantile};
use super::habit::{Habit, Quarter};
use super::processor::Millicores;
use proto::{Span, Time};
use service::policy::Moment;
use std::collections::VecDeque;

/// Looks are put together to their mean over so long.
const STEP: Span = Span::secs(5);
/// Steps that are recent: five minutes.
const RECENT: usize = 60;
/// Steps of a quarter of an hour without which it teaches nothing: a third of it.
const LEAST_STEPS: usize = 60;
/// The most steps of a quarter that are kept; more only come when the clock on the wall stands still.
const MOST_STEPS: usize = 360;

/// What others used, and what they usually use.
#[derive(Clone, Debug)]
pub(super) struct Past {
    present: VecDeque<Millicores>,
    /// The looks of the step that runs, and when it began.
    step: Vec<Millicores>,
    began: Time,
    recent: VecDeque<Millicores>,
    quarter: Option<Quarter>,
    steps: Vec<Millicores>,
    habit: Habit,
}

impl Past {
    pub(super) fn new(habit: Habit) -> Self {
        Self {
            present: VecDeque::with_capacity(PRESENT),
            step: Vec::new(),
            began: Time(0),
            recent: VecDeque::with_capacity(RECENT),
            quarter: None,
            steps: Vec::new(),
            habit,
        }
    }

    pub(super) const fn habit(&self) -> &Habit {
        &self.habit
    }

    /// A look, and whether the habit has learned from it.
    pub(super) fn see(&mut self, others: Millicores, moment: &Moment) -> Learned {
        push(&mut self.present, others, PRESENT);
        if moment.now.since(self.began) >= STEP {
            self.end_step();
            self.began = moment.now;
        }
        self.step.push(others);
        let quarter = Quarter::of(moment);
        let passed = self.quarter.replace(quarter).filter(|passed| *passed != quarter);
        passed.map_or(Learned::Nothing, |passed| self.end_quarter(passed))
    }

    /// What others are expected to use at most until `horizon` from now; nothing before the first look.
    pub(super) fn expected(&self, moment: &Moment, horizon: Span) -> Option<Millicores> {
        let usual = Usual {
            now: self.habit.of(Quarter::of(moment)),
            coming: Quarter::coming(moment, horizon).filter_map(|quarter| self.habit.of(quarter)).max(),
        };
        let mut recent: Vec<_> = self.recent.iter().copied().collect();
        recent.extend(mean(&self.step));
        let present: Vec<_> = self.present.iter().copied().collect();
        expected(&present, &recent, usual)
    }

    fn end_step(&mut self) {
        if let Some(mean) = mean(&self.step) {
            push(&mut self.recent, mean, RECENT);
            if self.steps.len() < MOST_STEPS {
                self.steps.push(mean);
            }
        }
        self.step.clear();
    }

    fn end_quarter(&mut self, passed: Quarter) -> Learned {
        let steps = std::mem::take(&mut self.steps);
        match quantile(&steps).filter(|_| steps.len() >= LEAST_STEPS) {
            Some(seen) => {
                self.habit.learn(passed, seen);
                Learned::Something
            }
            None => Learned::Nothing,
        }
    }
}

/// Whether the habit has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Learned {
    Something,
    Nothing,
}

fn push(window: &mut VecDeque<Millicores>, sample: Millicores, most: usize) {
    if window.len() >= most {
        window.pop_front();
    }
    window.push_back(sample);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sensor::forecast::idle_cores;
    use service::policy::Weekday;

    /// Plays weeks second by second, as the node looks.
    struct Week {
        past: Past,
        second: u64,
        idle: u32,
    }

    impl Week {
        fn new() -> Self {
            Self { past: Past::new(Habit::default()), second: 0, idle: 0 }
        }

        fn moment(&self) -> Moment {
            let minute = self.second / 60;
            let day = usize::try_from(minute / 1_440 % 7).unwrap();
            let minute = u16::try_from(minute % 1_440).unwrap();
            Moment { now: Time(self.second * 1_000_000), weekday: Weekday::ALL[day], minute }
        }

        /// So many seconds with this load of four cores; the idle cores after the last of them.
        fn play(&mut self, seconds: u64, load: u64) -> u32 {
            for _ in 0..seconds {
                self.past.see(Millicores(load), &self.moment());
                let expected = self.past.expected(&self.moment(), Span::secs(20)).unwrap();
                self.idle = idle_cores(expected, 4, self.idle);
                self.second += 1;
            }
            self.idle
        }

        fn skip(&mut self, seconds: u64) {
            self.second += seconds;
        }
    }

    #[test]
    fn an_owner_is_felt_within_seconds_and_trusted_to_be_gone_after_minutes() {
        let mut week = Week::new();
        // Within the quarter 00:00–00:15 of Monday.
        for (seconds, load, idle) in [
            (1, 0, 4),
            (299, 0, 4),
            // Two cores: the mean of three looks is 0.67, 1.33 and 2.00 of them.
            (1, 2_000, 3),
            (1, 2_000, 3),
            (1, 2_000, 2),
            // Pauses.
            (3, 0, 4),
            // Four minutes of work are most of the last five minutes.
            (240, 4_000, 0),
            (1, 0, 0),
            (120, 0, 0),
            // One fifth of the last five minutes is left.
            (130, 0, 4),
        ] {
            let second = week.second;
            assert_eq!(week.play(seconds, load), idle, "{seconds} s of {load} from {second} s");
        }
    }

    #[test]
    fn the_habit_holds_cores_back_before_the_owner_comes() {
        let mut week = Week::new();
        // Two Mondays: busy from 09:00 to 10:00.
        for _ in 0..2 {
            week.skip(8 * 3_600);
            assert_eq!(week.play(3_600 - 61, 0), 4);
            week.play(61, 0);
            week.play(3_600, 3_000);
            week.play(900, 0);
            week.skip(7 * 86_400 - 10 * 3_600 - 900);
        }
        // The third: the owner is on holiday. Half a minute before nine the cores are held back, and no longer.
        week.skip(8 * 3_600 + 1_800);
        assert_eq!(week.play(1_800 - 61, 0), 4);
        assert_eq!(week.play(61, 0), 1, "08:59 is within a minute of nine");
        assert_eq!(week.play(10, 0), 4);
        assert_eq!(week.play(3_590, 0), 4, "no rise is usual at 09:15");
    }

    #[test]
    fn a_quarter_teaches_only_if_enough_of_it_was_seen() {
        let mut week = Week::new();
        week.skip(600);
        week.play(290, 1_000);
        week.skip(10);
        week.play(900, 2_000);
        week.play(10, 0);
        let habit = week.past.habit();
        let at = |minute| habit.of(Quarter::of(&Moment { now: Time(0), weekday: Weekday::Mon, minute }));
        assert_eq!((at(0), at(15), at(30)), (None, Some(Millicores(2_000)), None));
    }

    #[test]
    fn a_clock_that_stands_still_does_not_fill_the_memory() {
        let mut past = Past::new(Habit::default());
        for second in 0..10_000 {
            let moment = Moment { now: Time(second * 1_000_000), weekday: Weekday::Mon, minute: 0 };
            assert_eq!(past.see(Millicores(5), &moment), Learned::Nothing);
        }
        assert_eq!((past.present.len(), past.recent.len(), past.steps.len()), (PRESENT, RECENT, MOST_STEPS));
        assert!(past.step.len() <= 5);
    }
}
