//! What is said when something does not hold.

use crate::invariant::Breach;
use crate::trace::Trace;
use proto::Time;
use std::fmt;

/// An invariant that does not hold, or a promise that was not kept, with what led to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The seed of the run.
    pub seed: u64,
    /// When.
    pub time: Time,
    /// After how many events.
    pub event: u64,
    /// The name of the invariant.
    pub invariant: &'static str,
    /// What does not hold.
    pub what: String,
    /// The last events, the oldest first.
    pub last: Vec<String>,
}

impl Violation {
    pub(crate) fn new(seed: u64, time: Time, breach: Breach, trace: &Trace) -> Self {
        let Breach { invariant, what } = breach;
        Self { seed, time, event: trace.count(), invariant, what, last: trace.last() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.time.since(Time(0)).as_secs_f64();
        writeln!(
            out,
            "{}: {} (seed {}, {seconds:.6} s, event {})",
            self.invariant, self.what, self.seed, self.event
        )?;
        writeln!(out, "the last events:")?;
        self.last.iter().try_for_each(|line| writeln!(out, "  {line}"))
    }
}

impl std::error::Error for Violation {}
