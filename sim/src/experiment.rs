//! Experiments: a model, a setting for it, what is varied, how often, and what is claimed about the figures.
//!
//! A [`Model`] turns a [`Setting`] and a seed into an [`Outcome`]. It is one file below `model/` and one line in
//! [`Registry::standard`]. The experiments that ship are files in `sim/experiments/`, one line each at the same place.

mod claim;
mod definition;
mod model;
mod parameter;
mod read;
mod read_claim;
mod registry;
mod setting;
mod sweep;
mod tree;

pub use claim::{Claim, MAX_CLAIMS, Operand, Relation};
pub use definition::{Experiment, MAX_EXPERIMENT_SIZE, MAX_REPETITIONS, MAX_RUNS, Quick, Stop};
pub use model::{Metric, Model, Outcome, RunError};
pub use parameter::{Kind, Parameter, Usual, Value};
pub use registry::{Registry, Shipped};
pub use setting::{Setting, SettingError};
pub use sweep::{Axis, Combine, MAX_POINTS, Sweep};

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
