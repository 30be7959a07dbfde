//! McAfee's double auction and trade reduction (reference §5.5).

use crate::{asks, bids, buyer_gain, fits, seller_gain, with, worth};
use market::pricing::mcafee::{clear, reduced};
use proptest::prelude::*;
use proto::Rate;

fn rates(least: usize) -> impl Strategy<Value = Vec<u64>> {
    prop::collection::vec(0_u64..24, least..8)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn nobody_loses_by_a_trade_and_the_budget_is_never_short(values in rates(0), costs in rates(0)) {
        for exchange in [clear(bids(&values), asks(&costs)), reduced(bids(&values), asks(&costs))] {
            prop_assert!(exchange.is_none_or(|exchange| fits(&exchange, &values, &costs)));
        }
    }

    #[test]
    fn at_most_the_least_worthwhile_trade_is_lost(values in rates(0), costs in rates(0)) {
        let (trades, most) = worth(&values, &costs);
        let gains = |exchange: &market::pricing::double::Exchange<usize, usize>| {
            let values: u64 = exchange.buyers.iter().map(|who| values[*who]).sum();
            values - exchange.sellers.iter().map(|who| costs[*who]).sum::<u64>()
        };
        let mcafee = clear(bids(&values), asks(&costs)).as_ref().map_or(0, gains);
        let fewer = reduced(bids(&values), asks(&costs)).as_ref().map_or(0, gains);
        prop_assert!(fewer <= mcafee && mcafee <= most);
        prop_assert!(fewer * trades >= most * trades.saturating_sub(1), "{fewer} of {most} in {trades}");
    }

    #[test]
    fn no_buyer_gains_by_a_false_report(
        values in rates(1), costs in rates(0), who in 0_usize..8, report in 0_u64..30,
    ) {
        let who = who % values.len();
        let reports = with(&values, who, report);
        for rule in [clear, reduced] {
            let truth = buyer_gain(&rule(bids(&values), asks(&costs)), who, values[who]);
            prop_assert!(buyer_gain(&rule(bids(&reports), asks(&costs)), who, values[who]) <= truth);
        }
    }

    #[test]
    fn no_seller_gains_by_a_false_report(
        values in rates(0), costs in rates(1), who in 0_usize..8, report in 0_u64..30,
    ) {
        let who = who % costs.len();
        let reports = with(&costs, who, report);
        for rule in [clear, reduced] {
            let truth = seller_gain(&rule(bids(&values), asks(&costs)), who, costs[who]);
            prop_assert!(seller_gain(&rule(bids(&values), asks(&reports)), who, costs[who]) <= truth);
        }
    }
}

#[test]
fn the_largest_rates_do_not_wrap() {
    let all = clear(bids(&[u64::MAX, u64::MAX - 2]), asks(&[0, u64::MAX])).unwrap();
    assert_eq!((all.buyers, all.pays), (vec![0], Rate(u64::MAX - 1)));
}

/// Against efficiency: a bid of 10 and an ask of 1, and nothing is traded.
#[test]
fn counterexample_the_only_trade_is_lost() {
    assert_eq!(clear(bids(&[10]), asks(&[1])), None);
    assert_eq!(worth(&[10], &[1]), (1, 9));
}

/// Against a balanced budget: what two trades leave over is neither the buyers' nor the sellers'.
#[test]
fn counterexample_a_reduced_auction_leaves_money_over() {
    let exchange = clear(bids(&[9, 8, 7]), asks(&[2, 3, 4])).unwrap();
    assert_eq!((exchange.buyers.len(), exchange.surplus()), (2, 6));
}
