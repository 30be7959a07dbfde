//! What goes wrong with networks and machines: the world bears it, and every invariant holds.

use proto::Span;
use sim::network::{Map, Matrix};
use sim::{Expectation, Fault, Latency, Report, Scenario, Who, run};
use std::sync::Arc;

/// `calm` with faults, on which nothing is promised but an end with a reason.
fn with(faults: Vec<sim::Scheduled>) -> Scenario {
    let calm = Scenario::named("calm").unwrap();
    let limit = Span::secs(400);
    Scenario {
        faults,
        limit,
        rest_within: Span::secs(200),
        expectation: Expectation::Named,
        releases_all: false,
        ..calm
    }
}

fn check(scenario: &Scenario) -> Report {
    let report = run(scenario, 1).unwrap_or_else(|violation| panic!("{violation}"));
    assert_eq!(report.verdicts.values().sum::<u32>(), 20, "{report}");
    report
}

#[test]
fn nodes_that_hear_or_are_heard_only_are_missed_and_come_back() {
    let hosts = || vec![5, 6, 7];
    let heal = || Fault::Heal.at(Span::secs(20));
    for fault in [Fault::Deafen { hosts: hosts() }, Fault::Mute { hosts: hosts() }] {
        let report = check(&with(vec![fault.clone().at(Span::secs(6)), heal()]));
        assert!(report.traffic.stopped > 0, "{fault:?}: {report}");
    }
}

#[test]
fn a_slow_machine_ends_later_and_is_paid_by_cycles_all_the_same() {
    let usual = check(&with(Vec::new()));
    let slow = |host| Fault::Slow { host, times: 4 }.at(Span(0));
    let slowed = check(&with((0..8).map(slow).collect()));
    assert!(slowed.took > usual.took.times(2), "{} {}", slowed.took, usual.took);
    assert_eq!(slowed.verdicts, usual.verdicts);
}

#[test]
fn a_seller_that_comes_back_without_its_disk_sells_again() {
    let crash = Fault::Crash { who: Who::Host(4), is_silent: true }.at(Span::secs(7));
    let disk = Fault::LoseDisk { host: 4 }.at(Span::secs(8));
    let report = check(&with(vec![crash, disk, Fault::RestartAll.at(Span::secs(9))]));
    assert_eq!((report.tally.crashes, report.tally.starts), (1, 9), "{report}");
}

#[test]
fn worlds_run_on_a_map_and_on_a_table() {
    let table: Matrix = "0 5 80\n5 0 70\n80 70 0\n".parse().unwrap();
    let table = Latency::Matrix { ways: Arc::new(table), jitter_pct: 10 };
    for latency in [Latency::Map(Map::new(1)), table] {
        let mut scenario = with(Vec::new());
        scenario.net.latency = latency;
        let report = check(&scenario);
        assert_eq!(report.verdicts.get("succeeded"), Some(&18), "{report}");
    }
}
