//! Batches of slices under every rule: what holds of all of them, and where a batch is what its rule says.

use market::pricing::batch::{Award, Offer, award, choose};
use market::pricing::{Ask, max_min, posted, uniform, vcg, vickrey};
use proptest::prelude::*;
use proto::rules::{PricingRule, PricingTerms};
use proto::{Hash, Rate};

/// Constants that matter among asks below 50.
const TERMS: PricingTerms =
    PricingTerms { posted: Rate(25), weight: 300, bonus: Rate(2), fixed: Rate(1), floor: Rate(3) };

/// Rates and slices of sellers 0, 1, ..., in the order of rate and lot.
fn offers(all: &[(u64, u32)]) -> Vec<Offer<usize>> {
    let lot = |who: usize| Hash([u8::try_from(who * 7 % 11).unwrap(); 32]);
    let offer = |(who, (rate, slices)): (usize, &(u64, u32))| Offer {
        ask: Ask { rate: Rate(*rate), lot: lot(who), who },
        slices: *slices,
    };
    let mut offers: Vec<Offer<usize>> = all.iter().enumerate().map(offer).collect();
    offers.sort_by_key(|offer| (offer.ask.rate, offer.ask.lot));
    offers
}

/// What is sold and for how much when everybody keeps what it was asked for.
fn sell(
    rule: PricingRule,
    all: &[(u64, u32)],
    count: usize,
    bid: u64,
) -> (Vec<Ask<usize>>, Vec<Award<usize>>) {
    let mut left: Vec<Offer<usize>> = offers(all);
    left.retain(|offer| offer.slices > 0);
    let sold = choose(rule, &TERMS, &left, count, Rate(bid));
    for ask in &sold {
        left.iter_mut().find(|offer| offer.ask == *ask).unwrap().slices -= 1;
    }
    left.retain(|offer| offer.slices > 0 && offer.ask.rate <= Rate(bid));
    let awards = award(rule, &TERMS, &sold, &left, Rate(bid)).unwrap();
    (sold, awards)
}

/// What `seller` gains whose slices cost it `cost` each.
fn profit(rule: PricingRule, all: &[(u64, u32)], count: usize, bid: u64, seller: usize, cost: u64) -> i128 {
    let mine = |award: &&Award<usize>| award.who == seller;
    let gain = |award: &Award<usize>| i128::from(award.price.clearing.0) - i128::from(cost);
    sell(rule, all, count, bid).1.iter().filter(mine).map(gain).sum()
}

fn some(slices: std::ops::Range<u32>) -> impl Strategy<Value = Vec<(u64, u32)>> {
    prop::collection::vec((0_u64..50, slices), 1..8)
}

