//! How far a sub-task is, and how long it still takes.
//!
//! A program that writes a progress file is believed. Of any other, the cycles are held against the work that its file
//! states; one that has done more than that is not said to be ready. The time follows from what is left and from how fast the
//! program was so far, or at first from what a core of the seller executes.

use proto::{Cycles, Span};
use service::{State, SubTaskStatus};

/// What is shown of a program that does not tell and has done all the work that its file states.
const ALMOST: f64 = 0.99;
/// Millionths in a whole.
const MILLIONTHS: f64 = 1_000_000.0;

/// A program that has run for so long shows how fast it is.
const SHOWN_AFTER: Span = Span::secs(3);

/// An estimate, as far as there is something to make it of.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Estimate {
    /// From 0 to 1.
    pub(super) progress: Option<f64>,
    /// In seconds.
    pub(super) time_left: Option<f64>,
}

pub(super) fn of(status: &SubTaskStatus) -> Estimate {
    if !matches!(status.state, State::Running | State::Suspended) {
        return Estimate::default();
    }
    let cycles = mega(status.cycles);
    let work = status.work.map(mega).filter(|work| *work > 0.0);
    let told = status.done.map(|done| f64::from(done) / MILLIONTHS);
    let progress = told.or_else(|| work.map(|work| (cycles / work).min(ALMOST)));
    // Of what a program tells, its cycles so far say how many there will be.
    let whole = told.filter(|told| *told > 0.0).map(|told| cycles / told).or(work);
    let power = status.per_core.map(|power| mega(Cycles(power.0.saturating_mul(1_000_000))));
    // Both in Mc/s. A core that others use too is slower than it was calibrated.
    let shown = (status.ran >= SHOWN_AFTER).then(|| cycles / status.ran.as_secs_f64());
    let power = shown.filter(|shown| *shown > 0.0).or(power);
    let power = power.filter(|power| *power > 0.0 && status.state == State::Running);
    let time_left = whole.zip(power).map(|(whole, power)| (whole - cycles).max(0.0) / power);
    Estimate { progress, time_left }
}

/// Cycles in Mc.
fn mega(cycles: Cycles) -> f64 {
    Span::micros(cycles.0).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::Capacity;

    /// The estimate for a program that has run for two seconds at so many Mc, of so much work, that says that it is so far.
    #[track_caller]
    fn check(
        state: State,
        mega: u64,
        work: Option<u64>,
        done: Option<u32>,
        expected: (Option<f64>, Option<f64>),
    ) {
        check_after(Span::secs(2), state, mega, work, done, expected);
    }

    #[track_caller]
    fn check_after(
        ran: Span,
        state: State,
        mega: u64,
        work: Option<u64>,
        done: Option<u32>,
        expected: (Option<f64>, Option<f64>),
    ) {
        let status = SubTaskStatus {
            name: "a".into(),
            state,
            attempts: 1,
            cycles: Cycles(mega * 1_000_000),
            done,
            work: work.map(|work| Cycles(work * 1_000_000)),
            per_core: Some(Capacity(100)),
            ran,
            sale: None,
            why: String::new(),
            end: None,
            replicas: Vec::new(),
        };
        let estimate = of(&status);
        assert_eq!((estimate.progress, estimate.time_left), expected);
    }

    #[test]
    fn progress_is_what_the_program_says_or_what_its_cycles_come_to() {
        check(State::Running, 250, Some(1_000), None, (Some(0.25), Some(7.5)));
        check(State::Running, 250, Some(1_000), Some(500_000), (Some(0.5), Some(2.5)));
        check(State::Running, 250, None, Some(500_000), (Some(0.5), Some(2.5)));
        check(State::Running, 250, None, Some(0), (Some(0.0), None));
        check(State::Running, 250, None, None, (None, None));
        check(State::Running, 2_000, Some(1_000), None, (Some(0.99), Some(0.0)));
        check(State::Suspended, 250, Some(1_000), None, (Some(0.25), None));
        check(State::Waiting, 0, Some(1_000), None, (None, None));
    }

    #[test]
    fn a_program_that_has_run_for_a_while_shows_how_fast_it_is() {
        let (running, ten) = (State::Running, Span::secs(10));
        check_after(ten, running, 250, Some(1_000), None, (Some(0.25), Some(30.0)));
        check_after(ten, running, 250, Some(1_000), Some(500_000), (Some(0.5), Some(10.0)));
        check_after(ten, running, 0, Some(1_000), None, (Some(0.0), Some(10.0)));
        check_after(ten, State::Suspended, 250, Some(1_000), None, (Some(0.25), None));
    }
}
