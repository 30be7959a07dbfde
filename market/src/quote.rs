//! What slices would cost now, under each rule by which one side of a market bids: from a survey, without buying.
//!
//! A purchase is made in the lowest market in which somebody fits, so slices are taken market by market upwards. What
//! comes out is an estimate: others buy meanwhile, and what owners say of their markets is not proved before a ticket.

use crate::Overview;
use crate::pricing::max_min::{self, Report, Terms};
use crate::pricing::vcg;
use proto::message::survey::{Fit, Inquiry, Offered};
use proto::rules::{PricingRule, PricingTerms};
use proto::{Hash, Rate};

/// A rule under which sellers ask and the buyer only names its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// One slice after the other, each at the next seller's ask.
    Vickrey,
    /// Each slice at its seller's ask.
    FirstPrice,
    /// All slices at the ask of the first slice that is not bought.
    Uniform,
    /// Each seller gets what its absence would cost.
    Vcg,
    /// All slices at the network's posted price.
    Posted,
    /// Each slice at its seller's ask and the bonus, and the owner's part by the paper's Equation 1.
    MaxMin,
}

/// What slices would cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Price {
    /// By which rule.
    pub rule: Rule,
    /// Slices that would be sold now, at most as many as were asked for.
    pub slices: u64,
    /// What they cost on average, what the rule gives the owner included and its fee not: in micro-credits per Gc, or
    /// per GiB and hour; rounded up. `None` when nothing would be sold.
    pub rate: Option<Rate>,
}

impl Rule {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Vickrey, Self::FirstPrice, Self::Uniform, Self::Vcg, Self::Posted, Self::MaxMin];

    /// The name, as it is shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Vickrey => "vickrey",
            Self::FirstPrice => "first-price",
            Self::Uniform => "uniform",
            Self::Vcg => "vcg",
            Self::Posted => "posted",
            Self::MaxMin => "max-min",
        }
    }

    /// The rule of a network.
    #[must_use]
    pub const fn of(rule: PricingRule) -> Self {
        match rule {
            PricingRule::Vickrey => Self::Vickrey,
            PricingRule::FirstPrice => Self::FirstPrice,
        }
    }
}