fn rules() -> impl Strategy<Value = PricingRule> {
    prop::sample::select(&PricingRule::ALL[..])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn nobody_loses_and_the_buyer_pays_at_most_its_bid(
        rule in rules(),
        all in some(0..4),
        count in 0_usize..9,
        bid in 0_u64..80,
    ) {
        let (sold, awards) = sell(rule, &all, count, bid);
        prop_assert!(awards.len() <= sold.len() && sold.len() <= count);
        for (ask, award) in sold.iter().zip(&awards) {
            prop_assert_eq!(award.who, ask.who);
            prop_assert!(ask.rate <= award.price.clearing, "{:?}", award);
            // What the buyer pays is what seller and owner get, and the owner gets something by one rule only.
            prop_assert!(award.price.total().unwrap() <= Rate(bid));
            prop_assert!(rule == PricingRule::MaxMin || award.price.owner_rate == Rate(0));
            prop_assert!(award.setter.is_none_or(|setter| setter.rate >= ask.rate));
        }
        for (who, (_, slices)) in all.iter().enumerate() {
            prop_assert!(awards.iter().filter(|award| award.who == who).count() <= *slices as usize);
        }
    }

    #[test]
    fn the_cheapest_sell_but_for_a_posted_price(
        rule in rules(),
        all in some(0..4),
        count in 0_usize..9,
        bid in 0_u64..80,
    ) {
        let mut within: Vec<u64> = all
            .iter()
            .filter(|(rate, _)| *rate <= bid && (rule != PricingRule::Posted || *rate <= 25))
            .flat_map(|(rate, slices)| (0..*slices).map(|_| *rate))
            .collect();
        within.sort_unstable();
        within.truncate(count);
        let (sold, awards) = sell(rule, &all, count, bid);
        let rates: Vec<u64> = sold.iter().map(|ask| ask.rate.0).collect();
        match rule {
            PricingRule::Posted if bid < 25 => prop_assert!(sold.is_empty()),
            PricingRule::Posted => prop_assert_eq!(rates.len(), within.len()),
            // Where the owner's part does not fit under the bid too, the rest is not sold.
            PricingRule::MaxMin => prop_assert_eq!(&rates[..], &within[..rates.len()]),
            _ => prop_assert_eq!(rates, within),
        }
        prop_assert_eq!(awards.len(), sold.len());
    }

    /// Vickrey for one slice; uniform where everybody has one; VCG and a posted price always.
    #[test]
    fn no_report_pays_more_than_the_true_cost_where_the_rule_is_truthful(
        all in some(1..4),
        count in 0_usize..9,
        bid in 0_u64..80,
        who in 0_usize..8,
        report in 0_u64..90,
    ) {
        let who = who % all.len();
        let units: Vec<(u64, u32)> = all.iter().map(|(rate, _)| (*rate, 1)).collect();
        for (rule, all, count) in [
            (PricingRule::Vickrey, &all, count.min(1)),
            (PricingRule::Uniform, &units, count),
            (PricingRule::Vcg, &all, count),
            (PricingRule::Posted, &all, count),
        ] {
            let mut reports = all.clone();
            reports[who].0 = report;
            let cost = all[who].0;
            let (lie, truth) =
                (profit(rule, &reports, count, bid, who, cost), profit(rule, all, count, bid, who, cost));
            prop_assert!(lie <= truth, "{rule:?}: {lie} instead of {truth}");
        }
    }

    #[test]
    fn holding_slices_back_gains_nothing_under_vcg(
        all in some(1..4),
        count in 0_usize..9,
        bid in 0_u64..80,
        who in 0_usize..8,
        kept_back in 0_u32..4,
    ) {
        let who = who % all.len();
        let mut fewer = all.clone();
        fewer[who].1 = fewer[who].1.saturating_sub(kept_back);
        let gain = |all: &[(u64, u32)]| profit(PricingRule::Vcg, all, count, bid, who, fewer[who].0);
        prop_assert!(gain(&fewer) <= gain(&all));
    }

    #[test]
    fn a_batch_is_what_its_rule_says(all in some(1..4), count in 1_usize..9, bid in 0_u64..80) {
        let ask = |offer: &Offer<usize>| offer.ask;
        let slices = |all: &[Offer<usize>]| -> Vec<Ask<usize>> {
            all.iter().flat_map(|offer| (0..offer.slices).map(|_| offer.ask)).collect()
        };
        let offers = offers(&all);
        let batch = uniform::clear(slices(&offers), count, Rate(bid));
        let (sold, awards) = sell(PricingRule::Uniform, &all, count, bid);
        prop_assert_eq!(sold.iter().map(|ask| ask.who).collect::<Vec<_>>(), batch.winners);
        prop_assert!(awards.iter().all(|award| award.price.clearing == batch.price));
        prop_assert!(awards.iter().all(|award| award.setter.map(|ask| ask.who) == batch.runner_up));

        let units = offers.iter().map(|offer| {
            let Ask { rate, lot, who } = offer.ask;
            vcg::Offer { rate, lot, who, units: offer.slices.into() }
        });
        let (_, awards) = sell(PricingRule::Vcg, &all, count, bid);
        for expected in vcg::clear(units, count as u64, Rate(bid)).unwrap() {
            let mine = awards.iter().filter(|award| award.who == expected.who);
            let pays: Vec<u64> = mine.map(|award| award.price.clearing.0).collect();
            prop_assert_eq!((pays.len() as u64, pays.iter().sum::<u64>()), (expected.units, expected.pay.0));
        }

        let one = |rule| sell(rule, &all, 1, bid).1.first().map(|award| (award.who, award.price));
        let paid = |who, clearing, owner_rate| (who, market::pricing::Price { clearing, owner_rate });
        let sale = vickrey::clear(offers.iter().map(ask), Rate(bid));
        prop_assert_eq!(one(PricingRule::Vickrey), sale.map(|sale| paid(sale.winner, sale.price, Rate(0))));
        let sale = posted::clear(offers.iter().map(ask), TERMS.posted, Rate(bid));
        prop_assert_eq!(one(PricingRule::Posted), sale.map(|sale| paid(sale.winner, sale.price, Rate(0))));
        let sale = max_min::clear(&TERMS.into(), offers.iter().map(ask), Rate(bid)).unwrap();
        let sale = sale.map(|sale| paid(sale.winner, sale.to_seller, sale.to_owner));
        prop_assert_eq!(one(PricingRule::MaxMin), sale);
    }
}

