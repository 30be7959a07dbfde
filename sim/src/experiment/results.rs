//! What came out of an experiment, point by point.

use super::model::Metric;
use super::parameter::Value;
use super::statistics::Interval;

/// One finished run.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// The number of its point.
    pub point: u32,
    /// Which repetition, from 0.
    pub repetition: u32,
    /// What its randomness came from.
    pub seed: u64,
    /// The values of the wanted metrics, in their order; none where a metric means nothing.
    pub values: Vec<Option<f64>>,
    /// The hash over what happened.
    pub trace: [u8; 32],
}

/// A point of the sweep, and its runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// The values of the swept keys, in their order.
    pub values: Vec<Value>,
    /// Its runs, by repetition.
    pub runs: Vec<Run>,
}

/// All of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Results {
    /// The swept keys.
    pub keys: Vec<String>,
    /// The metrics.
    pub metrics: Vec<Metric>,
    /// The points, in the order of the sweep.
    pub points: Vec<Point>,
}

/// A metric at a point, in short.
pub type Cell = Option<Interval>;

impl Point {
    /// The values of metric number `metric` that there are, by repetition.
    #[must_use]
    pub fn sample(&self, metric: usize) -> Vec<f64> {
        self.runs.iter().filter_map(|run| run.values.get(metric).copied().flatten()).collect()
    }

    /// The mean of metric number `metric`; none where it means nothing.
    #[must_use]
    pub fn cell(&self, metric: usize) -> Cell {
        Interval::of(&self.sample(metric))
    }
}

impl Results {
    /// The number of a metric.
    #[must_use]
    pub fn metric(&self, name: &str) -> Option<usize> {
        self.metrics.iter().position(|metric| metric.name == name)
    }

    /// The value of the swept `key` at a point.
    #[must_use]
    pub fn value<'a>(&self, point: &'a Point, key: &str) -> Option<&'a Value> {
        self.keys.iter().position(|known| known == key).and_then(|place| point.values.get(place))
    }

    /// The values of a point as a text: `population.sellers = 5, rule.pricing = "vickrey"`.
    #[must_use]
    pub fn name(&self, point: &Point) -> String {
        let pairs = self.keys.iter().zip(&point.values).map(|(key, value)| format!("{key} = {value}"));
        pairs.collect::<Vec<_>>().join(", ")
    }

    /// How many runs there are.
    #[must_use]
    pub fn runs(&self) -> u64 {
        self.points.iter().map(|point| u64::try_from(point.runs.len()).unwrap_or(u64::MAX)).sum()
    }
}
