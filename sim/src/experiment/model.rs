//! What turns a setting and a seed into figures.

use super::parameter::Parameter;
use super::setting::{Setting, SettingError};
use crate::Violation;
use crate::recording::{Recording, Subject};
use std::collections::BTreeMap;

/// What turns a setting and a seed into figures.
///
/// A model is pure: the same setting and seed give the same outcome on every machine. So it reads no clock and no file,
/// draws from the streams of its seed (`dice.rs`) only, and takes logarithms, powers and angles from `libm`.
pub trait Model: Send + Sync {
    /// Its name in an experiment file: `model = "auction"`.
    fn name(&self) -> &'static str;

    /// What it models, in one sentence.
    fn about(&self) -> &'static str;

    /// What can be set.
    fn parameters(&self) -> Vec<Parameter>;

    /// What it measures.
    fn metrics(&self) -> &'static [Metric];

    /// What the ranges of single parameters cannot say; asked for every point before anything starts.
    ///
    /// # Errors
    /// The parameter that does not go with the others, and why.
    fn check(&self, setting: &Setting) -> Result<(), SettingError> {
        let _ = setting;
        Ok(())
    }

    /// What a run with this setting is of, if it can be kept as a file.
    fn subject(&self, setting: &Setting) -> Option<Subject> {
        let _ = setting;
        None
    }

    /// One run.
    ///
    /// # Errors
    /// Why there are no figures.
    fn run(&self, setting: &Setting, seed: u64) -> Result<Outcome, RunError>;
}

/// Something that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    /// Its name in files and claims; it ends in its unit: `price_credits`, `hops_count`, `efficiency_share`.
    pub name: &'static str,
    /// The unit; `count`, `share` (of one) and `ratio` for those without dimension.
    pub unit: &'static str,
    /// What it is, in one sentence, with its source where it has one.
    pub about: &'static str,
}

/// What a run came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The value of each metric; none where the metric means nothing in this setting (a closed form that holds for
    /// other settings only).
    values: BTreeMap<&'static str, Option<f64>>,
    /// A hash over everything that happened.
    trace: [u8; 32],
}

/// Why a run has no figures.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RunError {
    /// Nothing was sold, so nothing can be said of prices.
    #[error("no trade took place")]
    NoTrade,
    /// A metric that is asked for was not written.
    #[error("the metric `{0}` was never written")]
    Unwritten(&'static str),
    /// A metric is infinite or not a number.
    #[error("the metric `{0}` is not a finite number")]
    NotFinite(&'static str),
    /// A metric was written that the model does not declare.
    #[error("the metric `{0}` was written but is not one of the model")]
    Undeclared(&'static str),
    /// An invariant does not hold: a defect.
    #[error("{0}")]
    Violation(Violation),
    /// The same in a run that can be kept as a file.
    #[error("{}", .0.0)]
    Recorded(Box<(Violation, Recording)>),
    /// What else stands in the way, as a sentence.
    #[error("{0}")]
    Failed(String),
}

impl Outcome {
    /// An outcome without figures so far, of a run whose hash is `trace`.
    #[must_use]
    pub const fn new(trace: [u8; 32]) -> Self {
        Self { values: BTreeMap::new(), trace }
    }

    /// With the value of a metric.
    #[must_use]
    pub fn with(mut self, metric: &'static str, value: f64) -> Self {
        self.values.insert(metric, Some(value));
        self
    }

    /// With a value, or with the word that the metric means nothing in this setting.
    #[must_use]
    pub fn with_some(mut self, metric: &'static str, value: Option<f64>) -> Self {
        self.values.insert(metric, value);
        self
    }

    /// The value of a metric, if it was written and means something.
    #[must_use]
    pub fn value(&self, metric: &str) -> Option<f64> {
        self.values.get(metric).copied().flatten()
    }

    /// The hash over everything that happened.
    #[must_use]
    pub const fn trace(&self) -> [u8; 32] {
        self.trace
    }

    /// Checks the figures against what was declared and what was asked for.
    ///
    /// # Errors
    /// A metric of `wanted` that was not written, any that is not finite, or that is not among `declared`.
    pub fn check(&self, declared: &[Metric], wanted: &[&'static str]) -> Result<(), RunError> {
        for (name, value) in &self.values {
            if !declared.iter().any(|metric| metric.name == *name) {
                return Err(RunError::Undeclared(name));
            }
            if value.is_some_and(|value| !value.is_finite()) {
                return Err(RunError::NotFinite(name));
            }
        }
        let missing = wanted.iter().find(|name| !self.values.contains_key(*name));
        missing.map_or(Ok(()), |name| Err(RunError::Unwritten(name)))
    }
}
