//! The first-price rule (reference §5.3 and §5.5).

use crate::{asks, gain};
use market::pricing::{first_price, vickrey};
use proptest::prelude::*;
use proto::Rate;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn the_winner_is_vickreys_and_is_paid_its_ask(
        rates in prop::collection::vec(0_u64..50, 0..9),
        bid in 0_u64..60,
    ) {
        let first = first_price::clear(asks(&rates), Rate(bid));
        let second = vickrey::clear(asks(&rates), Rate(bid));
        prop_assert_eq!(first.map(|sale| sale.winner), second.map(|sale| sale.winner));
        prop_assert_eq!(first.map(|sale| sale.runner_up), second.map(|sale| sale.runner_up));
        if let (Some(first), Some(second)) = (first, second) {
            prop_assert_eq!(first.price.0, rates[first.winner]);
            prop_assert!(first.price <= second.price && first.price.0 <= bid);
        }
    }

    /// With n sellers, costs spread evenly over 0..=1 and everybody else asking for `c + (1 − c)/n`, a report r
    /// wins with probability (n(1 − r)/(n − 1))^(n − 1); in thousandths here, the constant factor left out.
    #[test]
    fn in_equilibrium_everybody_asks_for_its_share_of_the_rest_more(n in 2_u32..6, step in 0_u64..16) {
        let cost = 60 * step;
        let profit = |report: u64| i128::from(report) - i128::from(cost);
        let chance = |report: u64| i128::from(1_000 - report).pow(n - 1);
        let lowest = 1_000 / u64::from(n);
        let best = (lowest..=1_000).max_by_key(|report| profit(*report) * chance(*report)).unwrap();
        let theory = cost + (1_000 - cost) / u64::from(n);
        prop_assert!(best.abs_diff(theory) <= 1, "{best} instead of {theory}");
    }
}

/// Against truthfulness: the truth gains nothing, a report just below the next gains all there is.
#[test]
fn counterexample_the_truth_gains_nothing() {
    let of = |rates: &[u64]| {
        let sale = first_price::clear(asks(rates), Rate(1_000)).unwrap();
        gain(sale.winner == 0, sale.price, 100)
    };
    assert_eq!((of(&[100, 200, 300]), of(&[199, 200, 300]), of(&[201, 200, 300])), (0, 99, 0));
    assert_eq!(of(&[1_000]), 900, "who is alone takes the bid");
}

/// Against efficiency: costs of 150 and 200. The first seller expects dear rivals and asks for 210, the second tells
/// the truth and sells, though it is the dearer one.
#[test]
fn counterexample_the_dearer_seller_wins_where_sellers_shade_differently() {
    let winner = |rates: &[u64]| first_price::clear(asks(rates), Rate(1_000)).unwrap().winner;
    assert_eq!((winner(&[150, 200]), winner(&[210, 200])), (0, 1));
}
