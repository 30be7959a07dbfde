//! The faults of the market: every scenario keeps its promises, for several seeds.

use sim::{Report, Scenario, Sight, run};
use std::collections::BTreeMap;

/// Runs a scenario with these seeds and expects all its sub-tasks to succeed.
fn check(name: &str, seeds: impl IntoIterator<Item = u64>) -> Vec<Report> {
    let scenario = Scenario::named(name).unwrap();
    let count = u32::try_from(scenario.sub_tasks).unwrap();
    let run = |seed| {
        let report = run(&scenario, seed).unwrap_or_else(|violation| panic!("{name}: {violation}"));
        assert_eq!(report.verdicts, BTreeMap::from([("succeeded", count)]), "{report}");
        assert!(report.traffic.lost > 0 && report.traffic.doubled > 0, "{report}");
        report
    };
    seeds.into_iter().map(run).collect()
}

/// How often something was seen in all of them.
fn seen(reports: &[Report], sight: Sight) -> u32 {
    reports.iter().filter_map(|report| report.tally.sights.get(&sight)).sum()
}

#[test]
fn an_owner_that_dies_between_match_and_contract_delays_the_work_and_loses_none() {
    for report in check("owner_dies", 1..=4) {
        assert_eq!((report.tally.crashes, report.held.0), (4, 0), "{report}");
    }
}

#[test]
fn a_core_that_two_owners_sell_goes_to_one_buyer_and_the_others_go_on() {
    assert!(seen(&check("sold_twice", 1..=2), Sight::AskedByTwo) > 0);
}

#[test]
fn a_stale_listing_is_asked_about_and_never_sold() {
    let reports = check("stale", 1..=4);
    assert!(seen(&reports, Sight::DeadAsked) > 0);
    assert!(reports.iter().all(|report| (report.tally.crashes, report.held.0) == (4, 0)));
}

#[test]
fn two_owners_of_one_market_become_one_again() {
    for report in check("two_owners", 1..=2) {
        assert!(seen(&[report], Sight::TwoOwners) > 0);
    }
}

#[test]
fn a_seller_that_accepts_and_vanishes_costs_an_attempt() {
    for report in check("vanish", 1..=1) {
        assert!(report.lost_attempts > 0, "{report}");
        assert_eq!((report.tally.crashes, report.held.0), (2, 0), "{report}");
    }
}

#[test]
fn a_flood_of_listings_is_bounded_and_others_are_served() {
    assert!(seen(&check("list_flood", 1..=1), Sight::FloodRefused) > 0);
}

#[test]
fn a_flood_of_requests_is_bounded_and_others_are_served_while_it_goes_on() {
    assert!(seen(&check("ask_flood", 1..=1), Sight::FloodRefused) > 0);
}

#[test]
fn nothing_is_run_against_a_policy() {
    assert!(seen(&check("policy", 1..=4), Sight::Forbidden) > 0);
}
