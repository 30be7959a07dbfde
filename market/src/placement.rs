//! Where a market lies on the circle, and which markets an arc holds.

pub mod single;

use proto::{Market, RingId};

/// The key whose responsible node owns `market`.
#[must_use]
pub fn key(market: Market) -> RingId {
    single::key(market)
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
    use proto::{Commodity, Range, RingId};

    fn compute(class: u32) -> Market {
        Market { commodity: Commodity::Compute, class }
    }

    fn check(range: Range, from: u32, run_to: Option<u32>, next: Option<u32>) {
        let held = |market| range.contains(key(market));
        let found: Vec<u32> = run(compute(from), held).map(|market| market.class).collect();
        let expected: Vec<u32> = run_to.map_or_else(Vec::new, |last| (from..=last).collect());
        assert_eq!((found, next_outside(compute(from), held)), (expected, next.map(compute)));
    }

    #[test]
    fn an_arc_holds_the_markets_whose_keys_lie_on_it() {
        let arc = |after: u32, until: u32| Range { after: key(compute(after)), until: key(compute(until)) };
        let whole = Range { after: RingId([9; 20]), until: RingId([9; 20]) };
        check(arc(10, 14), 11, Some(14), Some(15));
        check(arc(10, 14), 13, Some(14), Some(15));
        check(arc(10, 14), 10, None, Some(10));
        check(arc(90, 3), 91, Some(95), None);
        check(arc(90, 3), 0, Some(3), Some(4));
        check(whole, 0, Some(95), None);
    }
}
