//! What work is worth to buyers: one distribution a line in [`Values::standard`].
//!
//! `uniform` is the theory's; `lognormal` is reference §6.5 (an assumption): median 2.5 times the usual cost, sigma 0.6.

use super::draw;
use crate::dice::Dice;
use crate::experiment::{Parameter, Setting};
use crate::kinds::{Chosen, Kinds, named_by_fields};

/// How values are distributed: what each takes from the setting, in credits per Gc.
#[derive(Clone, Copy)]
pub struct Kind {
    /// Its name: `population.values = "uniform"`.
    pub name: &'static str,
    /// What can be set; keys that no other distribution has.
    pub parameters: fn() -> Vec<Parameter>,
    /// A value.
    pub value: fn(&Setting, &mut Dice) -> f64,
}

/// The distributions that an experiment can name.
pub type Values = Kinds<Kind>;

/// The greatest value of the even spread, and the median of the lognormal.
pub(crate) const HIGH: Parameter = Parameter::real(
    "population.value_high_credits",
    1.0,
    0.0,
    1e6,
    "the greatest of evenly spread values, in credits per Gc",
);
const MEDIAN: Parameter = Parameter::real(
    "population.value_median_credits",
    2.5,
    0.0,
    1e6,
    "the median of lognormal values, in credits per Gc",
);
const SIGMA: Parameter = Parameter::real(
    "population.value_sigma",
    0.6,
    0.0,
    5.0,
    "the spread of lognormal values (of their logarithm)",
);
const UNIFORM: Kind = Kind {
    name: "uniform",
    parameters: || vec![HIGH],
    value: |setting, dice| draw::uniform(dice, 0.0, setting.real(&HIGH)),
};
const LOGNORMAL: Kind = Kind {
    name: "lognormal",
    parameters: || vec![MEDIAN, SIGMA],
    value: |setting, dice| draw::lognormal(dice, setting.real(&MEDIAN), setting.real(&SIGMA)),
};

named_by_fields!(Kind);

impl Chosen for Kind {
    const KEY: &'static str = "population.values";
    const ABOUT: &'static str = "how the values of work are distributed among buyers";
    const USUAL: Self = UNIFORM;
}

impl Values {
    /// Everything that ships.
    #[must_use]
    pub fn standard() -> Self {
        Self::new(vec![UNIFORM, LOGNORMAL])
    }

    /// A value, in credits per Gc.
    pub(crate) fn value(&self, setting: &Setting, dice: &mut Dice) -> f64 {
        (self.chosen(setting).value)(setting, dice)
    }
}
