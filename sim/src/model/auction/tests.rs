use super::*;
use crate::experiment::Value;

fn run(given: &[(&str, &str)], seed: u64) -> Outcome {
    crate::model::tests::run(&Auction::standard(), given, seed)
}

/// A metric of a run against its closed form.
fn check(given: &[(&str, &str)], metric: &str, tolerance: f64) {
    let outcome = run(given, 1);
    let (found, closed) = (outcome.value(metric), outcome.value(&format!("closed_{metric}")));
    let (Some(found), Some(closed)) = (found, closed) else {
        panic!("{given:?} {metric}: {found:?} {closed:?}")
    };
    assert!((found - closed).abs() <= tolerance, "{given:?} {metric}: {found} is not {closed} ± {tolerance}");
}

const QUICK: (&str, &str) = ("strategies.deviations", "0");
const MANY: (&str, &str) = ("work.auctions", "5000");

#[test]
fn prices_are_those_of_the_closed_forms() {
    for sellers in ["1", "2", "5", "10"] {
        for rule in ["vickrey", "uniform", "vcg"] {
            let given = [QUICK, MANY, ("population.sellers", sellers), ("rule.pricing", rule)];
            // Four standard deviations of the mean of 5,000 prices: at most 4 · 0.24 / 71.
            check(&given, "price_credits", 0.014);
            check(&given, "profit_credits", 0.017);
            check(&given, "lowest_selected_share", 0.0);
        }
        let first = [QUICK, MANY, ("population.sellers", sellers), ("rule.pricing", "first-price")];
        check(&first, "price_credits", 0.014);
        let shaded = [&first[..], &[("strategies.sellers", "equilibrium")]].concat();
        check(&shaded, "price_credits", 0.014);
        let reserve =
            [&first[..], &[("strategies.sellers", "equilibrium"), ("rule.reserve_credits", "0.4")]].concat();
        check(&reserve, "price_credits", 0.014);
    }
    check(&[QUICK, MANY, ("rule.reserve_credits", "0.3")], "price_credits", 0.014);
    check(&[QUICK, MANY, ("strategies.owner", "commission")], "price_credits", 0.0);
    check(&[QUICK, MANY, ("strategies.owner", "shill")], "price_credits", 0.014);
    check(&[QUICK, MANY, ("strategies.owner", "bribed")], "price_credits", 0.014);
    check(&[QUICK, MANY, ("rule.pricing", "posted")], "price_credits", 0.0);
}

#[test]
fn max_min_costs_what_vickrey_costs_and_the_bonus_and_the_owner() {
    for (sellers, strategy) in [("2", "equilibrium"), ("10", "equilibrium"), ("5", "equilibrium-bonus")] {
        let given = [
            QUICK,
            MANY,
            ("rule.pricing", "max-min"),
            ("strategies.owner", "paper-optimal"),
            ("rule.reserve_credits", "20.0"),
            ("rule.bonus_credits", "0.05"),
            ("population.sellers", sellers),
            ("strategies.sellers", strategy),
        ];
        check(&given, "price_credits", 0.014);
        // The owner's pay is between 1/4 and n/4.
        check(&given, "owner_pay_credits", 0.03);
        check(&given, "buyer_cost_credits", 0.03);
    }
    let alone = [
        QUICK,
        ("rule.pricing", "max-min"),
        ("population.sellers", "1"),
        ("strategies.sellers", "equilibrium"),
    ];
    check(&alone, "buyer_cost_credits", 1e-9);
    assert_eq!(run(&alone, 1).value("buyer_cost_credits"), Some(1.0));
}

const LADDER: [(&str, &str); 6] = [
    QUICK,
    ("work.auctions", "1"),
    ("rule.pricing", "max-min"),
    ("population.costs", "ladder"),
    ("population.sellers", "3"),
    ("rule.reserve_credits", "1000000.0"),
];

