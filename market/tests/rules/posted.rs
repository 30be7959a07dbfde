//! A posted price (reference §5.5).

use crate::{asks, gain, with};
use market::pricing::posted;
use proptest::prelude::*;
use proto::Rate;

fn profit(rates: &[u64], price: u64, seller: usize, cost: u64) -> i128 {
    posted::clear(asks(rates), Rate(price), Rate(60))
        .map_or(0, |sale| gain(sale.winner == seller, sale.price, cost))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn nobody_loses_by_a_trade(
        rates in prop::collection::vec(0_u64..50, 0..9),
        price in 0_u64..60,
        bid in 0_u64..60,
    ) {
        match posted::clear(asks(&rates), Rate(price), Rate(bid)) {
            Some(sale) => prop_assert!(
                sale.price == Rate(price) && rates[sale.winner] <= price && price <= bid
            ),
            None => prop_assert!(price > bid || rates.iter().all(|rate| *rate > price)),
        }
    }

    #[test]
    fn no_report_pays_more_than_the_true_cost(
        costs in prop::collection::vec(0_u64..50, 1..9),
        price in 0_u64..60,
        who in 0_usize..9,
        report in 0_u64..70,
    ) {
        let who = who % costs.len();
        let reports = with(&costs, who, report);
        prop_assert!(profit(&reports, price, who, costs[who]) <= profit(&costs, price, who, costs[who]));
    }
}

#[test]
fn the_order_of_the_asks_does_not_matter() {
    let mut all = asks(&[7, 8, 9]);
    let there = posted::clear(all.clone(), Rate(8), Rate(9));
    all.reverse();
    assert_eq!(posted::clear(all, Rate(8), Rate(9)), there);
    assert_eq!(there.map(|sale| (sale.winner, sale.runner_up)), Some((0, Some(1))));
}

/// Against efficiency: the lot chooses a cost of 200 over one of 100, and a price of 99 forgoes every trade.
#[test]
fn counterexample_the_cheapest_need_not_sell() {
    let sale = posted::clear(asks(&[200, 100]), Rate(250), Rate(1_000)).unwrap();
    assert_eq!(sale.winner, 0);
    assert_eq!(posted::clear(asks(&[200, 100]), Rate(99), Rate(1_000)), None);
}
