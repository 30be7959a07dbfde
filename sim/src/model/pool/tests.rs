use super::*;
use crate::model::tests::{run, value};

/// Twenty equal machines of two cores that stay, and half an hour of jobs.
const CALM: [(&str, &str); 11] = [
    ("network.upkeep_s", "600"),
    ("rule.renewal_s", "600"),
    ("network.nodes", "20"),
    ("network.loss_pct", "0.0"),
    ("population.churn", "none"),
    ("population.buyers", "2"),
    ("population.hosts", "equal"),
    ("population.costs", "ladder"),
    ("population.values", "lognormal"),
    ("work.hours", "0.5"),
    ("work.job_every_s", "300.0"),
];

#[test]
fn what_is_asked_of_a_calm_pool_is_done_at_a_price_between_cost_and_value() {
    let steps = [("population.lowest_credits", "0.1"), ("population.step_credits", "0.01")];
    let outcome = run(&Pool::standard(), &[&CALM[..], &steps].concat(), 1);
    assert!(value(&outcome, "asked_count") > 20.0, "{outcome:?}");
    let exact = |metric: &str| value(&outcome, metric);
    assert_eq!([exact("succeeded_share"), exact("lost_share")], [1.0, 0.0]);
    assert!((exact("value_share") - 1.0).abs() < 1e-9);
    assert_eq!([exact("stale_share"), exact("dead_ticket_share"), exact("timeouts_count")], [0.0, 0.0, 0.0]);
    // A Vickrey price is a step above the cost at least, and the bid at most: that, where one seller alone fits.
    assert!(exact("price_credits") >= 0.1 && exact("profit_credits") > 0.005, "{outcome:?}");
    assert!(exact("surplus_credits") > 0.0, "{outcome:?}");
    assert!((exact("price_credits") - exact("buyer_cost_credits")).abs() < 1e-12);
    // More is asked for at once than there are cores: who waits for one is slowed down.
    assert!(exact("slowdown_ratio") > 1.0 && exact("flow_s") > exact("wait_median_s"), "{outcome:?}");
    // Nobody is lost, and all cores are as fast as the reference: what is busy is what was asked for, and a little after it.
    assert!((exact("utilisation_share") / exact("load_ratio") - 1.0).abs() < 0.01, "{outcome:?}");
    assert!(exact("traffic_bytes") > 1_000.0 && exact("messages_count") >= 6.0, "{outcome:?}");
}

#[test]
fn machines_that_go_lose_work_and_it_is_done_elsewhere() {
    let restless = [
        ("network.nodes", "20"),
        ("population.churn", "p2psim"),
        ("population.session_s", "1200.0"),
        ("population.buyers", "2"),
        ("population.values", "lognormal"),
        ("population.costs", "energy"),
        ("work.jobs", "bags"),
        ("work.streams", "30"),
        ("work.hours", "0.5"),
    ];
    let outcome = run(&Pool::standard(), &restless, 2);
    assert!(value(&outcome, "lost_share") > 0.0 && value(&outcome, "succeeded_share") > 0.8, "{outcome:?}");
    assert!(
        value(&outcome, "owner_fairness_ratio") < 0.9 && value(&outcome, "hops_count") >= 0.0,
        "{outcome:?}"
    );
}

#[test]
fn who_can_wait_pays_less_and_who_bids_less_is_served_less() {
    let steps = [
        ("population.lowest_credits", "0.1"),
        ("population.step_credits", "0.2"),
        ("population.value_median_credits", "2.0"),
    ];
    let with = |strategy, metric| {
        let more = [("strategies.buyers", strategy)];
        value(&run(&Pool::standard(), &[&CALM[..], &steps, &more].concat(), 3), metric)
    };
    assert!(with("waiting", "price_credits") < with("truthful", "price_credits"));
    assert!(with("shading", "value_share") <= with("truthful", "value_share"));
}

#[test]
fn a_day_without_jobs_is_refused() {
    let none = [("work.hours", "0.01"), ("work.job_every_s", "1000000.0")];
    let given =
        none.map(|(key, text)| (key, crate::experiment::Value::Real(text.parse().expect("a number"))));
    let setting = Setting::new(&Pool::standard(), given).expect("it fits");
    let failed = Pool::standard().run(&setting, 1).expect_err("nothing to do");
    assert_eq!(failed.to_string(), "no job comes: more streams or hours");
}