#[test]
fn lemma_1_on_a_ladder_is_exact_to_the_micro_credit() {
    for (lowest, step) in
        [("0.0", "1.0"), ("0.01", "1.0"), ("1.0", "1.0"), ("5.0", "5.0"), ("100.0", "100.0")]
    {
        for owner in ["honest", "paper-optimal", "commission", "shill"] {
            for unit in ["1.0", "0.1", "0.01"] {
                let steps = [("population.lowest_credits", lowest), ("population.step_credits", step)];
                let how =
                    [("strategies.owner", owner), ("rule.unit_credits", unit), ("rule.bonus_credits", "1.0")];
                let given = [&LADDER[..], &steps[..], &how[..]].concat();
                if (owner, lowest) == ("shill", "0.0") {
                    continue; // Twice nothing is nothing: its phantom is no spread.
                }
                for metric in
                    ["price_credits", "owner_pay_credits", "report_credits", "lowest_selected_share"]
                {
                    check(&given, metric, 1.1e-6);
                }
            }
        }
    }
}

#[test]
fn a_bribe_above_the_threshold_buys_the_sale() {
    for (bribe, share) in [("0.0012", 1.0), ("0.0013", 0.0)] {
        let given =
            [&LADDER[..], &[("strategies.owner", "bribed"), ("strategies.bribe_credits", bribe)]].concat();
        check(&given, "lowest_selected_share", 0.0);
        assert_eq!(run(&given, 1).value("lowest_selected_share"), Some(share));
    }
}

#[test]
fn no_report_beats_the_truth_under_vickrey_and_one_does_under_first_price() {
    for rule in ["vickrey", "uniform", "vcg", "posted"] {
        let outcome = run(&[("work.auctions", "500"), ("rule.pricing", rule)], 1);
        for metric in ["gap_credits", "gap_afterwards_credits", "gap_most_credits", "gaining_share"] {
            assert_eq!(outcome.value(metric), Some(0.0), "{rule} {metric}");
        }
        assert_eq!(outcome.value("closed_gap_credits"), Some(0.0), "{rule}");
    }
    let truth = run(&[("work.auctions", "2000"), ("rule.pricing", "first-price")], 1);
    assert!(truth.value("gap_credits").unwrap() > 0.006, "{:?}", truth.value("gap_credits"));
    let best =
        [("work.auctions", "5000"), ("rule.pricing", "first-price"), ("strategies.sellers", "equilibrium")];
    let best = run(&best, 1).value("gap_credits").unwrap();
    assert!(best < 0.004, "{best}");
}

#[test]
fn a_second_identity_gains_nothing_under_vickrey() {
    let sybil = run(&[("work.auctions", "500"), ("strategies.sellers", "sybil")], 1);
    let truth = run(&[("work.auctions", "500")], 1);
    assert!(sybil.value("profit_credits") < truth.value("profit_credits"));
    assert_eq!(sybil.value("lowest_selected_share"), Some(1.0));
}

#[test]
fn best_responses_to_the_truth_raise_the_first_price() {
    let given = |sellers| {
        [QUICK, ("work.auctions", "200"), ("rule.pricing", "first-price"), ("strategies.sellers", sellers)]
    };
    let price = |sellers| run(&given(sellers), 1).value("price_credits").unwrap();
    assert!(price("best-response") > price("truthful") + 0.05);
}

#[test]
fn the_same_seed_gives_the_same_run_and_another_one_another() {
    assert_eq!(run(&[], 5), run(&[], 5));
    assert_ne!(run(&[], 5).trace(), run(&[], 6).trace());
}

#[test]
fn without_a_sale_there_are_no_figures() {
    let model = Auction::standard();
    let given = [("rule.reserve_credits", Value::Real(0.5)), ("population.low_credits", Value::Real(0.6))];
    let setting = Setting::new(&model, given).expect("it fits");
    assert_eq!(model.run(&setting, 1), Err(RunError::NoTrade));
}

#[test]
fn limits_that_cross_are_refused_with_the_key() {
    for (given, key) in [
        ([("population.low_credits", 2.0), ("population.high_credits", 1.0)], "population.low_credits"),
        ([("strategies.deviation_low", 3.0), ("strategies.deviation_high", 2.0)], "strategies.deviation_low"),
    ] {
        let given = given.map(|(name, value)| (name, Value::Real(value)));
        assert_eq!(Setting::new(&Auction::standard(), given).expect_err("it is refused").key, key);
    }
}