/// Against truthfulness of slices that are sold one after the other: costs 1, 5 and 9, a bid of 10, two slices. With the
/// truth the first sells at 5; if it asks for 6, the second is sold before it and it is paid 9.
#[test]
fn counterexample_in_a_batch_one_after_the_other_it_pays_to_come_later() {
    let gain = |rule, report| profit(rule, &[(report, 1), (5, 1), (9, 1)], 2, 10, 0, 1);
    assert_eq!((gain(PricingRule::Vickrey, 1), gain(PricingRule::Vickrey, 6)), (4, 8));
    assert_eq!((gain(PricingRule::Uniform, 1), gain(PricingRule::Uniform, 6)), (8, 8));
}

/// Against truthfulness of the uniform rule where a seller has two slices: at a cost of 1, two slices sell at 2, the
/// next own one; with the third kept back they sell at 5. VCG pays the same both times.
#[test]
fn counterexample_a_seller_of_several_slices_keeps_one_back() {
    let gain = |rule, slices| profit(rule, &[(1, slices), (5, 2)], 2, 10, 0, 1);
    assert_eq!((gain(PricingRule::Uniform, 3), gain(PricingRule::Uniform, 2)), (0, 8));
    assert_eq!((gain(PricingRule::Vcg, 3), gain(PricingRule::Vcg, 2)), (8, 8));
}

/// Against truthfulness of first price and max-min: a report just below the next ask keeps the sale and is paid.
#[test]
fn counterexample_who_is_paid_its_own_ask_asks_for_more() {
    for (rule, expected) in [(PricingRule::FirstPrice, (0, 7)), (PricingRule::MaxMin, (2, 9))] {
        let gain = |report| profit(rule, &[(report, 1), (12, 1)], 1, 40, 0, 4);
        assert_eq!((gain(4), gain(11)), expected, "{rule:?}");
    }
}

/// Max-min: the owner's part is by the spread, and what would exceed the bid with it is not sold.
#[test]
fn under_max_min_seller_and_owner_together_stay_within_the_bid() {
    let (_, awards) = sell(PricingRule::MaxMin, &[(10, 1), (20, 1), (30, 1)], 3, 60);
    let paid: Vec<(u64, u64)> =
        awards.iter().map(|award| (award.price.clearing.0, award.price.owner_rate.0)).collect();
    // 300·20/900 + 1, 300·10/900 + 1, and alone only the fixed part.
    assert_eq!(paid, [(12, 7), (22, 4), (32, 1)]);
    assert_eq!(sell(PricingRule::MaxMin, &[(10, 1), (20, 1), (30, 1)], 3, 32).0.len(), 2);
    assert_eq!(sell(PricingRule::MaxMin, &[(10, 1), (18, 1)], 1, 15).0.len(), 1);
    assert_eq!(sell(PricingRule::MaxMin, &[(10, 1), (15, 1)], 1, 15).0.len(), 0);
}
