//! The models of rings, churn, complete nodes and capture: small settings, and what they are known to come to.

use sim::experiment::{Model, Outcome, Setting, Value};
use sim::model::{Capture, Churned, Placements, WholeNodes};

fn whole(key: &'static str, value: i64) -> (&'static str, Value) {
    (key, Value::Integer(value))
}

fn run(model: &dyn Model, given: Vec<(&'static str, Value)>) -> Outcome {
    let setting = Setting::new(model, given).unwrap_or_else(|error| panic!("{error}"));
    let outcome = model.run(&setting, 7).unwrap_or_else(|error| panic!("{error}"));
    let names: Vec<&'static str> = model.metrics().iter().map(|metric| metric.name).collect();
    outcome.check(model.metrics(), &names).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(model.run(&setting, 7), Ok(outcome.clone()), "one seed gives one outcome");
    assert_ne!(model.run(&setting, 8).map(|other| other.trace()), Ok(outcome.trace()));
    outcome
}

/// How far a metric is from another, or from a number.
fn check(outcome: &Outcome, metric: &str, expected: f64, tolerance: f64) {
    let found = outcome.value(metric).unwrap_or(f64::NAN);
    assert!((found - expected).abs() <= tolerance, "{metric}: {found} instead of {expected}");
}

#[test]
fn lookups_ask_half_the_logarithm_and_owners_are_those_of_random_arcs() {
    let outcome = run(&Placements, vec![whole("network.nodes", 256), whole("population.markets", 256)]);
    check(&outcome, "base_hops_count", 4.0, 0.4);
    check(&outcome, "overlay_hops_count", 4.0, 0.6);
    check(&outcome, "wrong_count", 0.0, 0.0);
    let closed = outcome.value("closed_owners_count").unwrap_or(0.0);
    check(&outcome, "owners_count", closed, 20.0);
    let narrow = vec![
        whole("network.nodes", 256),
        whole("population.markets", 256),
        ("rule.placement", Value::Text("single".into())),
        ("population.window_share", Value::Real(0.01)),
    ];
    let outcome = run(&Placements, narrow);
    check(&outcome, "owners_count", 2.5, 3.5);
    assert_eq!(outcome.value("overlay_hops_count"), None);
}

#[test]
fn requests_find_a_seller_while_nodes_come_and_go() {
    let fast = vec![
        whole("network.nodes", 40),
        whole("work.minutes", 5),
        ("population.churn", Value::Text("kad".into())),
        ("population.session_s", Value::Real(900.0)),
    ];
    let outcome = run(&Churned, fast);
    assert!(outcome.value("success_share") > Some(0.99) && outcome.value("departures_count") > Some(5.0));
    check(&outcome, "stale_bound_share", 60.0 / 900.0, 1e-6);
}

#[test]
fn the_speed_up_is_that_of_the_slowest_machine_that_was_chosen() {
    let outcome = run(&WholeNodes, vec![whole("work.sub_tasks", 5)]);
    let closed = outcome.value("closed_speedup_ratio").unwrap_or(0.0);
    check(&outcome, "speedup_ratio", closed, 0.03 * closed);
    check(&outcome, "succeeded_share", 1.0, 0.0);
    let equal = vec![whole("work.sub_tasks", 5), ("population.fastest_mc_s", Value::Real(1_000.0))];
    check(&run(&WholeNodes, equal), "efficiency_share", 1.0, 0.03);
}

#[test]
fn messages_that_are_held_back_and_clocks_that_differ_cost_time_and_no_sub_task() {
    let given = |more: &[(&'static str, Value)]| {
        [&[whole("work.sub_tasks", 5), whole("population.sellers", 6)], more].concat()
    };
    let calm = run(&WholeNodes, given(&[]));
    let held = [("network.held_back_pct", Value::Real(20.0)), ("network.held_back_ms", Value::Real(400.0))];
    let apart = [
        whole("network.clock_drift_ppm", 300),
        ("network.wrong_clocks_pct", Value::Real(100.0)),
        ("network.wrong_clocks_s", Value::Real(2.0)),
    ];
    for rough in [&held[..], &apart[..]] {
        let outcome = run(&WholeNodes, given(rough));
        check(&outcome, "succeeded_share", 1.0, 0.0);
        assert_ne!(outcome.value("makespan_s"), calm.value("makespan_s"));
    }
}

#[test]
fn who_has_a_share_of_the_ids_has_that_share_of_the_markets() {
    let attack = |owners| {
        vec![
            whole("network.nodes", 200),
            whole("population.attacker_addresses", 20),
            whole("rule.owners", owners),
            whole("work.trials", 400),
        ]
    };
    let share: f64 = 320.0 / 520.0;
    check(&run(&Capture, attack(1)), "owned_share", share, 0.08);
    check(&run(&Capture, attack(3)), "owned_share", share.powi(3), 0.08);
    check(&run(&Capture, attack(3)), "closed_owned_share", share.powi(3), 1e-9);
    let nobody =
        run(&Capture, vec![whole("network.nodes", 20), whole("work.trials", 20), whole("rule.slots", 1)]);
    check(&nobody, "ids_count", 1.0, 0.0);
}

#[test]
fn what_cannot_be_is_refused_before_it_runs() {
    let refused = |model: &dyn Model, given: Vec<(&'static str, Value)>| {
        Setting::new(model, given).map(|_| ()).map_err(|error| error.key)
    };
    let key = |key: &str| Err(key.to_string());
    assert_eq!(
        refused(&Placements, vec![whole("network.nodes", 4), whole("network.successors", 8)]),
        key("network.successors")
    );
    assert_eq!(
        refused(&WholeNodes, vec![("population.slowest_mc_s", Value::Real(5_000.0))]),
        key("population.slowest_mc_s")
    );
    for alone in ["network.held_back_pct", "network.held_back_ms"] {
        assert_eq!(refused(&WholeNodes, vec![(alone, Value::Real(5.0))]), key("network.held_back_pct"));
    }
    for alone in ["network.wrong_clocks_pct", "network.wrong_clocks_s"] {
        assert_eq!(refused(&WholeNodes, vec![(alone, Value::Real(5.0))]), key("network.wrong_clocks_pct"));
    }
    assert_eq!(refused(&WholeNodes, vec![whole("network.held_back_pct", 101)]), key("network.held_back_pct"));
    let many = vec![whole("population.attacker_addresses", 1 << 20), whole("rule.slots", 65_536)];
    assert_eq!(refused(&Capture, many), key("population.attacker_addresses"));
    assert_eq!(refused(&Churned, vec![whole("network.nodes", 0)]), key("network.nodes"));
}
