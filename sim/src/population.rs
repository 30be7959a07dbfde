//! Who sells, at which cost: one population a file below `population/`, and one line in [`Populations::standard`].
//!
//! A population is a distribution of marginal costs in credits per unit of work (a Gc in the rules). The theory's
//! populations are uniform, exponential, Pareto, bimodal and a ladder of worked examples; [`energy`] computes costs from
//! [`hosts`] and the price of electricity. [`machines`] says which machines there are, [`values`] what work is worth.

mod bimodal;
pub mod draw;
pub mod energy;
mod exponential;
pub mod hosts;
pub(crate) mod ladder;
pub mod machines;
mod pareto;
pub(crate) mod uniform;
pub mod values;

use crate::dice::Dice;
use crate::experiment::{Parameter, Setting};
use crate::kinds::{Chosen, Kinds, named_by_fields};
use hosts::Host;

/// What the sellers of a population have to spend for a unit of work.
pub trait Costs {
    /// The marginal cost of seller number `seller`, in credits per Gc; not negative.
    fn cost(&self, seller: usize, dice: &mut Dice) -> f64;

    /// The same where the machine is known: the cost goes by it, if this population has machines at all.
    fn cost_on(&self, machine: &Host, seller: usize, dice: &mut Dice) -> f64 {
        let _ = machine;
        self.cost(seller, dice)
    }
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
pub type Populations = Kinds<Kind>;

named_by_fields!(Kind);

impl Chosen for Kind {
    const KEY: &'static str = "population.costs";
    const ABOUT: &'static str = "how the sellers' costs are distributed";
    const USUAL: Self = uniform::KIND;
}

impl Populations {
    /// Everything that ships: one line each.
    #[must_use]
    pub fn standard() -> Self {
        Self::new(vec![
            uniform::KIND,
            exponential::KIND,
            pareto::KIND,
            bimodal::KIND,
            ladder::KIND,
            energy::KIND,
        ])
    }

    /// The population of a setting.
    pub(crate) fn costs(&self, setting: &Setting) -> Box<dyn Costs> {
        (self.chosen(setting).costs)(setting)
    }
}

#[cfg(test)]
mod tests;
