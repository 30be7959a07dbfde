//! What an experiment claims about its figures.

use super::parameter::Value;
use std::fmt;

/// The most claims of an experiment.
pub const MAX_CLAIMS: usize = 256;

/// One claim. It is about every point of the sweep that `place` names.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    /// About which metric.
    pub metric: String,
    /// What is said of it.
    pub relation: Relation,
    /// By how much it may be missed, in the metric's unit.
    pub tolerance: f64,
    /// By how much it may be missed besides, in percent of what it is compared with.
    pub tolerance_pct: f64,
    /// Where it holds: the values of swept keys; everywhere when empty.
    pub place: Vec<(String, Vec<Value>)>,
    /// The claim in words, if the file has any.
    pub about: Option<String>,
}

/// What is said of a metric.
#[derive(Clone, Debug, PartialEq)]
pub enum Relation {
    /// It is this.
    Equals(Operand),
    /// It is not more.
    AtMost(Operand),
    /// It is not less.
    AtLeast(Operand),
    /// It rises from each value of this swept key to the next.
    RisesWith(String),
    /// It falls.
    FallsWith(String),
}

/// What a metric is compared with.
#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    /// A number.
    Number(f64),
    /// Another metric of the same run.
    Metric(String),
}

impl Claim {
    /// The metrics that it speaks of.
    pub(super) fn metrics(&self) -> impl Iterator<Item = &str> {
        let other = match &self.relation {
            Relation::Equals(Operand::Metric(other))
            | Relation::AtMost(Operand::Metric(other))
            | Relation::AtLeast(Operand::Metric(other)) => Some(other.as_str()),
            _ => None,
        };
        [Some(self.metric.as_str()), other].into_iter().flatten()
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(out, "{number}"),
            Self::Metric(metric) => out.write_str(metric),
        }
    }
}

impl fmt::Display for Claim {
    /// The claim as a sentence.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { metric, relation, tolerance, tolerance_pct, place, about: _ } = self;
        match relation {
            Relation::Equals(other) => write!(out, "{metric} = {other}")?,
            Relation::AtMost(other) => write!(out, "{metric} ≤ {other}")?,
            Relation::AtLeast(other) => write!(out, "{metric} ≥ {other}")?,
            Relation::RisesWith(key) => write!(out, "{metric} rises with {key}")?,
            Relation::FallsWith(key) => write!(out, "{metric} falls with {key}")?,
        }
        if *tolerance > 0.0 {
            write!(out, " ± {tolerance}")?;
        }
        if *tolerance_pct > 0.0 {
            write!(out, " ± {tolerance_pct} %")?;
        }
        for (place, (key, values)) in place.iter().enumerate() {
            let values: Vec<String> = values.iter().map(ToString::to_string).collect();
            let word = if place == 0 { " where" } else { " and" };
            write!(out, "{word} {key} = {}", values.join(" or "))?;
        }
        Ok(())
    }
}
