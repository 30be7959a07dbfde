//! An experiment as data.

use super::claim::Claim;
use super::parameter::Value;
use super::registry::Registry;
use super::setting::{Setting, SettingError, unknown};
use super::sweep::Sweep;
use super::{Fault, Model, read};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The longest experiment file, in bytes.
pub const MAX_EXPERIMENT_SIZE: u64 = 1 << 20;
/// The most runs of an experiment: points times repetitions.
pub const MAX_RUNS: u64 = 10_000_000;
/// The most repetitions of a point.
pub const MAX_REPETITIONS: u32 = 1_000_000;

/// An experiment: what its file says.
#[derive(Clone, Debug, PartialEq)]
pub struct Experiment {
    /// Its short name, `e1`.
    pub name: String,
    /// A longer name, by which it is found too.
    pub title: String,
    /// The name of its model.
    pub model: String,
    /// What is to be seen.
    pub hypothesis: String,
    /// Which figures are expected.
    pub expected: String,
    /// What all randomness comes from.
    pub seed: u64,
    /// How often each point is run; with a [`Stop`], at least so often.
    pub repetitions: u32,
    /// When a point has been run often enough, if that depends on what comes out.
    pub stop: Option<Stop>,
    /// The metrics that are wanted; all of the model when empty.
    pub metrics: Vec<String>,
    /// The parameters that are set for all points.
    pub given: BTreeMap<String, Value>,
    /// The parameters that are varied.
    pub sweep: Sweep,
    /// What is claimed about the figures.
    pub claims: Vec<Claim>,
    /// What is set in their place for a quick look.
    pub quick: Option<Quick>,
}

/// A point has been run often enough when the mean of a metric is known well enough.
#[derive(Clone, Debug, PartialEq)]
pub struct Stop {
    /// Which metric.
    pub metric: String,
    /// The half width of its confidence interval, relative to its mean.
    pub relative_half_width: f64,
    /// The most repetitions of a point.
    pub at_most: u32,
}

/// What a quick look sets in place of the file's values.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Quick {
    /// How often each point is run.
    pub repetitions: Option<u32>,
    /// Values and lists of values, each as a text as after `--set`.
    pub set: Vec<(String, String)>,
}

impl Experiment {
    /// Reads an experiment file.
    ///
    /// # Errors
    /// Everything that is wrong with it, with its place and what was expected.
    pub fn parse(text: &str, registry: &Registry) -> Result<Self, Vec<Fault>> {
        read::experiment(text, registry)
    }

    /// Its model.
    ///
    /// # Errors
    /// There is no such model.
    pub fn model<'a>(&self, registry: &'a Registry) -> Result<&'a dyn Model, SettingError> {
        registry.model(&self.model).ok_or_else(|| {
            let why = unknown(&self.model, registry.models().map(Model::name)).replace("key", "model");
            SettingError::new("model", why)
        })
    }

    /// Sets a parameter as `--set KEY=VALUE` does: a value fixes it, a list or a range of values varies it.
    ///
    /// # Errors
    /// An unknown key, or a value that it does not take.
    pub fn set(&mut self, registry: &Registry, key: &str, text: &str) -> Result<(), SettingError> {
        let parameters = self.model(registry)?.parameters();
        let Some(parameter) = parameters.iter().find(|parameter| parameter.key == key) else {
            return Err(SettingError::new(key, unknown(key, parameters.iter().map(|known| known.key))));
        };
        self.sweep.axes.retain(|axis| axis.key != key);
        self.given.remove(key);
        match read::value(text) {
            Ok(value) if parameter.accept(value.clone()).is_ok() => {
                self.given.insert(key.into(), value);
                Ok(())
            }
            alone => match read::axis(text, parameter) {
                Ok(Some(axis)) => {
                    self.sweep.axes.push(axis);
                    Ok(())
                }
                Ok(None) => {
                    let value = alone.unwrap_or_else(|()| Value::Text(text.into()));
                    let value = parameter.accept(value).map_err(|why| SettingError::new(key, why))?;
                    self.given.insert(key.into(), value);
                    Ok(())
                }
                Err(why) => Err(SettingError::new(key, why)),
            },
        }
    }

    /// Sets what the file names for a quick look; whether it names anything.
    ///
    /// # Errors
    /// As [`Self::set`].
    pub fn quicken(&mut self, registry: &Registry) -> Result<bool, SettingError> {
        let Some(quick) = self.quick.take() else { return Ok(false) };
        self.repetitions = quick.repetitions.unwrap_or(self.repetitions);
        self.stop = None;
        for (key, text) in &quick.set {
            self.set(registry, key, text)?;
        }
        Ok(true)
    }

    /// The metrics that are wanted, as the model names them.
    ///
    /// # Errors
    /// One that the model does not have.
    fn wanted(&self, model: &dyn Model) -> Result<Vec<&'static str>, SettingError> {
        let known = || model.metrics().iter().map(|metric| metric.name);
        if self.metrics.is_empty() {
            return Ok(known().collect());
        }
        let find = |name: &String| {
            known().find(|metric| metric == name).ok_or_else(|| {
                SettingError::new(name.clone(), unknown(name, known()).replace("key", "metric"))
            })
        };
        self.metrics.iter().map(find).collect()
    }

    /// The metrics that are measured: those that are wanted, and those that claims and the stopping rule speak of.
    ///
    /// # Errors
    /// A metric that the model does not have.
    pub fn measured(&self, model: &dyn Model) -> Result<Vec<&'static str>, SettingError> {
        let mut measured = self.wanted(model)?;
        let named = self.claims.iter().flat_map(Claim::metrics);
        for name in named.chain(self.stop.as_ref().map(|stop| stop.metric.as_str())) {
            let known = model.metrics().iter().find(|metric| metric.name == name).map(|metric| metric.name);
            measured.extend(known.filter(|known| !measured.contains(known)));
        }
        Ok(measured)
    }

    /// The setting of each point, checked by the model.
    ///
    /// # Errors
    /// Too many points or runs, or a point that the model does not take.
    pub fn settings(&self, model: &dyn Model) -> Result<Vec<Setting>, SettingError> {
        let points = self.sweep.count().map_err(|why| SettingError::new("sweep", why))?;
        let each = self.stop.as_ref().map_or(self.repetitions, |stop| stop.at_most.max(self.repetitions));
        let runs = u64::from(points) * u64::from(each);
        if self.repetitions == 0 || runs > MAX_RUNS {
            let why =
                format!("{points} points of {each} repetitions are {runs} runs: expected 1 to {MAX_RUNS}");
            return Err(SettingError::new("repetitions", why));
        }
        let setting = |point| {
            let swept = self.sweep.at(point);
            let given = self.given.iter().map(|(key, value)| (key.as_str(), value.clone()));
            Setting::new(model, given.chain(swept))
        };
        (0..points).map(setting).collect()
    }

    /// What makes runs comparable, hashed: program version, model, seed, every value, and the metrics. How often a point
    /// is run, and what is said about it, is not part of it, so that more repetitions can be added.
    #[must_use]
    pub fn hash(&self) -> String {
        let mut text = String::new();
        let _ = writeln!(text, "{} {} {}", env!("CARGO_PKG_VERSION"), self.model, self.seed);
        let _ = writeln!(text, "{:?} {:?} {:?}", self.given, self.sweep, self.metrics);
        blake3::hash(text.as_bytes()).to_hex().to_string()
    }
}
