//! What slices would cost now, under each rule that a network can have: from a survey, without buying.
//!
//! A purchase is made in the lowest market in which somebody fits, so slices are taken market by market upwards, in
//! batches as a buyer asks for them. What comes out is an estimate: others buy meanwhile, and what owners say of their
//! markets is not proved before a ticket.

use crate::Overview;
use crate::pricing::Ask;
use crate::pricing::batch::{self, Offer};
use proto::message::market::MAX_BATCH;
use proto::message::survey::{Fit, Inquiry};
use proto::rules::{PricingRule, PricingTerms};
use proto::{Hash, Rate};

/// What slices would cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Price {
    /// By which rule.
    pub rule: PricingRule,
    /// Slices that would be sold now, at most as many as were asked for.
    pub slices: u64,
    /// What they cost on average, what the rule gives the owner included and its fee not: in micro-credits per Gc, or
    /// per GiB and hour; rounded up. `None` when nothing would be sold.
    pub rate: Option<Rate>,
}

/// What the slices of inquiry number `index`, that is `inquiry`, would cost now under `rule` with the constants `terms`.
#[must_use]
pub fn price(
    overview: &Overview,
    index: usize,
    inquiry: &Inquiry,
    rule: PricingRule,
    terms: &PricingTerms,
) -> Price {
    let (mut open, mut sum) = (u64::from(inquiry.slices), 0_u128);
    for fit in overview.markets.values().filter_map(|known| known.state.fits.get(index)) {
        let (sold, cost) = charge(rule, fit, open, inquiry.bid, terms);
        open = open.saturating_sub(sold);
        sum = sum.saturating_add(cost);
    }
    let slices = u64::from(inquiry.slices).saturating_sub(open);
    let average = (slices > 0).then(|| sum.div_ceil(u128::from(slices)));
    Price { rule, slices, rate: average.map(|rate| Rate(u64::try_from(rate).unwrap_or(u64::MAX))) }
}

/// How many of `wanted` slices are sold in one market, and the sum of their rates.
fn charge(rule: PricingRule, fit: &Fit, wanted: u64, bid: Rate, terms: &PricingTerms) -> (u64, u128) {
    let mut offers = offers(fit);
    let (mut sold, mut sum) = (0_u64, 0_u128);
    while sold < wanted {
        let open = usize::try_from(wanted - sold).unwrap_or(usize::MAX);
        let count = open.min(MAX_BATCH);
        let chosen = batch::choose(rule, terms, &offers, count, bid);
        for ask in &chosen {
            if let Some(offer) = offers.get_mut(ask.who) {
                offer.slices = offer.slices.saturating_sub(1);
            }
        }
        let awards = batch::award(rule, terms, &chosen, &offers, bid).unwrap_or_default();
        for award in &awards {
            let rate = award.price.total().unwrap_or(bid);
            (sold, sum) = (sold.saturating_add(1), sum.saturating_add(u128::from(rate.0)));
        }
        if awards.len() < count {
            break;
        }
    }
    (sold, sum)
}

/// What the rules see of a market: sellers by their place in it, and the dearest if it is not among those that are named.
fn offers(fit: &Fit) -> Vec<Offer<usize>> {
    let last = fit.offers.last().map_or(Rate(0), |offer| offer.ask);
    let dearest = (fit.highest > last && !fit.offers.is_empty()).then_some((fit.highest, 1));
    let named = fit.offers.iter().map(|offer| (offer.ask, offer.slices)).chain(dearest);
    let offer = |(who, (rate, slices))| Offer { ask: Ask { rate, lot: Hash::default(), who }, slices };
    named.enumerate().map(offer).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Known;
    use proto::message::market::Requirement;
    use proto::message::survey::{MarketState, Offered};
    use proto::{Commodity, KeyPair, Market, Peer};

    fn fit(offers: &[(u64, u32)]) -> Fit {
        let offers: Vec<Offered> =
            offers.iter().map(|(ask, slices)| Offered { ask: Rate(*ask), slices: *slices }).collect();
        let highest = offers.last().map(|offer| offer.ask).unwrap_or_default();
        Fit { offers, highest, ..Fit::default() }
    }

    fn overview(markets: &[&[(u64, u32)]]) -> Overview {
        let owner = Peer::new("10.0.0.1:1".parse().unwrap(), 0, KeyPair::from_secret([1; 32]).public());
        let mut overview = Overview::default();
        for (class, offers) in (0..).zip(markets) {
            let market = Market { commodity: Commodity::Compute, class };
            let state = MarketState {
                market,
                sellers: 0,
                amount: 0,
                asks: None,
                cheaper: 0,
                matches: 0,
                last: None,
                fits: vec![fit(offers)],
            };
            overview.markets.insert(market, Known { owner, state });
        }
        overview
    }

    /// Slices sold and their average under Vickrey, first price, max-min (K = 100, π = 1), posted (5), uniform and VCG.
    fn check(markets: &[&[(u64, u32)]], slices: u32, bid: u64, expected: [(u64, Option<u64>); 6]) {
        let terms =
            PricingTerms { posted: Rate(5), weight: 100, bonus: Rate(1), fixed: Rate(0), floor: Rate(1) };
        let inquiry = Inquiry { requirement: Requirement::default(), bid: Rate(bid), slices };
        let found = PricingRule::ALL.map(|rule| {
            let Price { slices, rate, .. } = price(&overview(markets), 0, &inquiry, rule, &terms);
            (slices, rate.map(|rate| rate.0))
        });
        assert_eq!(found, expected, "{markets:?} {slices} {bid}");
    }

    #[test]
    fn every_rule_has_its_price_for_one_slice() {
        // Max-min: 1 + 1 to the seller, 100·(9 − 1)/81 = 9 to the owner.
        let one = |rate| (1, Some(rate));
        check(&[&[(1, 1), (5, 1), (9, 1)]], 1, 20, [one(5), one(1), one(11), one(5), one(5), one(5)]);
        check(&[&[(3, 2)]], 1, 20, [one(20), one(3), one(4), one(5), one(3), one(20)]);
    }

    #[test]
    fn several_slices_are_taken_from_the_cheapest_upwards() {
        // Two of seller 1 and one of seller 5: Vickrey 5 + 5 + 9; uniform 9; VCG 5-seller 9, 1-seller 9 + bid 20.
        // Posted: three at 5. Max-min: twice 1 + 1 + 9, once 5 + 1 + 100·4/81 = 4.
        check(
            &[&[(1, 2), (5, 1), (9, 1)]],
            3,
            20,
            [(3, Some(7)), (3, Some(3)), (3, Some(11)), (3, Some(5)), (3, Some(9)), (3, Some(13))],
        );
    }

    #[test]
    fn what_one_market_does_not_have_comes_from_the_next() {
        // Max-min would have to pay 2 + 1 + 100·2/16 in the second market, which is more than the bid.
        check(
            &[&[(7, 1)], &[(2, 1), (4, 1)]],
            2,
            10,
            [(2, Some(7)), (2, Some(5)), (1, Some(8)), (2, Some(5)), (2, Some(7)), (2, Some(7))],
        );
    }

    #[test]
    fn where_nobody_fits_nothing_has_a_price() {
        check(&[&[], &[]], 2, 10, [(0, None); 6]);
    }
}
