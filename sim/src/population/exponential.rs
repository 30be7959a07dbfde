//! Exponential costs: most machines are cheap, a few are dear (reference §6.5).

use super::{Costs, Kind};
use crate::dice::Dice;
use crate::experiment::Parameter;

const MEAN: Parameter = Parameter::real(
    "population.mean_credits",
    1.0,
    1e-6,
    1e6,
    "the mean of exponential costs, in credits per Gc",
);

/// Exponential costs.
pub(super) const KIND: Kind = Kind {
    name: "exponential",
    about: "costs with an exponential distribution",
    source: "theory (reference §6.5)",
    parameters: || vec![MEAN],
    costs: |setting| Box::new(Exponential { mean: setting.real(&MEAN) }),
};

#[derive(Clone, Copy, Debug)]
struct Exponential {
    mean: f64,
}

impl Costs for Exponential {
    fn cost(&self, _: usize, dice: &mut Dice) -> f64 {
        super::draw::exponential(dice, self.mean)
    }
}
