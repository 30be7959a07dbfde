//! How a market prices, as the settings of several models say it.

use crate::experiment::{Parameter, Setting};
use crate::price::rate;
use market::pricing::max_min::Terms;
use proto::Rate;
use proto::rules::{PricingRule, PricingTerms};

const RULES: &[&str] = &["vickrey", "first-price", "max-min", "posted", "uniform", "vcg"];
const PRICING: Parameter = Parameter::choice("rule.pricing", "vickrey", RULES, "how a match is priced");
const RESERVE: Parameter =
    Parameter::real("rule.reserve_credits", 1.0, 0.0, 1e9, "the most that a buyer pays, in credits per Gc");
const POSTED: Parameter = Parameter::real(
    "rule.posted_credits",
    0.5,
    0.0,
    1e6,
    "what is paid under a posted price, in credits per Gc",
);
const WEIGHT: Parameter = Parameter::real(
    "rule.weight_credits2",
    1.0,
    0.0,
    1e7,
    "K of the max-min rule, in (credits per Gc)^2; the paper's 1 (Equation 1; reference §5.3)",
);
const BONUS: Parameter = Parameter::real(
    "rule.bonus_credits",
    0.000_001,
    0.0,
    1e6,
    "what a seller gets above its ask under the max-min rule, in credits per Gc; the paper's 1 is of no unit",
);
const FIXED: Parameter = Parameter::real(
    "rule.fixed_credits",
    0.0,
    0.0,
    1e6,
    "the owner's fixed part under the max-min rule (delta), in credits per Gc",
);
const FLOOR: Parameter = Parameter::real(
    "rule.floor_credits",
    0.000_001,
    0.000_001,
    1e6,
    "the least cost that the max-min rule reckons with, in credits per Gc",
);
const UNIT: Parameter = Parameter::real(
    "rule.unit_credits",
    0.000_001,
    0.000_001,
    1e3,
    "the smallest difference between two prices, in credits per Gc",
);

/// How a market prices.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    pub(super) pricing: PricingRule,
    pub(super) terms: PricingTerms,
    pub(super) bid: Rate,
    pub(super) unit: Rate,
}

impl Rule {
    pub(super) fn parameters() -> Vec<Parameter> {
        vec![PRICING, RESERVE, POSTED, WEIGHT, BONUS, FIXED, FLOOR, UNIT]
    }

    pub(super) fn of(setting: &Setting) -> Self {
        let name = setting.text(&PRICING);
        let pricing = PricingRule::ALL.into_iter().find(|rule| rule.name() == name);
        let amount = |parameter: &Parameter| rate(setting.real(parameter));
        Self {
            pricing: pricing.unwrap_or(PricingRule::Vickrey),
            terms: PricingTerms {
                posted: amount(&POSTED),
                // Money squared: a micro-credit squared is a millionth of a millionth.
                weight: rate(setting.real(&WEIGHT) * 1e6).0,
                bonus: amount(&BONUS),
                fixed: amount(&FIXED),
                floor: amount(&FLOOR),
            },
            bid: amount(&RESERVE),
            unit: amount(&UNIT),
        }
    }

    /// The constants of the max-min rule.
    pub(super) fn max_min(&self) -> Terms {
        self.terms.into()
    }

    /// K in credits squared, as a figure.
    pub(super) fn weight(&self) -> f64 {
        self.terms.weight as f64 / 1e12
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_that_can_be_set_are_those_that_ship() {
        assert_eq!(PricingRule::ALL.map(PricingRule::name).as_slice(), RULES);
    }
}
