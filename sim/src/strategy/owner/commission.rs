//! Who takes as much as the rule lets it (reference §5.2 and §5.3).
//!
//! Under the max-min rule it names the lowest cost that the seller still accepts, one unit above the cost less the bonus, and
//! twice that as the highest. Where a loser sets the price, and a commission of the price is its pay, it hides all losers, so
//! that the price is the reserve; under first price it shows the dearest seller only.

use super::{Deal, Kind, Owner, Stall, by_report, by_the_rule, sorted, twice};
use proto::Rate;
use proto::rules::PricingRule;

/// Who takes as much as it can.
pub(super) const KIND: Kind = Kind {
    name: "commission",
    about: "takes what the rule lets it: shaves the lowest cost by the bonus, or hides the losers",
    parameters: Vec::new,
    owner: |_| Box::new(Commission),
};

struct Commission;

impl Owner for Commission {
    fn arrange(&self, stall: &Stall<'_>) -> Option<Deal> {
        let asks = sorted(stall);
        let shown = match stall.rule {
            PricingRule::MaxMin => {
                let lowest = asks.first().copied()?;
                return by_report(stall, lowest, twice(shaved(stall, lowest.rate)));
            }
            PricingRule::Vickrey | PricingRule::Uniform | PricingRule::Vcg => asks.first().copied()?,
            PricingRule::FirstPrice => asks.last().copied()?,
            PricingRule::Posted => return by_the_rule(stall),
        };
        by_the_rule(&Stall { asks: &[shown], ..*stall })
    }
}

/// The lowest report on the lattice of the unit that a seller with this cost accepts: it wants more than its cost.
fn shaved(stall: &Stall<'_>, cost: Rate) -> Rate {
    let unit = stall.unit.0.max(1);
    let least = cost.0.saturating_sub(stall.terms.bonus.0);
    // The next point of the lattice above what pays exactly the cost.
    let next = (least / unit).saturating_add(1).saturating_mul(unit);
    Rate(next).max(stall.terms.floor)
}
