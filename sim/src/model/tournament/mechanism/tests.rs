use super::*;
use crate::experiment::Value;
use crate::model::Tournament;

fn trade(name: &str, values: &[u64], costs: &[u64]) -> Vec<Traded> {
    let bids: Vec<Vec<Rate>> = values.iter().map(|value| vec![Rate(*value)]).collect();
    let asks: Vec<Rate> = costs.iter().map(|cost| Rate(*cost)).collect();
    let order: Vec<usize> = (0..bids.len()).collect();
    let case = Case { bids: &bids, asks: &asks, order: &order, id: CommandId([7; 16]) };
    mechanism(name).trade(&case)
}

fn mechanism(name: &str) -> Box<dyn Mechanism> {
    let given = [("rule.mechanism", Value::Text(name.into()))];
    let setting = Setting::new(&Tournament::standard(), given).expect("it fits");
    Mechanisms::standard().mechanism(&setting)
}

/// How many trade, and what all buyers pay and all sellers get.
fn check(name: &str, values: &[u64], costs: &[u64], expected: (usize, u64, u64)) {
    let traded = trade(name, values, costs);
    let pays = traded.iter().map(|trade| trade.pays.0).sum();
    let gets = traded.iter().map(|trade| trade.gets.0).sum();
    assert_eq!((traded.len(), pays, gets), expected, "{name} {values:?} {costs:?}: {traded:?}");
}

#[test]
fn double_auctions_come_to_what_is_worked_by_hand() {
    // Two trades gain; the third seller asks for 6, no more than the second buyer bids: all trade at 6.
    check("sbba", &[10, 8, 3], &[1, 2, 6], (2, 12, 12));
    // The third seller asks for 9: the second buyer's bid is the price, it is left out, and so is one seller.
    check("sbba", &[10, 8, 3], &[1, 2, 9], (1, 8, 8));
    check("sbba", &[10, 8], &[1, 2], (1, 8, 8));
    check("sbba", &[5], &[6], (0, 0, 0));
    check("sbba", &[], &[], (0, 0, 0));
    // Buyers pay max(2, 3), sellers get min(8, 6).
    check("vcg-double", &[10, 8, 3], &[1, 2, 6], (2, 6, 12));
    check("vcg-double", &[10], &[4], (1, 4, 10));
}

#[test]
fn baselines_trade_where_both_gain_and_nowhere_else() {
    // Each of two buyers takes one of two sellers, at its ask.
    check("nearest", &[10, 10], &[3, 4], (2, 7, 7));
    check("nearest", &[2, 10], &[3], (1, 3, 3));
    check("proportional", &[10], &[4, 4], (1, 7, 7));
    check("proportional", &[0, 10], &[4], (1, 7, 7));
    check("proportional", &[0, 0], &[4], (0, 0, 0));
    check("random", &[10], &[4], (1, 7, 7));
    check("random", &[4], &[4], (0, 0, 0));
}

#[test]
fn units_go_to_buyers_in_proportion_to_their_bids() {
    let bids = vec![vec![Rate(1)], vec![Rate(3)]];
    let proportional = mechanism("proportional");
    let first = (0..4_000_u32)
        .filter(|number| {
            let mut id = [0; 16];
            id[..4].copy_from_slice(&number.to_be_bytes());
            let case = Case { bids: &bids, asks: &[Rate(0)], order: &[0, 1], id: CommandId(id) };
            proportional.trade(&case)[0].buyer == 0
        })
        .count();
    // A quarter, give or take four standard deviations.
    assert!(first.abs_diff(1_000) < 110, "{first}");
}
