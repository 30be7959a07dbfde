//! Who sells, at which cost: one population a file below `population/`, and one line in [`Populations::standard`].
//!
//! A population is a distribution of marginal costs in credits per unit of work (a Gc in the rules). The theory's
//! populations are uniform, exponential, Pareto, bimodal and a ladder of worked examples; [`energy`] computes costs from
//! [`hosts`] and the price of electricity.

mod bimodal;
pub mod draw;
pub mod energy;
mod exponential;
pub mod hosts;
pub(crate) mod ladder;
mod pareto;
pub(crate) mod uniform;
pub mod values;

use crate::dice::Dice;
use crate::experiment::{Parameter, Setting};

/// What the sellers of a population have to spend for a unit of work.
pub trait Costs {
    /// The marginal cost of seller number `seller`, in credits per Gc; not negative.
    fn cost(&self, seller: usize, dice: &mut Dice) -> f64;
}

/// A population that can be named in an experiment.
#[derive(Clone, Copy)]
pub struct Kind {
    /// Its name: `population.costs = "uniform"`.
    pub name: &'static str,
    /// What it is, in a few words.
    pub about: &'static str,
    /// Where its figures come from.
    pub source: &'static str,
    /// What can be set; keys that no other population has.
    pub parameters: fn() -> Vec<Parameter>,
    /// The population of a setting.
    pub costs: fn(&Setting) -> Box<dyn Costs>,
}

/// The populations that an experiment can name. A value, so that a program or a test can add its own.
#[derive(Clone)]
pub struct Populations(Vec<Kind>);

/// The key that names a population.
const KEY: &str = "population.costs";

impl Populations {
    /// Everything that ships: one line each.
    #[must_use]
    pub fn standard() -> Self {
        Self(vec![uniform::KIND, exponential::KIND, pareto::KIND, bimodal::KIND, ladder::KIND, energy::KIND])
    }

    /// The same with one more.
    #[must_use]
    pub fn with(mut self, kind: Kind) -> Self {
        self.0.push(kind);
        self
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Kind> {
        self.0.iter()
    }

    /// The choice of a population, and what can be set in each.
    pub(crate) fn parameters(&self) -> Vec<Parameter> {
        let names = self.0.iter().map(|kind| kind.name).collect();
        let choice =
            Parameter::named(KEY, uniform::KIND.name, names, "how the sellers' costs are distributed");
        std::iter::once(choice).chain(self.0.iter().flat_map(|kind| (kind.parameters)())).collect()
    }

    /// The name of the population of a setting.
    pub(crate) fn name(setting: &Setting) -> &str {
        setting.text(&Parameter::named(KEY, uniform::KIND.name, Vec::new(), ""))
    }

    /// The population of a setting.
    pub(crate) fn costs(&self, setting: &Setting) -> Box<dyn Costs> {
        let name = Self::name(setting);
        let kind = self.0.iter().find(|kind| kind.name == name).copied().unwrap_or(uniform::KIND);
        (kind.costs)(setting)
    }
}

#[cfg(test)]
mod tests;
