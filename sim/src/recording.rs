//! Runs of scenarios as files: what is needed to run one again, and the hash that it has to come to.
//!
//! A run follows from its scenario, its seed and its faults, so a file holds these and not the events: it is a few
//! hundred bytes for any run. It names the version of the program, because another one may run the same otherwise.

mod shrink;
mod text;

pub use shrink::Shrunk;
pub use text::{MAX_FILE, ReadError};

use crate::mutant::{Honest, Mutant};
use crate::report::Report;
use crate::scenario::Scenario;
use crate::violation::Violation;
use crate::world::World;
use proto::{Hash, Time};

/// The version of the program, which a recording names.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A run, and what it came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recording {
    /// The name of the scenario.
    pub scenario: String,
    /// The seed.
    pub seed: u64,
    /// Which of the scenario's faults happen, by their places in its list, ascending.
    pub faults: Vec<usize>,
    /// How many sub-tasks there are; the scenario's own number, or fewer.
    pub sub_tasks: usize,
    /// What it came to.
    pub end: Ending,
}

/// What a run came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// The invariant that did not hold, if one did not: the run ends there.
    pub broken: Option<String>,
    /// How many events there were.
    pub events: u64,
    /// The virtual time at the end.
    pub time: Time,
    /// The hash over all events.
    pub hash: Hash,
}

impl Ending {
    fn of(outcome: &Result<Report, Violation>, hash: Hash) -> Self {
        match outcome {
            Ok(report) => {
                Self { broken: None, events: report.events, time: Time(0).after(report.lasted), hash }
            }
            Err(violation) => Self {
                broken: Some(violation.invariant.into()),
                events: violation.event,
                time: violation.time,
                hash,
            },
        }
    }
}

impl Recording {
    /// Runs a scenario with all of its faults and records it.
    pub fn of(scenario: &Scenario, seed: u64) -> (Self, Result<Report, Violation>) {
        Self::of_with(scenario, seed, &mut Honest)
    }

    /// The same with a known bug.
    pub fn of_with(
        scenario: &Scenario,
        seed: u64,
        mutant: &mut dyn Mutant,
    ) -> (Self, Result<Report, Violation>) {
        let (outcome, hash) = World::new(scenario, seed, mutant).run_traced();
        let recording = Self {
            scenario: scenario.name.into(),
            seed,
            faults: (0..scenario.faults.len()).collect(),
            sub_tasks: scenario.sub_tasks,
            end: Ending::of(&outcome, hash),
        };
        (recording, outcome)
    }

    /// Runs it again. It is the same run if the [`Ending`] is the same.
    ///
    /// # Errors
    /// The scenario does not ship, or has not so many faults or sub-tasks.
    pub fn replay(&self) -> Result<(Ending, Result<Report, Violation>), ReadError> {
        self.replay_with(&mut Honest)
    }

    /// The same with a known bug.
    ///
    /// # Errors
    /// As [`Self::replay`].
    pub fn replay_with(
        &self,
        mutant: &mut dyn Mutant,
    ) -> Result<(Ending, Result<Report, Violation>), ReadError> {
        let (outcome, hash) = World::new(&self.world()?, self.seed, mutant).run_traced();
        Ok((Ending::of(&outcome, hash), outcome))
    }

    /// The scenario with those faults and sub-tasks alone that happen in this run.
    fn world(&self) -> Result<Scenario, ReadError> {
        let named = Scenario::named(&self.scenario);
        let mut scenario = named.ok_or_else(|| ReadError::NoScenario(self.scenario.clone()))?;
        let count = scenario.faults.len();
        let fault =
            |place: &usize| scenario.faults.get(*place).cloned().ok_or(ReadError::NoFault(*place, count));
        scenario.faults = self.faults.iter().map(fault).collect::<Result<_, _>>()?;
        if !(1..=scenario.sub_tasks).contains(&self.sub_tasks) {
            return Err(ReadError::NoSubTasks(self.sub_tasks, scenario.sub_tasks));
        }
        scenario.sub_tasks = self.sub_tasks;
        Ok(scenario)
    }
}
