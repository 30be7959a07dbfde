//! Who lists a seller that does not exist (reference §5.2 and §5.3).
//!
//! Where a loser sets the price, the phantom asks for one unit more than the cheapest and keeps the price down, for a buyer
//! in league with the owner. Under the max-min rule it asks for twice the lowest cost, which is the highest report that pays
//! the owner best.

use super::{Deal, Kind, Owner, Stall, by_the_rule, sorted};
use market::pricing::Ask;
use proto::Rate;
use proto::rules::PricingRule;

/// Who lists a phantom.
pub(super) const KIND: Kind = Kind {
    name: "shill",
    about: "lists a phantom: just above the cheapest where losers set the price, at twice its cost under max-min",
    parameters: Vec::new,
    owner: |_| Box::new(Shill),
};

struct Shill;

/// The phantom's number: that of no seller.
const PHANTOM: usize = usize::MAX;

impl Owner for Shill {
    fn arrange(&self, stall: &Stall<'_>) -> Option<Deal> {
        let asks = sorted(stall);
        let lowest = asks.first().copied()?;
        let rate = match stall.rule {
            PricingRule::MaxMin => Rate(lowest.rate.0.saturating_mul(2)),
            _ => Rate(lowest.rate.0.saturating_add(stall.unit.0.max(1))),
        };
        let phantom = Ask { rate, lot: proto::Hash([u8::MAX; 32]), who: PHANTOM };
        // What is dearer than the phantom under the max-min rule is hidden, so that the phantom is the highest.
        let is_shown = |ask: &Ask<usize>| stall.rule != PricingRule::MaxMin || ask.rate <= rate;
        let shown: Vec<Ask<usize>> = asks.into_iter().filter(is_shown).chain([phantom]).collect();
        by_the_rule(&Stall { asks: &shown, ..*stall })
    }
}
