//! Costs with a heavy tail (reference §6.5: Pareto with exponent 2.5).

use super::{Costs, Kind};
use crate::dice::Dice;
use crate::experiment::Parameter;

const SHAPE: Parameter = Parameter::real(
    "population.shape",
    2.5,
    1.01,
    100.0,
    "the exponent of Pareto costs; the smaller, the heavier the tail",
);
const LEAST: Parameter = Parameter::real(
    "population.least_credits",
    0.6,
    1e-6,
    1e6,
    "the least of Pareto costs, in credits per Gc",
);

/// Costs with a heavy tail. With the defaults their mean is `2.5/1.5 · 0.6` = 1 credit.
pub(super) const KIND: Kind = Kind {
    name: "pareto",
    about: "costs with a heavy tail",
    source: "theory (reference §6.5: exponent 2.5)",
    parameters: || vec![SHAPE, LEAST],
    costs: |setting| Box::new(Pareto { shape: setting.real(&SHAPE), least: setting.real(&LEAST) }),
};

#[derive(Clone, Copy, Debug)]
struct Pareto {
    shape: f64,
    least: f64,
}

impl Costs for Pareto {
    fn cost(&self, _: usize, dice: &mut Dice) -> f64 {
        super::draw::pareto(dice, self.shape, self.least)
    }
}
