//! Whether a node shares, word for word. Times for people are in local time, which differs from machine to machine.

use super::super::{human, json, sample, view};
use crate::control::{ReloadView, Sharing, SharingView};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::path::Path;

const SINCE: &str = "2026-11-21T00:41:00Z";
const UNTIL: &str = "2026-11-22T20:00:00Z";

fn local(time: &str) -> String {
    let time: Timestamp = time.parse().unwrap();
    time.to_zoned(TimeZone::system()).strftime("%a %Y-%m-%d %H:%M").to_string()
}

fn check(sharing: &SharingView, expected: &str) {
    let expected = expected.replace("SINCE", &local(SINCE)).replace("UNTIL", &local(UNTIL));
    assert_eq!(human::sharing(sharing), expected, "{sharing:?}");
}

#[test]
fn a_node_says_whether_it_shares_and_why_not() {
    let shares = sample::sharing();
    check(&shares, "sharing since SINCE\n");
    let slow = SharingView { throttle_pct: 40, working: 2, ..shares.clone() };
    let expected =
        "sharing since SINCE\nwork of others runs for 40 % of the time\n2 sub-tasks of others are at work\n";
    check(&slow, expected);
    let reasons = vec!["paused by hand".into(), "the \u{1b} schedule".into()];
    let paused = SharingView {
        state: Sharing::Paused,
        until: Some(UNTIL.into()),
        reasons,
        notes: vec!["no battery sensor".into()],
        throttle_pct: 0,
        working: 1,
        ..shares.clone()
    };
    let expected = "paused since SINCE, until UNTIL\n1 sub-task of others stands still\n- paused by hand\n- the \\u{1b} schedule\nno battery sensor\n";
    check(&paused, expected);
    let asked = SharingView { state: Sharing::Closed, since: None, at: Some(UNTIL.into()), ..shares };
    check(&asked, "UNTIL: not sharing\n");
    assert_eq!(human::in_short(&paused), format!("paused until {}", local(UNTIL)));
}

#[test]
fn programs_read_the_same() {
    let expected = concat!(
        r#"{"schema":"compup2p/sharing/v1","state":"sharing","since":"2026-11-21T00:41:00Z","until":null,"#,
        r#""reasons":[],"notes":[],"throttle_pct":100,"working":0}"#,
        "\n"
    );
    assert_eq!(json::document("sharing", sample::sharing()), expected);
}

#[test]
fn a_policy_that_was_read_again_shows_its_changes() {
    let mut reloaded = ReloadView { file: "p.toml".into(), changes: Vec::new(), at_next_start: Vec::new() };
    assert_eq!(human::reloaded(&reloaded), "p.toml: read again, nothing has changed\n");
    reloaded.changes = vec!["cpu.max_cores: none → 2".into()];
    reloaded.at_next_start = vec!["network.listen".into()];
    let expected = "p.toml: read again\n  cpu.max_cores: none → 2\n\
        network.listen counts from the next start of the node on\n";
    assert_eq!(human::reloaded(&reloaded), expected);
    let expected = concat!(
        r#"{"schema":"compup2p/policy-reload/v1","file":"p.toml","changes":["cpu.max_cores: none → 2"],"#,
        r#""at_next_start":["network.listen"]}"#,
        "\n"
    );
    assert_eq!(json::document("policy-reload", &reloaded), expected);
}

#[test]
fn a_node_that_leaves_says_when_it_comes_back() {
    let home = Path::new("/x");
    assert_eq!(human::left(home, None), "the node in /x has left the network and ended\n");
    let until: Timestamp = UNTIL.parse().unwrap();
    let expected = format!("the node in /x has left the network and comes back on {}\n", local(UNTIL));
    assert_eq!(human::left(home, Some(until)), expected);
    let expected = "{\"schema\":\"compup2p/leave/v1\",\"left\":true,\"home\":\"/x\",\"until\":\"2026-11-22T20:00:00Z\"}\n";
    assert_eq!(json::left(home, Some(until)), expected);
}

#[test]
fn a_policy_that_was_imported_stands_with_its_remarks() {
    let imported = view::Imported {
        policy: "version = 1\n".into(),
        notes: vec!["`hangup_if_dialed` is ignored".into()],
    };
    let expected = concat!(
        r#"{"schema":"compup2p/policy-import/v1","policy":"version = 1\n","#,
        r#""notes":["`hangup_if_dialed` is ignored"]}"#,
        "\n"
    );
    assert_eq!(json::document("policy-import", &imported), expected);
}
