//! The k-double auction (reference §5.5).

use crate::{asks, bids, buyer_gain, fits, seller_gain, with, worth};
use market::pricing::k_double::{Share, clear};
use proptest::prelude::*;
use proto::Rate;

fn rates(least: usize) -> impl Strategy<Value = Vec<u64>> {
    prop::collection::vec(0_u64..24, least..8)
}

fn share(numerator: u32, denominator: u32) -> Share {
    Share::new(numerator, denominator).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn one_price_suits_those_that_trade_and_those_that_do_not(
        values in rates(0), costs in rates(0), denominator in 1_u32..9, numerator in 0_u32..9,
    ) {
        let share = share(numerator.min(denominator), denominator);
        let Some(exchange) = clear(bids(&values), asks(&costs), share) else {
            prop_assert_eq!(worth(&values, &costs).0, 0);
            return Ok(());
        };
        prop_assert!(fits(&exchange, &values, &costs));
        prop_assert_eq!(exchange.pays, exchange.gets);
        prop_assert_eq!(exchange.surplus(), 0);
        let price = exchange.pays.0;
        for (who, value) in values.iter().enumerate() {
            prop_assert!(exchange.buyers.contains(&who) || *value <= price);
        }
        for (who, cost) in costs.iter().enumerate() {
            prop_assert!(exchange.sellers.contains(&who) || *cost >= price);
        }
        let paid: u64 = exchange.buyers.iter().map(|who| values[*who]).sum();
        let spent: u64 = exchange.sellers.iter().map(|who| costs[*who]).sum();
        prop_assert_eq!(paid - spent, worth(&values, &costs).1);
    }

    #[test]
    fn with_nothing_no_buyer_gains_by_a_false_report(
        values in rates(1), costs in rates(0), who in 0_usize..8, report in 0_u64..30,
    ) {
        let who = who % values.len();
        let reports = with(&values, who, report);
        let truth = buyer_gain(&clear(bids(&values), asks(&costs), share(0, 1)), who, values[who]);
        let lie = buyer_gain(&clear(bids(&reports), asks(&costs), share(0, 1)), who, values[who]);
        prop_assert!(lie <= truth);
    }

    #[test]
    fn with_all_no_seller_gains_by_a_false_report(
        values in rates(0), costs in rates(1), who in 0_usize..8, report in 0_u64..30,
    ) {
        let who = who % costs.len();
        let reports = with(&costs, who, report);
        let truth = seller_gain(&clear(bids(&values), asks(&costs), share(1, 1)), who, costs[who]);
        let lie = seller_gain(&clear(bids(&values), asks(&reports), share(1, 1)), who, costs[who]);
        prop_assert!(lie <= truth);
    }

    #[test]
    fn the_price_is_the_exact_fraction_rounded_down(
        value: u64, cost: u64, denominator in 1_u32.., numerator: u32,
    ) {
        let (value, cost) = (value.max(cost), value.min(cost));
        let numerator = numerator.min(denominator);
        let exchange = clear(bids(&[value]), asks(&[cost]), share(numerator, denominator)).unwrap();
        let (n, d) = (u128::from(numerator), u128::from(denominator));
        let exact = |price: u64| u128::from(price - cost) * d;
        let above = u128::from(value - cost) * n;
        prop_assert!(exact(exchange.pays.0) <= above && above < exact(exchange.pays.0) + d);
    }
}

/// With κ = 0 and the k-th ask alone as the lower end, the price would be 1, and who bids 9 would rather bid 11.
#[test]
fn the_first_that_do_not_trade_bound_the_price() {
    let price =
        |values: &[u64], costs: &[u64], all| clear(bids(values), asks(costs), share(all, 1)).unwrap().pays;
    assert_eq!(price(&[10, 9], &[1], 0), Rate(9));
    assert_eq!(price(&[10], &[1, 2], 1), Rate(2));
}

/// Against truthfulness: a buyer at 10 and a seller at 4, κ = 1/2. Either gains by moving the price to its side.
#[test]
fn counterexample_both_sides_gain_by_false_reports() {
    let price = |value, cost| clear(bids(&[value]), asks(&[cost]), share(1, 2)).map(|exchange| exchange.pays);
    assert_eq!(price(10, 4), Some(Rate(7)));
    assert_eq!(price(4, 4), Some(Rate(4)), "the buyer gains 6 instead of 3");
    assert_eq!(price(10, 10), Some(Rate(10)), "the seller gains 6 instead of 3");
}

/// Against efficiency once both try: a trade worth 6 fails.
#[test]
fn counterexample_a_worthwhile_trade_fails_when_both_try() {
    assert_eq!(clear(bids(&[6]), asks(&[7]), share(1, 2)), None);
    assert_eq!(worth(&[10], &[4]), (1, 6));
}
