//! What work is worth to buyers: one distribution a line in [`Values::standard`].
//!
//! `uniform` is the theory's; `lognormal` is reference §6.5 (an assumption): median 2.5 times the usual cost, sigma 0.6.

use super::draw;
use crate::dice::Dice;
use crate::experiment::{Parameter, Setting};

/// How values are distributed: what each takes from the setting, in credits per Gc.
#[derive(Clone, Copy)]
pub struct Kind {
    /// Its name: `population.values = "uniform"`.
    pub name: &'static str,
    /// A value.
    pub value: fn(&Setting, &mut Dice) -> f64,
}

/// The distributions that an experiment can name.
#[derive(Clone)]
pub struct Values(Vec<Kind>);

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
/// The key that names one.
const KEY: &str = "population.values";

impl Values {
    /// Everything that ships.
    #[must_use]
    pub fn standard() -> Self {
        Self(vec![
            Kind { name: "uniform", value: |setting, dice| draw::uniform(dice, 0.0, setting.real(&HIGH)) },
            Kind {
                name: "lognormal",
                value: |setting, dice| draw::lognormal(dice, setting.real(&MEDIAN), setting.real(&SIGMA)),
            },
        ])
    }

    /// The same with one more.
    #[must_use]
    pub fn with(mut self, kind: Kind) -> Self {
        self.0.push(kind);
        self
    }

    pub(crate) fn parameters(&self) -> Vec<Parameter> {
        let names = self.0.iter().map(|kind| kind.name).collect();
        vec![
            Parameter::named(KEY, "uniform", names, "how the values of work are distributed among buyers"),
            HIGH,
            MEDIAN,
            SIGMA,
        ]
    }

    /// The name of the distribution of a setting.
    pub(crate) fn name(setting: &Setting) -> &str {
        setting.text(&Parameter::named(KEY, "uniform", Vec::new(), ""))
    }

    /// A value, in credits per Gc.
    pub(crate) fn value(&self, setting: &Setting, dice: &mut Dice) -> f64 {
        let kind = self.0.iter().find(|kind| kind.name == Self::name(setting));
        kind.map_or(0.0, |kind| (kind.value)(setting, dice))
    }
}