/// What the slices of inquiry number `index`, that is `inquiry`, would cost now under `rule` with the constants `terms`.
#[must_use]
pub fn price(
    overview: &Overview,
    index: usize,
    inquiry: &Inquiry,
    rule: Rule,
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
fn charge(rule: Rule, fit: &Fit, wanted: u64, bid: Rate, terms: &PricingTerms) -> (u64, u128) {
    match rule {
        Rule::Vickrey => {
            let next = |place: usize| fit.offers.get(place + 1).map_or(bid, |offer| offer.ask.min(bid));
            sum_up(&fit.offers, wanted, |place, _| Some(next(place)))
        }
        Rule::FirstPrice => sum_up(&fit.offers, wanted, |_, offer| Some(offer.ask)),
        Rule::Uniform => {
            let price = ask_of_slice(&fit.offers, wanted).unwrap_or(bid).min(bid);
            sum_up(&fit.offers, wanted, |_, _| Some(price))
        }
        Rule::Vcg => {
            let offer = |(who, offer): (usize, &Offered)| vcg::Offer {
                rate: offer.ask,
                units: u64::from(offer.slices),
                lot: Hash::default(),
                who,
            };
            let awards = vcg::clear(fit.offers.iter().enumerate().map(offer), wanted, bid);
            awards
                .unwrap_or_default()
                .iter()
                .fold((0, 0), |(sold, sum), award| (sold + award.units, sum + u128::from(award.pay.0)))
        }
        Rule::Posted => {
            let posted = terms.posted;
            sum_up(&fit.offers, wanted, |_, offer| (offer.ask <= posted && posted <= bid).then_some(posted))
        }
        Rule::MaxMin => sum_up(&fit.offers, wanted, |_, offer| {
            let report = Report { lowest: offer.ask, highest: fit.highest.max(offer.ask) };
            max_min::buyer_cost(&terms_of(terms), report).ok().filter(|cost| *cost <= bid)
        }),
    }
}

/// Takes up to `wanted` slices, the cheapest first, at the price that `price` has for an offer, up to the first that has
/// none.
fn sum_up(offers: &[Offered], wanted: u64, price: impl Fn(usize, &Offered) -> Option<Rate>) -> (u64, u128) {
    let (mut sold, mut sum) = (0_u64, 0_u128);
    for (place, offer) in offers.iter().enumerate() {
        let Some(rate) = price(place, offer) else { break };
        let taken = u64::from(offer.slices).min(wanted.saturating_sub(sold));
        sold = sold.saturating_add(taken);
        sum = sum.saturating_add(u128::from(rate.0).saturating_mul(u128::from(taken)));
    }
    (sold, sum)
}

/// The ask of the slice behind the `bought` cheapest ones.
fn ask_of_slice(offers: &[Offered], bought: u64) -> Option<Rate> {
    let mut before = 0_u64;
    offers
        .iter()
        .find(|offer| {
            before = before.saturating_add(u64::from(offer.slices));
            before > bought
        })
        .map(|offer| offer.ask)
}

fn terms_of(terms: &PricingTerms) -> Terms {
    let PricingTerms { weight, bonus, fixed, floor, .. } = *terms;
    Terms { weight: u128::from(weight), bonus, fixed, floor }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Known;
    use proto::message::market::Requirement;
    use proto::message::survey::MarketState;
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

    /// Slices sold and their average under Vickrey, first price, uniform, VCG, posted (5) and max-min (K = 100, π = 1).
    fn check(markets: &[&[(u64, u32)]], slices: u32, bid: u64, expected: [(u64, Option<u64>); 6]) {
        let terms =
            PricingTerms { posted: Rate(5), weight: 100, bonus: Rate(1), fixed: Rate(0), floor: Rate(1) };
        let inquiry = Inquiry { requirement: Requirement::default(), bid: Rate(bid), slices };
        let found = Rule::ALL.map(|rule| {
            let Price { slices, rate, .. } = price(&overview(markets), 0, &inquiry, rule, &terms);
            (slices, rate.map(|rate| rate.0))
        });
        assert_eq!(found, expected, "{markets:?} {slices} {bid}");
    }

    #[test]
    fn every_rule_has_its_price_for_one_slice() {
        // Max-min: 1 + 1 to the seller, 100·(9 − 1)/81 = 9 to the owner.
        let one = |rate| (1, Some(rate));
        check(&[&[(1, 1), (5, 1), (9, 1)]], 1, 20, [one(5), one(1), one(5), one(5), one(5), one(11)]);
        check(&[&[(3, 2)]], 1, 20, [one(20), one(3), one(3), one(20), one(5), one(4)]);
    }

    #[test]
    fn several_slices_are_taken_from_the_cheapest_upwards() {
        // Two of seller 1 and one of seller 5: Vickrey 5 + 5 + 9; uniform 9; VCG 5-seller 9, 1-seller 9 + bid 20.
        // Posted: three at 5. Max-min: twice 1 + 1 + 9, once 5 + 1 + 100·4/81 = 4.
        check(
            &[&[(1, 2), (5, 1), (9, 1)]],
            3,
            20,
            [(3, Some(7)), (3, Some(3)), (3, Some(9)), (3, Some(13)), (3, Some(5)), (3, Some(11))],
        );
    }

    #[test]
    fn what_one_market_does_not_have_comes_from_the_next() {
        // Max-min would have to pay 2 + 1 + 100·2/16 in the second market, which is more than the bid.
        check(
            &[&[(7, 1)], &[(2, 1), (4, 1)]],
            2,
            10,
            [(2, Some(7)), (2, Some(5)), (2, Some(7)), (2, Some(7)), (2, Some(5)), (1, Some(8))],
        );
    }

    #[test]
    fn where_nobody_fits_nothing_has_a_price() {
        check(&[&[], &[]], 2, 10, [(0, None); 6]);
    }
}
