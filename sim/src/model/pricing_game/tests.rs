use super::*;
use crate::experiment::Value;
use crate::model::tests::{closed_near, run, value};

fn play(given: &[(&str, &str)]) -> Outcome {
    run(&PricingGame::standard(), given, 1)
}

const LADDER: [(&str, &str); 4] = [
    ("population.costs", "ladder"),
    ("population.lowest_credits", "0.2"),
    ("rule.unit_credits", "0.01"),
    ("work.rounds", "2000"),
];

#[test]
fn undercutting_ends_where_bertrand_says() {
    // Equal costs: one unit above. Unequal costs: at the second lowest one.
    for (step, price) in [("0.0", 0.21), ("0.3", 0.5)] {
        let outcome = play(&[&LADDER[..], &[("population.step_credits", step)]].concat());
        assert!((value(&outcome, "price_credits") - price).abs() < 1e-9, "{outcome:?}");
        closed_near(&outcome, "price_credits", 1e-9);
        assert!(value(&outcome, "collusion_ratio").abs() < 1e-9);
    }
}

#[test]
fn with_one_unit_each_the_price_for_k_buyers_is_in_its_band() {
    for buyers in ["1", "2", "3"] {
        let more = [
            ("population.step_credits", "0.1"),
            ("population.sellers", "5"),
            ("population.buyers", buyers),
            ("work.capacity", "1"),
        ];
        let outcome = play(&[&LADDER[..], &more].concat());
        assert_eq!(value(&outcome, "band_share"), 1.0, "{buyers}: {outcome:?}");
        closed_near(&outcome, "price_credits", 0.010_001);
    }
}

#[test]
fn where_everybody_is_needed_everybody_gets_the_reserve() {
    let more = [("population.step_credits", "0.1"), ("population.buyers", "2"), ("work.capacity", "1")];
    assert_eq!(value(&play(&[&LADDER[..], &more].concat()), "price_credits"), 1.0);
}

#[test]
fn hidden_rivals_add_the_nth_part_of_the_way() {
    for sellers in ["2", "5", "10"] {
        let given =
            [("strategies.sellers", "sealed"), ("population.sellers", sellers), ("work.games", "4000")];
        let outcome = play(&given);
        closed_near(&outcome, "markup_share", 0.05);
        closed_near(&outcome, "price_credits", 0.03);
    }
}

#[test]
fn a_cartel_breaks_below_the_threshold_and_holds_above() {
    let cartel = |more: &[(&str, &str)]| {
        let fixed = [
            ("strategies.sellers", "grim-trigger"),
            ("population.costs", "ladder"),
            ("population.lowest_credits", "0.2"),
            ("rule.unit_credits", "0.001"),
            ("work.games", "4000"),
        ];
        let outcome = play(&[&fixed, more].concat());
        // Four standard deviations of the mean over 4,000 cartels that last ten rounds.
        closed_near(&outcome, "deviation_gain_credits", 0.12);
        (value(&outcome, "holds_share"), value(&outcome, "threshold_share"))
    };
    for (sellers, threshold) in [("2", 0.5), ("3", 0.667), ("5", 0.8)] {
        let below = cartel(&[("population.sellers", sellers), ("work.continuation_share", "0.4")]);
        let above = cartel(&[("population.sellers", sellers), ("work.continuation_share", "0.9")]);
        assert_eq!((below.0, above.0), (0.0, 1.0), "{sellers}");
        assert!((above.1 - threshold).abs() < 0.002, "{}", above.1);
    }
    let brief = [("work.continuation_share", "0.9"), ("churn.session_trades", "1.0")];
    assert_eq!(cartel(&brief).0, 0.0);
    assert_eq!(cartel(&[&brief[..], &[("churn.is_reidentified", "true")]].concat()).0, 1.0);
    let long = [("work.continuation_share", "0.9"), ("churn.session_trades", "50.0")];
    assert_eq!(cartel(&long).0, 1.0);
}

#[test]
fn two_learners_stay_above_competition() {
    let given = [
        ("strategies.sellers", "q-learning"),
        ("population.costs", "ladder"),
        ("population.lowest_credits", "0.2"),
        ("population.step_credits", "0.0"),
        ("work.rounds", "200000"),
    ];
    let outcome = play(&given);
    assert!(value(&outcome, "price_credits") >= 0.3 - 1e-9, "{outcome:?}");
    assert!((0.0..=1.0).contains(&value(&outcome, "collusion_ratio")), "{outcome:?}");
}

#[test]
fn learners_that_leave_take_what_they_know_with_them() {
    let learners = |more: &[(&str, &str)]| {
        let fixed = [
            ("strategies.sellers", "q-learning"),
            ("population.costs", "ladder"),
            ("population.lowest_credits", "0.2"),
            ("population.step_credits", "0.0"),
            ("strategies.exploration_fade", "0.001"),
            ("work.rounds", "40000"),
        ];
        play(&[&fixed, more].concat())
    };
    let (stay, brief) = (learners(&[]), ("churn.session_trades", "200.0"));
    let known = learners(&[brief, ("churn.is_reidentified", "true")]);
    assert_eq!(value(&known, "price_credits"), value(&stay, "price_credits"));
    let collusion = |outcome: &Outcome| value(outcome, "collusion_ratio");
    assert!(collusion(&learners(&[brief])) < collusion(&stay), "{stay:?}");
}

#[test]
fn games_that_make_no_sense_are_refused_with_the_key() {
    for (given, key) in [
        (vec![("rule.unit_credits", 2.0)], "rule.unit_credits"),
        (vec![("rule.unit_credits", 0.001)], "rule.unit_credits"),
        (vec![("churn.session_trades", 0.1)], "churn.session_trades"),
    ] {
        let given = given.into_iter().map(|(name, real)| (name, Value::Real(real)));
        assert_eq!(Setting::new(&PricingGame::standard(), given).expect_err("refused").key, key);
    }
}
