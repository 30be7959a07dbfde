//! What a run that is kept as a file came to.

use serde::Serialize;
use sim::recording::{Recording, Subject};
use std::fmt::Write as _;

/// A recorded run.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Recorded {
    #[serde(skip_serializing_if = "Option::is_none")]
    scenario: Option<String>,
    /// The values of a setting that are not the defaults, without what is left out of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    setting: Option<String>,
    seed: u64,
    /// The faults that happen in it, by their places in the list of the scenario or the setting.
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
        let Recording { subject: _, seed, faults, sub_tasks, end } = recording.clone();
        let (scenario, setting) = match recording.reduced() {
            Subject::Scenario(name) => (Some(name), None),
            subject @ Subject::Nodes(_) => (None, Some(subject.to_string())),
        };
        Self {
            scenario,
            setting,
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
        self.scenario.iter().for_each(|name| line("scenario", name.clone()));
        self.setting.iter().for_each(|setting| line("setting", setting.clone()));
        line("seed", self.seed.to_string());
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
