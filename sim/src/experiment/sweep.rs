//! What is varied.

use super::parameter::{Kind, Parameter, Value};
use std::collections::BTreeSet;

/// The most points of a sweep.
pub const MAX_POINTS: u32 = 100_000;
/// Digits of a value that a range comes to: so that 0.1 + 2 × 0.1 is 0.3.
const DIGITS: usize = 11;

/// The parameters that are varied.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sweep {
    /// How they go together.
    pub combine: Combine,
    /// One parameter each.
    pub axes: Vec<Axis>,
}

/// How several axes make points.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Combine {
    /// Every value of each with every value of the others; the last axis changes fastest.
    #[default]
    Product,
    /// The first values of all, the second values of all, and so on.
    Zip,
}

/// One parameter and its values.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// The parameter.
    pub key: String,
    /// Its values, in the order in which they are run and shown.
    pub values: Vec<Value>,
}

/// How a range is divided.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Steps {
    /// So much from value to value.
    Step(f64),
    /// So many values, evenly.
    Linear(u32),
    /// So many values, each the same factor above the one before it.
    Log(u32),
}

impl Sweep {
    /// How many points there are; one without an axis.
    ///
    /// # Errors
    /// Too many, or lists of different length that go together.
    pub fn count(&self) -> Result<u32, String> {
        let lengths = || self.axes.iter().map(|axis| u64::try_from(axis.values.len()).unwrap_or(u64::MAX));
        let count = match self.combine {
            Combine::Product => lengths().fold(1_u64, u64::saturating_mul),
            Combine::Zip => {
                let all: BTreeSet<u64> = lengths().collect();
                if all.len() > 1 {
                    return Err("expected lists of equal length where `combine` is \"zip\"".into());
                }
                all.first().copied().unwrap_or(1)
            }
        };
        match u32::try_from(count) {
            Ok(count @ 1..=MAX_POINTS) => Ok(count),
            _ => Err(format!("{count} points: expected 1 to {MAX_POINTS}")),
        }
    }

    /// The values of point `number`.
    pub fn at(&self, number: u32) -> Vec<(&str, Value)> {
        let mut rest = usize::try_from(number).unwrap_or(usize::MAX);
        let mut values = Vec::with_capacity(self.axes.len());
        for axis in self.axes.iter().rev() {
            let length = axis.values.len().max(1);
            let place = match self.combine {
                Combine::Product => rest % length,
                Combine::Zip => rest,
            };
            if self.combine == Combine::Product {
                rest /= length;
            }
            values.extend(axis.values.get(place).map(|value| (axis.key.as_str(), value.clone())));
        }
        values.reverse();
        values
    }

    /// Whether `key` is varied.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.axes.iter().any(|axis| axis.key == key)
    }
}

/// The values from `from` to `to` as `parameter` takes them.
pub(super) fn range(parameter: &Parameter, from: f64, to: f64, steps: Steps) -> Result<Vec<Value>, String> {
    let count = match steps {
        Steps::Step(step) if step > 0.0 && to >= from => (to - from) / step + 1.0 + 1e-9,
        Steps::Step(_) => return Err("expected a `step` above 0, and `to` not below `from`".into()),
        Steps::Log(_) if from <= 0.0 || to <= 0.0 => {
            return Err("expected `from` and `to` above 0 where `scale` is \"log\"".into());
        }
        Steps::Linear(count) | Steps::Log(count) => f64::from(count),
    };
    if !(1.0..f64::from(MAX_POINTS) + 1.0).contains(&count) {
        return Err(format!("a range of {count:.0} values: expected 1 to {MAX_POINTS}"));
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and MAX_POINTS")]
    let count = count as u32;
    let share = |number: u32| if count > 1 { f64::from(number) / f64::from(count - 1) } else { 0.0 };
    let mut values: Vec<Value> = Vec::new();
    for number in 0..count {
        let exact = match steps {
            Steps::Step(step) => from + step * f64::from(number),
            Steps::Linear(_) => from + (to - from) * share(number),
            Steps::Log(_) => from * libm::pow(to / from, share(number)),
        };
        let value = parameter.accept(rounded(parameter, exact))?;
        // Whole numbers on a logarithmic scale meet at its lower end.
        if values.last() != Some(&value) {
            values.push(value);
        }
    }
    Ok(values)
}

fn rounded(parameter: &Parameter, exact: f64) -> Value {
    match parameter.kind {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "what does not fit is out of the parameter's range"
        )]
        Kind::Integer(..) => Value::Integer(exact.round() as i64),
        _ => Value::Real(format!("{exact:.DIGITS$e}").parse().unwrap_or(exact)),
    }
}
