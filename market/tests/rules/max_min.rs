//! The max-min payoff rule (paper IV-B2; reference §5.3).

use crate::asks;
use market::pricing::Fault;
use market::pricing::max_min::{
    Report, Terms, accepts, buyer_cost, clear, most, owner_payoff, seller_payoff,
};
use proptest::prelude::*;
use proto::Rate;

/// One unit of bonus, as Lemma 1 needs it, and a weight that makes single units matter.
const LATTICE: Terms = Terms { weight: 1 << 40, bonus: Rate(1), fixed: Rate(3), floor: Rate(1) };

fn report(lowest: u64, highest: u64) -> Report {
    Report { lowest: Rate(lowest), highest: Rate(highest) }
}

/// What the owner reports when it may report anything that the cheapest seller still serves.
fn best_report(terms: &Terms, cost: u64) -> (Rate, Report) {
    let served = |lowest: &u64| accepts(Rate(cost), seller_payoff(terms, Rate(*lowest)).unwrap());
    (terms.floor.0..=2 * cost)
        .filter(served)
        .flat_map(|lowest| (lowest..=5 * cost).map(move |highest| report(lowest, highest)))
        .map(|report| (owner_payoff(terms, report).unwrap(), report))
        .max_by_key(|(pay, report)| (*pay, u64::MAX - report.lowest.0))
        .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn twice_the_lowest_pays_the_owner_most(
        weight in 0_u128..1 << 80,
        lowest in 1_u64..1 << 40,
        highest in 1_u64..1 << 50,
    ) {
        let terms = Terms { weight, ..LATTICE };
        let highest = highest.max(lowest);
        let (Ok(any), Ok(best)) =
            (owner_payoff(&terms, report(lowest, highest)), owner_payoff(&terms, report(lowest, 2 * lowest)))
        else { return Ok(()) };
        prop_assert!(any <= best);
        prop_assert_eq!(u128::from(best.0), 3 + weight / (4 * u128::from(lowest)));
    }

    #[test]
    fn with_a_bonus_of_one_unit_the_owner_names_the_true_lowest_cost(cost in 1_u64..24) {
        let (pay, best) = best_report(&LATTICE, cost);
        prop_assert_eq!(best, report(cost, 2 * cost));
        prop_assert_eq!(Some(pay), most(&LATTICE, Rate(cost)).ok().map(|all| Rate(all.0 - cost - 1)));
    }

    #[test]
    fn nobody_loses_by_a_trade_and_the_buyer_pays_what_the_others_get(
        rates in prop::collection::vec(0_u64..50, 0..9),
        bid in 0_u64..200,
        weight in 0_u128..2_000,
        bonus in 1_u64..5,
        fixed in 0_u64..5,
        floor in 0_u64..9,
    ) {
        let terms = Terms { weight, bonus: Rate(bonus), fixed: Rate(fixed), floor: Rate(floor) };
        if let Some(sale) = clear(&terms, asks(&rates), Rate(bid)).unwrap() {
            let cost = rates[sale.winner];
            prop_assert_eq!(cost, *rates.iter().min().unwrap());
            let dearest = rates.iter().filter(|rate| **rate <= bid).max();
            prop_assert_eq!(Some(&rates[sale.dearest]), dearest);
            prop_assert!(accepts(Rate(cost), sale.to_seller));
            prop_assert!(sale.to_owner >= terms.fixed);
            let paid = buyer_cost(&terms, report(cost, rates[sale.dearest])).unwrap();
            prop_assert_eq!(paid.0, sale.to_seller.0 + sale.to_owner.0);
            prop_assert!(paid.0 <= bid && paid <= most(&terms, Rate(cost)).unwrap());
        }
    }

    #[test]
    fn no_numbers_make_it_wrap(weight: u128, bonus: u64, fixed: u64, floor: u64, lowest: u64, highest: u64) {
        let terms = Terms { weight, bonus: Rate(bonus), fixed: Rate(fixed), floor: Rate(floor) };
        if let Ok(paid) = buyer_cost(&terms, report(lowest, highest)) {
            prop_assert!(paid.0 >= lowest.max(bonus).max(fixed) && lowest <= highest);
        }
    }
}

