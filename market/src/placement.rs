//! Where a market lies on the circle, and which markets an arc holds.

pub mod climb;
pub mod processor;
pub mod single;

use proto::{Commodity, Market, Placement, RingId};

/// The key whose responsible node owns `market`, by the scheme of the network (CompuP2P paper, IV-A).
#[must_use]
pub fn key(placement: Placement, market: Market) -> RingId {
    match placement {
        Placement::Single => single::key(market),
        Placement::Processor => processor::key(market),
    }
}

/// The key of a class of compute power, were there `classes` of them: for experiments with finer ones. With as many as there
/// are it is [`key`].
#[must_use]
pub fn key_among(placement: Placement, class: u32, classes: u32) -> RingId {
    match placement {
        Placement::Single => single::key_among(class, classes),
        Placement::Processor => processor::key(Market { commodity: Commodity::Compute, class }),
    }
}

/// Whether `market` is one that exists.
#[must_use]
pub const fn is_market(market: Market) -> bool {
    market.class < market.commodity.classes()
}

/// The markets from `from` upwards, in class order, up to the first one that is not `held`.
pub fn run(from: Market, held: impl Fn(Market) -> bool) -> impl Iterator<Item = Market> {
    std::iter::successors(Some(from), |market| market.next()).take_while(move |market| held(*market))
}

/// The first market from `from` upwards that is not `held`; `None` when there is none.
#[must_use]
pub fn next_outside(from: Market, held: impl Fn(Market) -> bool) -> Option<Market> {
    std::iter::successors(Some(from), |market| market.next()).find(|market| !held(*market))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::{Range, RingId};
    use std::collections::BTreeSet;

    fn compute(class: u32) -> Market {
        Market { commodity: Commodity::Compute, class }
    }

    fn check(range: Range, from: u32, run_to: Option<u32>, next: Option<u32>) {
        let held = |market| range.contains(key(Placement::Single, market));
        let found: Vec<u32> = run(compute(from), held).map(|market| market.class).collect();
        let expected: Vec<u32> = run_to.map_or_else(Vec::new, |last| (from..=last).collect());
        assert_eq!((found, next_outside(compute(from), held)), (expected, next.map(compute)));
    }

    #[test]
    fn an_arc_holds_the_markets_whose_keys_lie_on_it() {
        let arc = |after: u32, until: u32| Range {
            after: key(Placement::Single, compute(after)),
            until: key(Placement::Single, compute(until)),
        };
        let whole = Range { after: RingId([9; 20]), until: RingId([9; 20]) };
        check(arc(10, 14), 11, Some(14), Some(15));
        check(arc(10, 14), 13, Some(14), Some(15));
        check(arc(10, 14), 10, None, Some(10));
        check(arc(90, 3), 91, Some(95), None);
        check(arc(90, 3), 0, Some(3), Some(4));
        check(whole, 0, Some(95), None);
    }

    #[test]
    fn every_market_has_a_key_of_its_own_in_both_schemes() {
        for placement in [Placement::Single, Placement::Processor] {
            let markets = Commodity::ALL
                .into_iter()
                .flat_map(|commodity| (0..commodity.classes()).map(move |class| Market { commodity, class }));
            let keys: BTreeSet<RingId> = markets.map(|market| key(placement, market)).collect();
            assert_eq!(keys.len(), 96 + 64 + 64, "{placement:?}");
            assert!((0..96).all(|class| key_among(placement, class, 96) == key(placement, compute(class))));
        }
    }
}
