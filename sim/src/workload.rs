//! What is asked for: jobs of many sub-tasks, and when they come. One workload a file below `workload/`, and one line in
//! [`Workloads::standard`].

pub mod bags;
pub mod conservative;

use crate::dice::Dice;
use crate::experiment::{Parameter, Setting};
use crate::kinds::{Chosen, Kinds, named_by_fields};

/// A job: sub-tasks that are asked for together.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// When it comes, in seconds from the beginning.
    pub at: f64,
    /// Whose it is, from zero: the busiest user first.
    pub user: usize,
    /// How long each of its sub-tasks runs on the reference core, in seconds.
    pub work: Vec<f64>,
}

/// Jobs without end, in the order of time.
pub trait Jobs {
    /// The next one.
    fn next(&mut self, dice: &mut Dice) -> Job;
}

/// A workload that can be named in an experiment.
#[derive(Clone, Copy)]
pub struct Kind {
    /// Its name: `work.jobs = "bags"`.
    pub name: &'static str,
    /// What it is, in a few words.
    pub about: &'static str,
    /// Where its figures come from.
    pub source: &'static str,
    /// What can be set; keys that no other workload has.
    pub parameters: fn() -> Vec<Parameter>,
    /// The jobs of a setting.
    pub jobs: fn(&Setting) -> Box<dyn Jobs>,
}

/// The workloads that an experiment can name.
pub type Workloads = Kinds<Kind>;

named_by_fields!(Kind);

impl Chosen for Kind {
    const KEY: &'static str = "work.jobs";
    const ABOUT: &'static str = "which jobs come";
    const USUAL: Self = conservative::KIND;
}

impl Workloads {
    /// Everything that ships: one line each.
    #[must_use]
    pub fn standard() -> Self {
        Self::new(vec![conservative::KIND, bags::KIND])
    }

    /// The jobs of a setting.
    pub(crate) fn jobs(&self, setting: &Setting) -> Box<dyn Jobs> {
        (self.chosen(setting).jobs)(setting)
    }
}
