//! What a seller lists in one auction: one strategy a file below `seller/`, and one line in [`Sellers::standard`].

mod best_response;
mod equilibrium;
mod scaled;
mod sybil;
mod truthful;

use crate::experiment::{Parameter, Setting};
use crate::kinds::{Chosen, Kinds, named_by_fields};
use crate::population::uniform::Uniform;
use market::pricing::max_min::Terms;
use proto::Rate;
use proto::rules::PricingRule;

/// What a seller knows when it lists.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// Its marginal cost.
    pub cost: Rate,
    /// How many sell, itself among them.
    pub sellers: u64,
    /// How the market prices.
    pub rule: PricingRule,
    /// The constants of the max-min rule.
    pub terms: Terms,
    /// The most that buyers pay: the reserve price.
    pub bid: Rate,
    /// The least and the greatest cost that a seller expects of others.
    pub costs: (Rate, Rate),
    /// What a report would earn if the others stand as they do, in credits per Gc: for who can see them.
    pub gain: &'a dyn Fn(Rate) -> f64,
}

/// How a seller lists.
pub trait Seller {
    /// Its ask.
    fn report(&self, place: &Place<'_>) -> Rate;

    /// The ask of a second identity, if it has one.
    fn second(&self, place: &Place<'_>, report: Rate) -> Option<Rate> {
        let _ = (place, report);
        None
    }
}

/// A strategy that can be named in an experiment.
#[derive(Clone, Copy)]
pub struct Kind {
    /// Its name: `strategies.sellers = "truthful"`.
    pub name: &'static str,
    /// What it does, in a few words.
    pub about: &'static str,
    /// What can be set; keys that no other strategy has.
    pub parameters: fn() -> Vec<Parameter>,
    /// The strategy of a setting.
    pub seller: fn(&Setting) -> Box<dyn Seller>,
}

/// The strategies that an experiment can name.
pub type Sellers = Kinds<Kind>;

named_by_fields!(Kind);

impl Chosen for Kind {
    const KEY: &'static str = "strategies.sellers";
    const ABOUT: &'static str = "how sellers list";
    const USUAL: Self = truthful::KIND;
}

impl Sellers {
    /// Everything that ships: one line each.
    #[must_use]
    pub fn standard() -> Self {
        Self::new(vec![
            truthful::KIND,
            scaled::KIND,
            equilibrium::KIND,
            equilibrium::WITHOUT_BONUS,
            best_response::KIND,
            sybil::KIND,
        ])
    }

    /// The strategy of a setting.
    pub(crate) fn seller(&self, setting: &Setting) -> Box<dyn Seller> {
        (self.chosen(setting).seller)(setting)
    }
}

/// The costs that sellers expect of others: the limits of an even spread.
pub(crate) fn expected_costs(setting: &Setting) -> (Rate, Rate) {
    let Uniform { low, high } = Uniform::of(setting);
    (crate::price::rate(low), crate::price::rate(high))
}

#[cfg(test)]
mod tests;
