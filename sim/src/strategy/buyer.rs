//! What buyers bid: one strategy a file below `buyer/`, and one line in [`Buyers::standard`].

mod shading;
mod truthful;
mod waiting;

use crate::experiment::{Parameter, Setting};
use crate::kinds::{Chosen, Kinds, named_by_fields};
use proto::Rate;

/// How a buyer bids.
pub trait Buyer {
    /// Its bids, one after the other, until it has bought; at least one. A rule that asks only once gets the last of them.
    fn bids(&self, value: Rate) -> Vec<Rate>;
}

/// A strategy that can be named in an experiment.
#[derive(Clone, Copy)]
pub struct Kind {
    /// Its name: `strategies.buyers = "truthful"`.
    pub name: &'static str,
    /// What it does, in a few words.
    pub about: &'static str,
    /// What can be set; keys that no other strategy has.
    pub parameters: fn() -> Vec<Parameter>,
    /// The strategy of a setting.
    pub buyer: fn(&Setting) -> Box<dyn Buyer>,
}

/// The strategies that an experiment can name.
pub type Buyers = Kinds<Kind>;

named_by_fields!(Kind);

impl Chosen for Kind {
    const KEY: &'static str = "strategies.buyers";
    const ABOUT: &'static str = "how buyers bid";
    const USUAL: Self = truthful::KIND;
}

impl Buyers {
    /// Everything that ships: one line each.
    #[must_use]
    pub fn standard() -> Self {
        Self::new(vec![truthful::KIND, waiting::KIND, shading::KIND])
    }

    /// The strategy of a setting.
    pub(crate) fn buyer(&self, setting: &Setting) -> Box<dyn Buyer> {
        (self.chosen(setting).buyer)(setting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Value;

    #[test]
    fn buyers_bid_what_their_strategy_says() {
        let check = |name: &str, expected: &[u64]| {
            let given = [("strategies.buyers", Value::Text(name.into()))];
            let setting = Setting::new(&crate::model::Tournament::standard(), given).expect("it fits");
            let bids = Buyers::standard().buyer(&setting).bids(Rate(1_000_000));
            assert_eq!(bids.iter().map(|bid| bid.0).collect::<Vec<_>>(), expected, "{name}");
        };
        check("truthful", &[1_000_000]);
        check("waiting", &[500_000, 1_000_000]);
        check("shading", &[800_000]);
    }
}
