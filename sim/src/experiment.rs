//! Experiments: a model, a setting for it, what is varied, how often, and what is claimed about the figures.
//!
//! A [`Model`] turns a [`Setting`] and a seed into an [`Outcome`]. It is one file below `model/` and one line in
//! [`Registry::standard`]. The experiments that ship are files in `sim/experiments/`, one line each at the same place.

mod model;
mod parameter;
mod registry;
mod setting;

pub use model::{Metric, Model, Outcome, RunError};
pub use parameter::{Kind, Parameter, Usual, Value};
pub use registry::{Registry, Shipped};
pub use setting::{Setting, SettingError};
