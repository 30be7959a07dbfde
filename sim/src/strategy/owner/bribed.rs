//! Who names the second cheapest seller when that one pays for it (reference §5.3: under the max-min rule it costs the owner
//! only `K·(c₂ − c₁)/(4·c₁·c₂)`). Where its pay does not depend on who sells, any bribe will do.

use super::{Deal, Kind, Owner, Stall, by_report, by_the_rule, doubled, sorted, twice};
use crate::experiment::Parameter;
use crate::price::rate;
use market::pricing::max_min::Terms;
use proto::Rate;
use proto::rules::PricingRule;

/// What the second seller offers.
const BRIBE: Parameter = Parameter::real(
    "strategies.bribe_credits",
    0.01,
    0.0,
    1e6,
    "what the second cheapest seller pays a `bribed` owner for the sale, in credits per Gc",
);

/// Who favours for a bribe.
pub(super) const KIND: Kind = Kind {
    name: "bribed",
    about: "names the second cheapest seller if the bribe exceeds what that costs",
    parameters: || vec![BRIBE],
    owner: |setting| Box::new(Bribed { bribe: rate(setting.real(&BRIBE)) }),
};

struct Bribed {
    bribe: Rate,
}

impl Owner for Bribed {
    fn arrange(&self, stall: &Stall<'_>) -> Option<Deal> {
        let asks = sorted(stall);
        let (first, second) = (asks.first().copied()?, asks.get(1).copied());
        if stall.rule == PricingRule::MaxMin {
            let terms = Terms::from(*stall.terms);
            let truth = by_report(stall, first, twice(first.rate));
            let Some(second) = second else { return truth };
            let with_bribe = doubled(&terms, second.rate)?.0.saturating_add(self.bribe.0);
            let is_favoured = with_bribe > doubled(&terms, first.rate)?.0;
            return if is_favoured { by_report(stall, second, twice(second.rate)) } else { truth };
        }
        if second.is_some() && self.bribe > Rate(0) {
            return by_the_rule(&Stall { asks: asks.get(1..)?, ..*stall });
        }
        by_the_rule(stall)
    }
}
