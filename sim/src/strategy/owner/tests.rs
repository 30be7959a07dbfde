use super::*;
use crate::experiment::Value;
use proto::Hash;

/// What an owner makes of sellers that ask for these credits: who sells, the lowest cost told, and what seller and owner get.
fn deal(
    name: &str,
    rule: PricingRule,
    asks: &[f64],
    unit: f64,
    bribe: f64,
) -> Option<(usize, f64, f64, f64)> {
    let given =
        [("strategies.owner", Value::Text(name.into())), ("strategies.bribe_credits", Value::Real(bribe))];
    let setting = Setting::new(&crate::model::Auction::standard(), given).expect("it fits");
    let terms = PricingTerms {
        weight: 1_000_000_000_000,
        bonus: rate(1.0),
        floor: Rate(1),
        posted: rate(250.0),
        ..PricingTerms::PUBLIC
    };
    let asks: Vec<Ask<usize>> = asks
        .iter()
        .enumerate()
        .map(|(who, ask)| Ask { rate: rate(*ask), lot: Hash::default(), who })
        .collect();
    let stall = Stall { rule, terms: &terms, asks: &asks, bid: rate(1_000.0), unit: rate(unit) };
    let deal = Owners::standard().owner(&setting).arrange(&stall)?;
    Some((deal.winner, credits(deal.reported), credits(deal.to_seller), credits(deal.to_owner)))
}

use crate::price::{credits, rate};

const PAPER: [f64; 3] = [100.0, 200.0, 300.0];

#[test]
fn under_max_min_owners_name_what_their_strategy_says() {
    use PricingRule::MaxMin;
    let check = |name: &str, asks: &[f64], unit: f64, bribe: f64, expected: (usize, f64, f64, f64)| {
        assert_eq!(deal(name, MaxMin, asks, unit, bribe), Some(expected), "{name} {asks:?}");
    };
    check("honest", &PAPER, 1.0, 0.0, (0, 100.0, 101.0, 0.002_222));
    check("paper-optimal", &PAPER, 1.0, 0.0, (0, 100.0, 101.0, 0.002_5));
    check("shill", &PAPER, 1.0, 0.0, (0, 100.0, 101.0, 0.002_5));
    // Units as large as the bonus: the truth is what pays best (Lemma 1a); smaller ones let the owner shave.
    check("commission", &PAPER, 1.0, 0.0, (0, 100.0, 101.0, 0.002_5));
    check("commission", &[5.0, 10.0], 0.01, 0.0, (0, 4.01, 5.01, 0.062_344));
    check("commission", &[1.0, 10.0], 0.01, 0.0, (0, 0.01, 1.01, 25.0));
    // The threshold of a bribe is 0.00125.
    check("bribed", &PAPER, 1.0, 0.001_25, (0, 100.0, 101.0, 0.002_5));
    check("bribed", &PAPER, 1.0, 0.001_26, (1, 200.0, 201.0, 0.001_25));
    check("bribed", &[100.0], 1.0, 9.0, (0, 100.0, 101.0, 0.002_5));
}

#[test]
fn where_losers_set_the_price_owners_hide_or_invent_them() {
    use PricingRule::{FirstPrice, Posted, Uniform, Vcg, Vickrey};
    let check = |name: &str, rule: PricingRule, bribe: f64, winner: usize, price: f64| {
        let (found, _, to_seller, to_owner) = deal(name, rule, &PAPER, 0.01, bribe).expect("a sale");
        assert_eq!((found, to_seller, to_owner), (winner, price, 0.0), "{name} {rule:?}");
    };
    for rule in [Vickrey, Uniform, Vcg] {
        check("honest", rule, 0.0, 0, 200.0);
        check("paper-optimal", rule, 0.0, 0, 200.0);
        check("commission", rule, 0.0, 0, 1_000.0);
        check("shill", rule, 0.0, 0, 100.01);
        check("bribed", rule, 0.1, 1, 300.0);
        check("bribed", rule, 0.0, 0, 200.0);
    }
    check("honest", FirstPrice, 0.0, 0, 100.0);
    check("commission", FirstPrice, 0.0, 2, 300.0);
    check("honest", Posted, 0.0, 0, 250.0);
    check("commission", Posted, 0.0, 0, 250.0);
}

#[test]
fn nobody_sells_where_nobody_lists() {
    for kind in Owners::standard().iter() {
        for rule in PricingRule::ALL {
            assert_eq!(deal(kind.name, rule, &[], 1.0, 1.0), None, "{} {rule:?}", kind.name);
        }
    }
}

#[test]
fn the_threshold_of_a_bribe_is_that_of_the_reference() {
    let terms = Terms::PAPER;
    assert_eq!(bribe_threshold(&terms, rate(100.0), rate(200.0)), Some(rate(0.001_25)));
    assert_eq!(bribe_threshold(&terms, rate(1.0), rate(2.0)), Some(rate(0.125)));
}

#[test]
fn every_owner_without_a_lie_does_what_the_shipping_rule_does() {
    // The market's own choice among all rules, on asks and lots of many kinds.
    for seed in 0..200_u64 {
        let mut dice = crate::Dice::new(seed, "test", 0);
        let asks: Vec<Ask<usize>> = (0..dice.between(1, 8))
            .map(|who| Ask {
                rate: Rate(dice.between(1, 20) * 1_000),
                lot: Hash::of(&dice.below(u64::MAX).to_le_bytes()),
                who: usize::try_from(who).unwrap(),
            })
            .collect();
        for rule in PricingRule::ALL {
            let terms = PricingTerms { posted: Rate(9_000), weight: 4_000_000, ..PricingTerms::PUBLIC };
            let bid = Rate(dice.between(1, 25) * 1_000);
            let stall = Stall { rule, terms: &terms, asks: &asks, bid, unit: Rate(1) };
            let expected = market::pricing::clear(rule, &terms, asks.iter().copied(), bid);
            let found = by_the_rule(&stall).map(|deal| (deal.winner, deal.to_seller));
            assert_eq!(found, expected.map(|sold| (sold.winner, sold.price)), "{rule:?} {asks:?} {bid:?}");
        }
    }
}
