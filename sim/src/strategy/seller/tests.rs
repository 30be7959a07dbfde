use super::*;
use crate::experiment::Value;
use crate::price::rate;
use proto::rules::PricingTerms;

fn setting(given: &[(&str, Value)]) -> Setting {
    Setting::new(&crate::model::Auction::standard(), given.iter().cloned()).expect("it fits")
}

fn place<'a>(rule: PricingRule, sellers: u64, bid: &str, gain: &'a dyn Fn(Rate) -> f64) -> Place<'a> {
    let terms = PricingTerms { weight: 1_000_000_000_000, bonus: rate(0.1), ..PricingTerms::PUBLIC };
    let costs = (Rate(0), Rate(1_000_000));
    Place {
        cost: rate(0.2),
        sellers,
        rule,
        terms: terms.into(),
        bid: bid.parse::<proto::Money>().map(|m| Rate(m.0)).unwrap(),
        costs,
        gain,
    }
}

/// The ask of a seller with a cost of 0.2, of costs spread over 0 to 1.
fn check(name: &str, rule: PricingRule, sellers: u64, bid: &str, expected: u64) {
    let setting = setting(&[("strategies.sellers", Value::Text(name.into()))]);
    let seller = Sellers::standard().seller(&setting);
    let report =
        seller.report(&place(rule, sellers, bid, &|report| if report == Rate(600_000) { 1.0 } else { 0.0 }));
    assert_eq!(report, Rate(expected), "{name} {rule:?} {sellers} {bid}");
}

#[test]
fn sellers_ask_for_what_their_strategy_says() {
    use PricingRule::{FirstPrice, MaxMin, Vickrey};
    check("truthful", FirstPrice, 5, "1", 200_000);
    check("scaled", Vickrey, 5, "1", 240_000);
    check("equilibrium", Vickrey, 5, "1", 200_000);
    check("equilibrium", FirstPrice, 5, "1", 360_000);
    check("equilibrium", FirstPrice, 5, "10", 360_000);
    // With a reserve of 0.6: 0.2 + (0.8² − 0.4²)/(2·0.8).
    check("equilibrium", FirstPrice, 2, "0.6", 500_000);
    check("equilibrium", FirstPrice, 1, "0.6", 600_000);
    check("equilibrium", MaxMin, 5, "10", 360_000);
    check("equilibrium-bonus", MaxMin, 5, "10", 260_000);
    check("equilibrium-bonus", FirstPrice, 5, "10", 360_000);
    // Alone: the reserve less the bonus.
    check("equilibrium", MaxMin, 1, "10", 9_900_000);
    check("best-response", FirstPrice, 5, "1", 600_000);
    check("sybil", Vickrey, 5, "1", 200_000);
}

#[test]
fn only_a_sybil_lists_twice() {
    for kind in Sellers::standard().iter() {
        let seller = (kind.seller)(&setting(&[]));
        let second = seller.second(&place(PricingRule::Vickrey, 3, "1", &|_| 0.0), rate(0.2));
        assert_eq!(second, (kind.name == "sybil").then_some(rate(0.4)), "{}", kind.name);
    }
}
