//! Runs of complete nodes as files: what is needed to run one again, and the hash that it has to come to.
//!
//! A run follows from its scenario or setting, its seed and its faults, so a file holds these and not the events: it is a few
//! hundred bytes for any run. It names the version of the program, because another one may run the same otherwise.

mod shrink;
mod subject;
mod text;

pub use shrink::Shrunk;
pub use subject::Subject;
pub use text::{MAX_FILE, ReadError};

use crate::model::WholeNodes;
use crate::mutant::{Honest, Mutant};
use crate::report::Report;
use crate::violation::Violation;
use crate::world::World;
use proto::{Hash, Time};

/// The version of the program, which a recording names.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A run, and what it came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    /// What it is a run of.
    pub subject: Subject,
    /// The seed.
    pub seed: u64,
    /// Which of its faults happen, by their places in its list, ascending.
    pub faults: Vec<usize>,
    /// How many sub-tasks there are; its own number, or fewer.
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
    /// Runs something with all of its faults and sub-tasks, and records it.
    ///
    /// # Errors
    /// There is no such scenario.
    pub fn of(subject: Subject, seed: u64) -> Result<(Self, Result<Report, Violation>), ReadError> {
        Self::of_with(subject, seed, &mut Honest)
    }

    /// The same with a known bug.
    ///
    /// # Errors
    /// As [`Self::of`].
    pub fn of_with(
        subject: Subject,
        seed: u64,
        mutant: &mut dyn Mutant,
    ) -> Result<(Self, Result<Report, Violation>), ReadError> {
        let (count, sub_tasks) = subject.size()?;
        let faults: Vec<usize> = (0..count).collect();
        let scenario = subject.world(&faults, sub_tasks)?;
        let (outcome, hash) = World::new(&scenario, seed, mutant).run_traced();
        Ok((Self { subject, seed, faults, sub_tasks, end: Ending::of(&outcome, hash) }, outcome))
    }

    /// Runs it again. It is the same run if the [`Ending`] is the same.
    ///
    /// # Errors
    /// The scenario does not ship, or there are not so many faults or sub-tasks.
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
        let scenario = self.subject.world(&self.faults, self.sub_tasks)?;
        let (outcome, hash) = World::new(&scenario, self.seed, mutant).run_traced();
        Ok((Ending::of(&outcome, hash), outcome))
    }

    /// What it is a run of, without what is left out of it where that can be said: in a setting.
    #[must_use]
    pub fn reduced(&self) -> Subject {
        match &self.subject {
            Subject::Nodes(setting) => {
                Subject::Nodes(WholeNodes::reduced(setting, &self.faults, self.sub_tasks))
            }
            Subject::Scenario(name) => Subject::Scenario(name.clone()),
        }
    }
}
