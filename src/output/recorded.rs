//! What a run that is kept as a file came to.

use serde::Serialize;
use sim::recording::Recording;
use std::fmt::Write as _;

/// A recorded run.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Recorded {
    scenario: String,
    seed: u64,
    /// The faults that happen in it, by their places in the scenario's list.
    faults: Vec<usize>,
    sub_tasks: usize,
    /// The invariant that does not hold.
    broken: Option<String>,
    events: u64,
    virtual_seconds: f64,
    /// BLAKE3 over all events.
    hash: String,
    /// What does not hold, and the last events.
    violation: Option<String>,
}

impl Recorded {
    pub(crate) fn of(recording: &Recording, violation: Option<String>) -> Self {
        let Recording { scenario, seed, faults, sub_tasks, end } = recording.clone();
        Self {
            scenario,
            seed,
            faults,
            sub_tasks,
            broken: end.broken,
            events: end.events,
            virtual_seconds: end.time.since(proto::Time(0)).as_secs_f64(),
            hash: end.hash.to_hex(),
            violation,
        }
    }

    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        let mut line = |name: &str, value: String| {
            let _ = writeln!(text, "{name:<12} {value}");
        };
        line("scenario", format!("{}, seed {}", self.scenario, self.seed));
        line("faults", format!("{:?}", self.faults));
        line("sub-tasks", self.sub_tasks.to_string());
        line("events", format!("{}, {:.6} s", self.events, self.virtual_seconds));
        line("hash", self.hash.clone());
        let broken = self.broken.as_ref();
        line(
            "invariants",
            broken.map_or_else(|| "all held".into(), |name| format!("`{name}` does not hold")),
        );
        if let Some(violation) = &self.violation {
            let _ = write!(text, "{violation}");
        }
        text
    }
}