#[test]
fn nobody_to_sell_means_no_fee_and_one_seller_the_fixed_part_only() {
    assert_eq!(clear(&LATTICE, asks(&[]), Rate(100)), Ok(None));
    let sale = clear(&LATTICE, asks(&[7]), Rate(100)).unwrap().unwrap();
    assert_eq!((sale.to_seller, sale.to_owner), (Rate(8), Rate(3)));
    assert_eq!(owner_payoff(&LATTICE, report(7, 6)), Err(Fault::Disordered));
    let all = Terms { weight: u128::MAX, ..LATTICE };
    assert_eq!(owner_payoff(&all, report(1, 3)), Err(Fault::Overflow));
}

/// Against Lemma 1a: a bonus of a hundred units is shaved to one.
#[test]
fn counterexample_the_owner_shaves_a_bonus_above_one_unit() {
    let cents = Terms { weight: 1_000_000_000_000, bonus: Rate(100), fixed: Rate(0), floor: Rate(1) };
    let (pay, best) = best_report(&cents, 500);
    assert_eq!(best, report(401, 802));
    assert_eq!((pay, owner_payoff(&cents, report(500, 1_000))), (Rate(623_441_396), Ok(Rate(500_000_000))));
    assert_eq!(seller_payoff(&cents, best.lowest), Ok(Rate(501)));
}

/// Against Lemma 1c: without a floor worth the name the owner's pay grows without bound as costs vanish.
#[test]
fn counterexample_the_cost_diverges_near_zero() {
    let total = |lowest| most(&Terms::PAPER, Rate(lowest)).unwrap();
    assert_eq!(
        [1_000_000, 10_000, 100, 1].map(total).map(|rate| rate.0 / 1_000_000),
        [2, 26, 2_501, 250_001]
    );
}

/// Against the assumption that sellers tell the truth: costs 1 and 9, and a report of 8 keeps the sale.
#[test]
fn counterexample_a_seller_gains_by_asking_for_more_than_its_cost() {
    let paid = |rates: &[u64]| clear(&LATTICE, asks(rates), Rate(u64::MAX)).unwrap().unwrap();
    let (truth, lie) = (paid(&[1, 9]), paid(&[8, 9]));
    assert_eq!((truth.winner, truth.to_seller), (0, Rate(2)));
    assert_eq!((lie.winner, lie.to_seller), (0, Rate(9)));
}

/// Against Lemma 1a with bribes: naming the seller of 200 costs the owner 0.00125 and gains that seller 1.
#[test]
fn counterexample_a_small_bribe_buys_the_sale() {
    let pay = |lowest: u64| {
        let lowest = lowest * 1_000_000;
        owner_payoff(&Terms::PAPER, report(lowest, 2 * lowest)).unwrap().0
    };
    let loss = pay(100) - pay(200);
    let gain = seller_payoff(&Terms::PAPER, Rate(200_000_000)).unwrap().0 - 200_000_000;
    assert_eq!((loss, gain), (1_250, 1_000_000));
}

/// Against the paper's bare constants: money in units a thousand times finer, and the owner's share is another.
#[test]
fn counterexample_without_units_the_owner_is_paid_less_in_finer_money() {
    let bare = Terms { weight: 1_000_000, ..LATTICE };
    assert_eq!(owner_payoff(&bare, report(100, 200)), Ok(Rate(2_503)));
    assert_eq!(owner_payoff(&bare, report(100_000, 200_000)), Ok(Rate(5)));
    let scaled = Terms { weight: bare.weight * 1_000_000, fixed: Rate(3_000), ..bare };
    assert_eq!(owner_payoff(&scaled, report(100_000, 200_000)), Ok(Rate(2_503_000)));
}
