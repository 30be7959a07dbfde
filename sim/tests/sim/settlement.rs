//! Complete nodes, a bank that is killed, and sides that do not do their part: each contract comes to its end.

use proto::message::bank::How;
use sim::{Report, Scenario, Sight, run};
use std::collections::BTreeMap;

/// Runs a scenario with two seeds: all its sub-tasks succeed, nothing stays set aside, the bank was killed `kills` times,
/// and a contract has ended as `how` in each.
fn check(name: &str, how: How, kills: u32) {
    let scenario = Scenario::named(name).unwrap();
    let count = u32::try_from(scenario.sub_tasks).unwrap();
    for seed in 1..=2 {
        let report: Report = run(&scenario, seed).unwrap_or_else(|violation| panic!("{name}: {violation}"));
        assert_eq!(report.verdicts, BTreeMap::from([("succeeded", count)]), "{report}");
        assert_eq!((report.held.0, report.tally.bank_starts), (0, kills), "{report}");
        assert!(report.tally.sights.get(&Sight::Contract(how)).is_some_and(|seen| *seen > 0), "{report}");
    }
}

#[test]
fn a_buyer_that_takes_the_outputs_and_says_nothing_pays_at_the_deadline() {
    check("silent_buyer", How::Lapsed, 2);
}

#[test]
fn a_claim_on_a_wrong_result_is_overturned_by_a_third_nodes_execution() {
    check("wrong_result", How::Overturned, 1);
}

#[test]
fn a_seller_that_vanishes_after_accepting_loses_its_bond() {
    check("no_show_seller", How::NoShow, 1);
}
