//! Every scenario keeps its promises, for several seeds.

use proto::Span;
use proto::message::service::Outcome;
use service::policy::Work;
use sim::{Fault, Model, Report, Scenario, Who, run};
use std::collections::BTreeMap;

/// Runs a scenario and expects its sub-tasks to end in this way.
fn check(name: &str, seed: u64, verdicts: &[(&'static str, u32)]) -> Report {
    let scenario = Scenario::named(name).unwrap();
    let report = run(&scenario, seed).unwrap_or_else(|violation| panic!("{violation}"));
    assert_eq!(report.verdicts, BTreeMap::from_iter(verdicts.iter().copied()), "{report}");
    check_money(&scenario, &report);
    report
}

/// Each node had its grant, and no more and no less is there.
fn check_money(scenario: &Scenario, report: &Report) {
    let nodes = u64::try_from(scenario.nodes).unwrap();
    assert_eq!(report.issued.0, nodes * scenario.rules.initial_grant.0, "{report}");
    let (available, held) = report
        .balances
        .iter()
        .fold((0, 0), |(available, held), balance| (available + balance.available.0, held + balance.held.0));
    assert_eq!((available + held, held), (report.issued.0, report.held.0), "{report}");
}

#[test]
fn nothing_goes_wrong_when_nothing_goes_wrong() {
    for seed in 1..=3 {
        let report = check("calm", seed, &[("failed", 2), ("succeeded", 18)]);
        assert_eq!((report.attempts, report.lost_attempts), (20, 0), "{report}");
        assert_eq!((report.ring_broken, report.ring_strained, report.held.0), (0, 0, 0), "{report}");
        assert_eq!(
            (report.traffic.lost, report.traffic.doubled, report.traffic.stopped),
            (0, 0, 0),
            "{report}"
        );
    }
}

#[test]
fn two_hundred_sub_tasks_end_by_name_among_thirty_nodes_of_which_three_crash() {
    let scenario = Scenario::named("first").unwrap();
    let report = run(&scenario, 1).unwrap_or_else(|violation| panic!("{violation}"));
    check_money(&scenario, &report);
    let count = |kind| report.verdicts.get(kind).copied().unwrap_or(0);
    assert_eq!(report.verdicts.values().sum::<u32>(), 200, "{report}");
    // Every tenth program fails by itself; an attempt that is lost four times over may join them.
    assert!(count("failed") >= 20 && count("succeeded") >= 170, "{report}");
    assert_eq!((report.tally.crashes, report.tally.starts), (3, 30), "{report}");
    assert!((40..60).contains(&(report.traffic.lost * 1_000 / report.traffic.sent)), "{report}");
    assert_eq!(report.reasons.len(), report.verdicts.len() - 1, "{report}");
}

#[test]
fn a_bank_that_is_killed_goes_on_from_its_journal() {
    for seed in [1, 2] {
        let report = check("bank_crash", seed, &[("failed", 6), ("succeeded", 54)]);
        assert_eq!((report.tally.bank_starts, report.held.0), (6, 0), "{report}");
    }
}

#[test]
fn a_buyer_that_is_cut_off_comes_back_and_ends_its_task() {
    let scenario = Scenario::named("partition").unwrap();
    let report = run(&scenario, 1).unwrap_or_else(|violation| panic!("{violation}"));
    check_money(&scenario, &report);
    assert_eq!(report.verdicts.values().sum::<u32>(), 60, "{report}");
    assert!(report.lost_attempts > 0 && report.traffic.stopped > 0 && report.ring_broken > 0, "{report}");
}

#[test]
fn two_halves_of_a_network_become_one_again() {
    let scenario = Scenario::named("split").unwrap();
    for seed in 1..=2 {
        let report = run(&scenario, seed).unwrap_or_else(|violation| panic!("{violation}"));
        check_money(&scenario, &report);
        assert_eq!(report.verdicts.values().sum::<u32>(), 40, "{report}");
        // A run ends only when the ring is whole.
        assert!(report.ring_broken > 0 && report.ring_strained > 0, "{report}");
    }
}

#[test]
fn sellers_that_hang_lose_their_work() {
    let report = check("hang", 1, &[("failed", 2), ("succeeded", 18)]);
    assert!(report.lost_attempts > 0, "{report}");
    assert_eq!(report.held.0, 0, "{report}");
}

#[test]
fn a_buyer_without_money_is_refused_by_name() {
    let report = check("poor_buyer", 1, &[("not paid", 10), ("succeeded", 10)]);
    let reason = report.reasons.get("not paid").unwrap();
    assert!(reason.starts_with("not enough money: the account has 0.5"), "{reason}");
    // Work is given to the seller only when its money is set aside, and the bank is not asked in a hot loop.
    let orders = report.tally.retries.values().sum::<u32>();
    assert!(report.attempts == 10 && orders < 60, "{report}");
    assert_eq!(report.held.0, 0, "{report}");
}

#[test]
fn a_seller_that_comes_back_with_an_empty_memory_frees_the_hold_of_its_lost_attempt() {
    for seed in 1..=3 {
        let report = check("restart", seed, &[("failed", 2), ("succeeded", 18)]);
        assert_eq!((report.tally.crashes, report.tally.starts, report.held.0), (2, 10, 0), "{report}");
        assert!(report.lost_attempts > 0, "{report}");
    }
}

#[test]
fn messages_that_come_twice_late_or_never_change_nothing() {
    for seed in [1, 2] {
        let report = check("storm", seed, &[("failed", 6), ("succeeded", 54)]);
        assert!(report.traffic.doubled > 300 && report.traffic.lost > 50, "{report}");
    }
}

#[test]
fn messages_that_are_overtaken_change_nothing() {
    for seed in 1..=3 {
        let report = check("overtaken", seed, &[("failed", 6), ("succeeded", 54)]);
        let harm = (report.traffic.lost, report.lost_attempts, report.held.0, report.ring_strained);
        assert_eq!(harm, (0, 0, 0, 0), "{report}");
    }
}

#[test]
fn sellers_that_lie_are_paid_no_more_than_the_hold_and_only_wrong_contents_pass() {
    let scenario = Scenario::named("liars").unwrap();
    let report = check("liars", 1, &[("failed", 4), ("succeeded", 36)]);
    assert!(report.tally.wrong_outputs > 0, "{report}");
    let most = scenario.work.price.0 * 40;
    assert!(report.spent.0 < most, "{report}");
}

#[test]
fn sellers_that_leave_in_order_leave_nothing_behind() {
    let report = check("leave", 1, &[("failed", 6), ("succeeded", 54)]);
    assert_eq!((report.tally.crashes, report.held.0, report.ring_broken), (0, 0, 0), "{report}");
    assert!(report.lost_attempts > 0, "{report}");
}

#[test]
fn whoever_answers_for_a_market_has_what_is_listed_there() {
    for seed in 1..=6 {
        let report = check("succession", seed, &[("succeeded", 48)]);
        assert_eq!((report.tally.no_seller, report.tally.starts, report.held.0), (0, 44, 0), "{report}");
        assert!(report.traffic.doubled > 100, "{report}");
    }
}

#[test]
fn where_messages_are_lost_too_nobody_is_told_that_nobody_sells() {
    let calm = Scenario::named("succession").unwrap();
    let scenario = Scenario { net: Model { loss: 10, ..calm.net }, ..calm };
    for seed in 1..=12 {
        let report = run(&scenario, seed).unwrap_or_else(|violation| panic!("{violation}"));
        assert!(report.traffic.lost > 100, "{report}");
    }
}

#[test]
fn owners_come_and_go_and_every_sub_task_ends_as_its_program_does() {
    for seed in 1..=4 {
        let report = check("owners", seed, &[("failed", 16), ("succeeded", 144)]);
        assert_eq!(report.tally.crashes, 2, "{report}");
        let returned = report.tally.retries.get(&format!("failed: the program {}", handed_back(NEEDED)));
        assert!(report.tally.suspended >= 10 && returned.is_some_and(|count| *count > 5), "{report}");
    }
}

#[test]
fn clocks_that_drift_change_nothing() {
    for seed in 1..=3 {
        let report = check("drift", seed, &[("failed", 6), ("succeeded", 54)]);
        let harm = (report.lost_attempts, report.held.0, report.ring_broken, report.ring_strained);
        assert_eq!(harm, (0, 0, 0, 0), "{report}");
    }
}

#[test]
fn whoever_has_a_wrong_clock_does_not_trade_and_harms_nobody() {
    let half = [("failed", 4), ("not placed", 40), ("succeeded", 36)];
    for (seed, verdicts) in [(1, &[("failed", 8), ("succeeded", 72)][..]), (2, &half), (3, &half)] {
        let report = check("wrong_clocks", seed, verdicts);
        assert_eq!((report.lost_attempts, report.held.0, report.ring_strained), (0, 0, 0), "{report}");
        let reason = report.reasons.get("not placed");
        assert!(reason.is_none_or(|why| why.ends_with("false tickets (the ticket has ended)")), "{reason:?}");
    }
}

const NEEDED: &str = "its owner needs the machine";

fn handed_back(why: &str) -> Outcome {
    Outcome::Abandoned(why.into())
}

#[test]
fn what_stands_still_for_longer_than_its_hold_allows_is_done_elsewhere() {
    let suspend = |at| Fault::Decide { who: Who::Busy, work: Work::Suspend }.at(Span::secs(at));
    let calm = Scenario::named("calm").unwrap();
    let scenario = Scenario { faults: vec![suspend(6)], limit: Span::secs(900), ..calm };
    let report = run(&scenario, 1).unwrap_or_else(|violation| panic!("{violation}"));
    check_money(&scenario, &report);
    let why = "its owner has needed the machine for longer than this contract lasts";
    let why = format!("failed: the program {}", handed_back(why));
    assert_eq!(report.tally.retries.keys().collect::<Vec<_>>(), [&why], "{report}");
    // 60 s that it may run, 600 s of margin and up to 64 s for its inputs, less 60 s for the claim; then the time that it takes
    // elsewhere.
    let took = report.took.as_secs_f64();
    assert!((590.0..675.0).contains(&took), "{report}");
    assert_eq!((report.verdicts.get("succeeded"), report.held.0), (Some(&18), 0), "{report}");
}

#[test]
fn every_scenario_has_a_name_and_a_report_that_names_it() {
    let names: Vec<&str> = Scenario::all().iter().map(|scenario| scenario.name).collect();
    assert_eq!(
        names,
        [
            "calm",
            "first",
            "bank_crash",
            "partition",
            "split",
            "poor_buyer",
            "restart",
            "storm",
            "overtaken",
            "liars",
            "hang",
            "leave",
            "succession",
            "bulk",
            "owners",
            "owner_dies",
            "sold_twice",
            "stale",
            "two_owners",
            "vanish",
            "list_flood",
            "ask_flood",
            "policy",
            "silent_buyer",
            "wrong_result",
            "no_show_seller",
            "checkpoints",
            "bad_states",
            "garbage",
            "no_room",
            "storage_dies",
            "storage_returns",
            "buyer_returns",
            "vacated",
            "believed",
            "probed",
            "probed_storm",
            "voters",
            "league",
            "voters_storm",
            "voters_return",
            "chain",
            "workflow",
            "series",
            "series_uneven",
            "series_storm",
            "drift",
            "wrong_clocks",
        ]
    );
    assert_eq!(Scenario::named("no such"), None);
    let report = run(&Scenario::named("calm").unwrap(), 9).unwrap();
    let text = report.to_string();
    for part in [
        "scenario         calm, seed 9, 8 nodes",
        "succeeded        18",
        "8000 issued",
        &report.trace.to_hex(),
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
}
