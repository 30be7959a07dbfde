//! Procurement of several units (reference §5.5).

use crate::asks;
use market::pricing::vcg::{Award, Offer, clear};
use market::pricing::{Fault, uniform};
use proptest::prelude::*;
use proto::{Hash, Money, Rate};

fn offers(all: &[(u64, u64)]) -> Vec<Offer<usize>> {
    let offer = |(who, (rate, units)): (usize, &(u64, u64))| Offer {
        rate: Rate(*rate),
        units: *units,
        lot: Hash([u8::try_from(who).unwrap(); 32]),
        who,
    };
    all.iter().enumerate().map(offer).collect()
}

/// The least cost of `demand` units, unit by unit, with the bid for what nobody offers.
fn least_cost(all: &[(u64, u64)], demand: u64, bid: u64) -> u64 {
    let mut units: Vec<u64> =
        all.iter().flat_map(|(rate, units)| (0..*units).map(move |_| (*rate).min(bid))).collect();
    units.sort_unstable();
    (0..usize::try_from(demand).unwrap()).map(|place| units.get(place).copied().unwrap_or(bid)).sum()
}

fn of(awards: &[Award<usize>], seller: usize) -> (u64, u64) {
    awards.iter().find(|award| award.who == seller).map_or((0, 0), |award| (award.units, award.pay.0))
}

fn profit(all: &[(u64, u64)], demand: u64, bid: u64, seller: usize, cost: u64) -> i128 {
    let (units, pay) = of(&clear(offers(all), demand, Rate(bid)).unwrap(), seller);
    i128::from(pay) - i128::from(units) * i128::from(cost)
}

fn some_offers(least: usize) -> impl Strategy<Value = Vec<(u64, u64)>> {
    prop::collection::vec((0_u64..50, 0_u64..5), least..8)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn everybody_is_paid_what_its_absence_would_cost(
        all in some_offers(0),
        demand in 0_u64..12,
        bid in 0_u64..60,
    ) {
        let awards = clear(offers(&all), demand, Rate(bid)).unwrap();
        let cost = least_cost(&all, demand, bid);
        let mut spent = 0;
        for award in &awards {
            let own = award.units * all[award.who].0;
            let mut others = all.clone();
            others[award.who].1 = 0;
            prop_assert_eq!(award.pay.0, least_cost(&others, demand, bid) - (cost - own));
            prop_assert!(own <= award.pay.0 && award.pay.0 <= award.units * bid);
            prop_assert!(0 < award.units && award.units <= all[award.who].1);
            spent += own;
        }
        let bought: u64 = awards.iter().map(|award| award.units).sum();
        let within: u64 = all.iter().filter(|(rate, _)| *rate <= bid).map(|(_, units)| units).sum();
        prop_assert_eq!(bought, demand.min(within));
        prop_assert_eq!(spent + (demand - bought) * bid, cost);
    }

    #[test]
    fn no_report_pays_more_than_the_truth(
        all in some_offers(1),
        demand in 0_u64..12,
        bid in 0_u64..60,
        who in 0_usize..8,
        report in 0_u64..70,
        kept in 0_u64..5,
    ) {
        let who = who % all.len();
        let (cost, units) = all[who];
        let mut reports = all.clone();
        reports[who] = (report, units.saturating_sub(kept));
        prop_assert!(profit(&reports, demand, bid, who, cost) <= profit(&all, demand, bid, who, cost));
    }

    #[test]
    fn with_one_unit_each_all_are_paid_the_same_price(
        rates in prop::collection::vec(0_u64..50, 0..9),
        count in 0_u8..9,
        bid in 0_u64..60,
    ) {
        let all: Vec<(u64, u64)> = rates.iter().map(|rate| (*rate, 1)).collect();
        let awards = clear(offers(&all), u64::from(count), Rate(bid)).unwrap();
        let batch = uniform::clear(asks(&rates), usize::from(count), Rate(bid));
        let expected: Vec<Award<usize>> =
            batch.winners.iter().map(|who| Award { who: *who, units: 1, pay: Money(batch.price.0) }).collect();
        prop_assert_eq!(awards, expected);
    }
}

#[test]
fn amounts_too_large_are_an_error_and_the_largest_that_fit_are_not() {
    let largest = clear(offers(&[(0, u64::MAX)]), u64::MAX, Rate(1)).unwrap();
    assert_eq!(largest, [Award { who: 0, units: u64::MAX, pay: Money(u64::MAX) }]);
    assert_eq!(clear(offers(&[(0, u64::MAX)]), u64::MAX, Rate(2)), Err(Fault::Overflow));
    assert_eq!(clear(offers(&[(0, u64::MAX)]), u64::MAX, Rate(u64::MAX)), Err(Fault::Overflow));
}

/// Against collusion: two sellers with a unit at 1 each are paid 5 each; as one seller of two units they are paid 14.
#[test]
fn counterexample_sellers_that_act_as_one_gain() {
    let apart = clear(offers(&[(1, 1), (1, 1), (5, 1), (9, 1)]), 2, Rate(20)).unwrap();
    assert_eq!((of(&apart, 0), of(&apart, 1)), ((1, 5), (1, 5)));
    let together = clear(offers(&[(1, 2), (5, 1), (9, 1)]), 2, Rate(20)).unwrap();
    assert_eq!(of(&together, 0), (2, 14));
}
