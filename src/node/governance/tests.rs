//! The owner's word by hand, over the policy's.

use super::*;
use proto::{Bytes, Capacity};

const NOW: Time = Time(5_000_000);

/// A machine with room for everything.
fn machine() -> Machine {
    Machine {
        cores: 4,
        per_core: Capacity(1_000),
        idle_cores: 4,
        memory: Bytes::gib(4),
        disk: Bytes::gib(4),
        ..Machine::default()
    }
}

fn moment() -> Moment {
    Moment { now: NOW, weekday: Weekday::Sat, minute: 600 }
}

/// What comes of an order, and of the same after a restart: the work, and how the node stands.
fn check(order: Order, work: Work, state: Sharing, reasons: &[&str]) {
    let home = tempfile::tempdir().unwrap();
    let mut governance = Governance::open(home.path(), Policy::default(), moment()).unwrap();
    governance.order(order, NOW).unwrap();
    for _ in 0..2 {
        let decision = governance.decide(&machine(), moment()).clone();
        assert_eq!(
            (decision.work, decision.reasons.as_slice()),
            (work, &reasons.iter().map(ToString::to_string).collect::<Vec<_>>()[..]),
            "{order:?}"
        );
        let intake = governance.intake(Intake::Open);
        assert_eq!(governance.view(intake, 2, |_| Span(0)).state, state, "{order:?}");
        governance = Governance::open(home.path(), Policy::default(), moment()).unwrap();
    }
}

const DRAINS: &str = "the node drains: it finishes what runs and takes nothing new";
const FULL: Work = Work::Run { throttle_pct: 100 };

#[test]
fn an_order_by_hand_counts_over_the_policy_and_after_a_restart() {
    check(Order::Share, FULL, Sharing::Open, &[]);
    check(
        Order::Pause { until: None },
        Work::Suspend,
        Sharing::Paused,
        &["the owner has paused this node until they resume it"],
    );
    check(Order::Drain, FULL, Sharing::Draining, &[DRAINS]);
    let until = Timestamp::now().saturating_add(jiff::SignedDuration::from_hours(2)).unwrap();
    let reason = "the owner has paused this node for a time";
    check(Order::Pause { until: Some(until) }, Work::Suspend, Sharing::Paused, &[reason]);
}

#[test]
fn a_pause_that_is_over_leaves_nothing_behind() {
    let home = tempfile::tempdir().unwrap();
    let mut governance = Governance::open(home.path(), Policy::default(), moment()).unwrap();
    let over = Timestamp::now().saturating_sub(jiff::SignedDuration::from_secs(1)).unwrap();
    governance.order(Order::Pause { until: Some(over) }, NOW).unwrap();
    assert!(home.path().join("orders.json").exists());
    let decision = governance.decide(&machine(), moment());
    assert_eq!((decision.work, &decision.reasons), (FULL, &Vec::new()));
    assert!(!home.path().join("orders.json").exists());
}

#[test]
fn what_the_policy_says_is_a_reason_too() {
    let home = tempfile::tempdir().unwrap();
    let policy = Policy { share_compute: false, ..Policy::default() };
    let mut governance = Governance::open(home.path(), policy.clone(), moment()).unwrap();
    let no = "the policy shares no compute power";
    assert_eq!(governance.decide(&machine(), moment()).reasons, [no]);
    assert_eq!(governance.view(Intake::Open, 0, |_| Span(0)).state, Sharing::Closed);
    governance.order(Order::Drain, NOW).unwrap();
    assert_eq!(governance.decide(&machine(), moment()).reasons, [DRAINS, no]);
    let at = "2026-11-21T10:00:00Z".parse().unwrap();
    let then = governance.view_at(&policy, &machine(), at, NOW);
    assert_eq!((then.state, then.reasons.as_slice()), (Sharing::Closed, &[no.to_owned()][..]));
    assert_eq!((then.at.as_deref(), then.since), (Some("2026-11-21T10:00:00Z"), None));
}

#[test]
fn a_drain_gives_back_the_intake_that_it_has_closed() {
    let home = tempfile::tempdir().unwrap();
    let mut governance = Governance::open(home.path(), Policy::default(), moment()).unwrap();
    let last = Intake::Last { left: 3 };
    assert_eq!(governance.intake(last), last);
    governance.order(Order::Drain, NOW).unwrap();
    assert_eq!(governance.intake(last), Intake::Closed);
    assert_eq!(governance.intake(Intake::Closed), Intake::Closed);
    governance.order(Order::Share, NOW).unwrap();
    assert_eq!(governance.intake(Intake::Closed), last);
    assert_eq!(governance.intake(last), last);
}

#[test]
fn orders_that_cannot_be_read_keep_the_node_from_starting() {
    let home = tempfile::tempdir().unwrap();
    for text in
        ["", "{", "\"sleep\"", "{\"pause\":{\"until\":\"soon\"}}", "{\"pause\":{\"until\":null,\"x\":1}}"]
    {
        std::fs::write(home.path().join("orders.json"), text).unwrap();
        let error =
            Governance::open(home.path(), Policy::default(), moment()).err().map(|error| error.to_string());
        assert!(
            error.as_deref().is_some_and(|error| error.contains("is not as it was written")),
            "{text}: {error:?}"
        );
    }
}

#[test]
fn what_a_running_node_cannot_change_is_named() {
    let old = Policy::default();
    assert_eq!(at_next_start(&old, &Policy { max_cores: Some(2), ..old.clone() }), Vec::<String>::new());
    let mut moved = Policy { listen: "127.0.0.1:9".parse().unwrap(), ..old.clone() };
    moved.disk.dir = Some("/srv".into());
    assert_eq!(at_next_start(&old, &moved), ["network.listen", "disk.dir"]);
}
