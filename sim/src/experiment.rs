//! Experiments: a model, a setting for it, what is varied, how often, and what is claimed about the figures.
//!
//! A [`Model`] turns a [`Setting`] and a seed into an [`Outcome`]. It is one file below `model/` and one line in
//! [`Registry::standard`]. The experiments that ship are files in `sim/experiments/`, one line each at the same place.

mod claim;
mod compare;
mod definition;
mod directory;
mod error;
mod file;
mod journal;
mod model;
mod parameter;
pub mod plot;
mod read;
mod read_claim;
mod record;
mod registry;
mod report;
mod results;
mod runner;
mod setting;
mod statistics;
mod sweep;
mod table;
mod tree;
mod verdict;

pub use claim::{Claim, MAX_CLAIMS, Operand, Relation};
pub use compare::{Compared, Difference, Row, Way, compare};
pub use definition::{Experiment, MAX_EXPERIMENT_SIZE, MAX_REPETITIONS, MAX_RUNS, Quick, Stop};
pub use directory::{BROKEN, Figure, Form, check, keep, keep_broken, open};
pub use error::LabError;
pub use journal::{JOURNAL, Journal};
pub use model::{Metric, Model, Outcome, RunError};
pub use parameter::{Kind, Parameter, Usual, Value};
pub(crate) use read::value as read_value;
pub use record::{json, toml, trace};
pub use registry::{Registry, Shipped};
pub use results::{Cell, Point, Results, Run};
pub use runner::{Options, Progress, run, single};
pub use setting::{Setting, SettingError};
pub use statistics::{CONFIDENCE, Interval, welch};
pub use sweep::{Axis, Combine, MAX_POINTS, Sweep};
pub use verdict::{Judged, PRECISION, Verdict, judge, overall};

/// Something wrong in an experiment file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{line}:{column}: {message}")]
pub struct Fault {
    /// From 1.
    pub line: u32,
    /// In characters, from 1.
    pub column: u32,
    /// What is wrong and what was expected.
    pub message: String,
}
