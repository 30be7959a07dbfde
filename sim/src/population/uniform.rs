//! Costs spread evenly: the population of the theory's closed forms (reference §5.1, §6.5).

use super::{Costs, Kind};
use crate::dice::Dice;
use crate::experiment::{Parameter, Setting};

/// The least cost.
pub(crate) const LOW: Parameter = Parameter::real(
    "population.low_credits",
    0.0,
    0.0,
    1e6,
    "the least cost of an even spread, in credits per Gc",
);
/// The greatest cost.
pub(crate) const HIGH: Parameter = Parameter::real(
    "population.high_credits",
    1.0,
    0.0,
    1e6,
    "the greatest cost of an even spread, in credits per Gc; not below the least",
);

/// Costs spread evenly.
pub(super) const KIND: Kind = Kind {
    name: "uniform",
    about: "costs spread evenly between two limits",
    source: "theory (reference §5.1: U[0,1])",
    parameters: || vec![LOW, HIGH],
    costs: |setting| Box::new(Uniform::of(setting)),
};

/// Costs spread evenly, in credits per Gc.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Uniform {
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl Uniform {
    pub(crate) fn of(setting: &Setting) -> Self {
        let low = setting.real(&LOW);
        Self { low, high: setting.real(&HIGH).max(low) }
    }
}

impl Costs for Uniform {
    fn cost(&self, _: usize, dice: &mut Dice) -> f64 {
        super::draw::uniform(dice, self.low, self.high)
    }
}
