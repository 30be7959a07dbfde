//! The scenarios where the markets form a ring of their own: the processor overlay scheme.

#![cfg(test)]

use proto::{Placement, Rules};
use sim::{Report, Scenario, run};

/// The scenario in a network of the processor overlay scheme.
fn overlaid(name: &str) -> Scenario {
    let scenario = Scenario::named(name).unwrap();
    Scenario { rules: Rules { placement: Placement::Processor, ..scenario.rules }, ..scenario }
}

fn check(name: &str, seed: u64) -> Report {
    run(&overlaid(name), seed).unwrap_or_else(|violation| panic!("{name} {seed}: {violation}"))
}

#[test]
fn every_scenario_keeps_its_promises_under_the_processor_overlay_scheme() {
    for name in ["calm", "storm", "partition", "split", "leave", "restart", "first"] {
        for seed in 1..=2 {
            println!("{}", check(name, seed));
        }
    }
}

#[test]
fn no_buyer_is_told_that_nobody_sells_while_owners_come_and_go() {
    for seed in 1..=12 {
        let report = check("succession", seed);
        assert_eq!(report.tally.no_seller, 0, "{report}");
    }
}
