//! Prices against the paper and the theory (paper IV-B1; reference §5.1).

use market::pricing::{Ask, Clearing, vickrey};
use proptest::prelude::*;
use proto::{Hash, Rate};

fn asks(rates: &[u64]) -> Vec<Ask<usize>> {
    let ask = |(who, rate): (usize, &u64)| Ask {
        rate: Rate(*rate),
        lot: Hash([u8::try_from(who).unwrap(); 32]),
        who,
    };
    rates.iter().enumerate().map(ask).collect()
}

fn check(rates: &[u64], bid: u64, expected: Option<(usize, Option<usize>, u64)>) {
    let cleared = vickrey::clear(asks(rates), Rate(bid));
    let expected =
        expected.map(|(winner, runner_up, price)| Clearing { winner, runner_up, price: Rate(price) });
    assert_eq!(cleared, expected, "{rates:?} for {bid}");
}

#[test]
fn the_lowest_ask_wins_and_is_paid_the_second_lowest_but_no_more_than_the_bid() {
    check(&[5, 4], 10, Some((1, Some(0), 5)));
    check(&[3, 4], 10, Some((0, Some(1), 4)));
    check(&[100, 200, 300], 1_000, Some((0, Some(1), 200)));
    check(&[1, 5, 9], 10, Some((0, Some(1), 5)));
    check(&[6, 5, 9], 10, Some((1, Some(0), 6)));
    check(&[6, 9], 10, Some((0, Some(1), 9)));
    check(&[4], 9, Some((0, None, 9)));
    check(&[4, 10], 9, Some((0, None, 9)));
    check(&[4, 9], 9, Some((0, Some(1), 9)));
    check(&[9], 9, Some((0, None, 9)));
    check(&[0, 0], 0, Some((0, Some(1), 0)));
    check(&[7, 7, 7], 9, Some((0, Some(1), 7)));
    check(&[10, 11], 9, None);
    check(&[], 9, None);
}

#[test]
fn equal_asks_go_by_lot_whatever_their_order() {
    let mut all = asks(&[7, 7, 7]);
    all.reverse();
    let cleared = vickrey::clear(all, Rate(9)).unwrap();
    assert_eq!((cleared.winner, cleared.runner_up), (0, Some(1)));
}

fn profit(rates: &[u64], bid: u64, seller: usize, cost: u64) -> i128 {
    match vickrey::clear(asks(rates), Rate(bid)) {
        Some(cleared) if cleared.winner == seller => i128::from(cleared.price.0) - i128::from(cost),
        _ => 0,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn nobody_loses_by_a_trade(rates in prop::collection::vec(0_u64..50, 0..9), bid in 0_u64..60) {
        match vickrey::clear(asks(&rates), Rate(bid)) {
            Some(cleared) => {
                prop_assert!(rates[cleared.winner] <= cleared.price.0 && cleared.price.0 <= bid);
                prop_assert_eq!(rates[cleared.winner], *rates.iter().min().unwrap());
            }
            None => prop_assert!(rates.iter().all(|rate| *rate > bid)),
        }
    }

    #[test]
    fn no_report_pays_more_than_the_true_cost(
        costs in prop::collection::vec(0_u64..50, 1..9),
        bid in 0_u64..60,
        who in 0_usize..9,
        report in 0_u64..70,
    ) {
        let who = who % costs.len();
        let mut reports = costs.clone();
        reports[who] = report;
        prop_assert!(profit(&reports, bid, who, costs[who]) <= profit(&costs, bid, who, costs[who]));
    }

    #[test]
    fn one_pass_finds_what_sorting_finds(rates in prop::collection::vec(0_u64..20, 0..12), bid in 0_u64..25) {
        let mut sorted: Vec<(u64, usize)> = rates.iter().copied().zip(0..).collect();
        sorted.retain(|(rate, _)| *rate <= bid);
        sorted.sort_unstable();
        let expected = sorted.first().map(|(_, winner)| Clearing {
            winner: *winner,
            runner_up: sorted.get(1).map(|(_, who)| *who),
            price: Rate(sorted.get(1).map_or(bid, |(rate, _)| *rate)),
        });
        prop_assert_eq!(vickrey::clear(asks(&rates), Rate(bid)), expected);
    }
}
