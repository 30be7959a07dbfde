//! Owners who stay in charge of their machines: what they order by hand, and policies that are read again.

use super::harness::{Bank, NodeProcess, policy, text, wait_until};
use super::known::ALONE;
use serde_json::Value;
use std::path::Path;
use std::sync::PoisonError;
use std::time::Duration;
use tempfile::tempdir;

const SOON: Duration = Duration::from_secs(60);

/// A buyer and a seller that is listed.
fn market(home: &Path) -> (Bank, NodeProcess, NodeProcess) {
    let bank = Bank::start(home);
    let start = |name: &str, cost: &str| NodeProcess::start(home, &bank, name, &policy(cost, 1));
    let (buyer, seller) = (start("a", "0.1"), start("b", "0.2"));
    wait_until("the seller is in the market", SOON, || is_listed(&seller));
    (bank, buyer, seller)
}

fn is_listed(node: &NodeProcess) -> Option<()> {
    node.json(&["status"])["listed"].is_string().then_some(())
}

/// Submits a sub-task of so many million turns, and gives the number of the task.
fn submit(buyer: &NodeProcess, home: &Path, millions: u32) -> String {
    let program = std::fs::canonicalize("examples/faults/slow.wasm").unwrap();
    let elements = format!(
        "<CpuCycles>1</CpuCycles><Work>40</Work><Price>90</Price><File>{}</File>\
         <InputParameters><Param>{millions}</Param></InputParameters>",
        program.display()
    );
    let file = home.join("slow.xml");
    std::fs::write(&file, format!("<TaskFile><SubTask>{elements}</SubTask></TaskFile>")).unwrap();
    let submitted = buyer.run(&["task", "submit", "-q", text(&file)]);
    assert_eq!(submitted.code, 0, "{submitted:?}");
    submitted.stdout.trim().to_owned()
}

fn sub_task(buyer: &NodeProcess, task: &str) -> Value {
    buyer.json(&["task", "status", task])["sub_tasks"][0].clone()
}

fn wait_for_state(buyer: &NodeProcess, task: &str, state: &str) -> Value {
    wait_until(&format!("the sub-task is {state}"), SOON, || {
        let sub_task = sub_task(buyer, task);
        assert_ne!(sub_task["state"], "failed", "{sub_task}");
        (sub_task["state"] == state).then_some(sub_task)
    })
}

fn sharing(node: &NodeProcess) -> String {
    node.json(&["policy", "explain"])["state"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_paused_seller_stands_still_keeps_its_contract_and_goes_on() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let home = tempdir().unwrap();
    let (_bank, buyer, seller) = market(home.path());
    let task = submit(&buyer, home.path(), 700);
    let cycles = |value: &Value| value["gcycles"].as_f64().unwrap_or(-1.0);
    wait_until("it has done something", SOON, || (cycles(&sub_task(&buyer, &task)) > 0.0).then_some(()));
    let paused = seller.json(&["pause", "--for", "2h"]);
    assert_eq!((&paused["schema"], &paused["state"]), (&"compup2p/sharing/v1".into(), &"paused".into()));
    assert_eq!((&paused["working"], paused["until"].is_string()), (&1.into(), true), "{paused}");
    let suspended = wait_for_state(&buyer, &task, "suspended");
    assert_eq!(suspended["why"], "suspended by its owner, who needs the machine", "{suspended}");
    // Longer than a lease of this network's rules.
    std::thread::sleep(Duration::from_secs(6));
    let later = sub_task(&buyer, &task);
    assert_eq!((&later["state"], &later["attempts"]), (&"suspended".into(), &1.into()), "{later}");
    let stood = cycles(&later);
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(cycles(&sub_task(&buyer, &task)), stood, "not a cycle more");
    let status = seller.run(&["status"]);
    assert!(
        status.stdout.contains("selling  nothing: the owner has paused this node for a time"),
        "{status:?}"
    );
    let shown = seller.run(&["policy", "explain"]);
    assert!(
        shown
            .stdout
            .contains("1 sub-task of others stands still\n- the owner has paused this node for a time\n"),
        "{shown:?}"
    );
    assert_eq!(seller.json(&["resume"])["state"], "sharing");
    let ended = wait_for_state(&buyer, &task, "succeeded");
    assert!(ended["attempts"] == 1 && cycles(&ended) > stood, "{ended}");
}

#[test]
fn a_pause_and_a_drain_outlive_the_process_and_an_absence_ends_by_itself_or_by_hand() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let home = tempdir().unwrap();
    let (_bank, _buyer, mut seller) = market(home.path());
    for (order, state) in [("pause", "paused"), ("drain", "draining")] {
        assert_eq!(seller.json(&[order])["state"], state);
        seller.kill9();
        seller.restart();
        assert_eq!(sharing(&seller), state);
        assert_eq!(seller.json(&["status"])["sharing"]["state"], state);
        assert_eq!(seller.json(&["resume"])["state"], "sharing");
        wait_until("it is in the market again", SOON, || is_listed(&seller));
    }

    let left = seller.run(&["leave", "--until", "2099-12-24 20:00"]);
    let expected = format!(
        "the node in {} has left the network and comes back on Thu 2099-12-24 20:00\n",
        seller.home.display()
    );
    assert_eq!((left.code, left.stdout.as_str()), (0, expected.as_str()), "{left:?}");
    let away = seller.run(&["--json", "status"]);
    assert_eq!((away.code, &away.json()["error"]["code"]), (4, &"away".into()), "{away:?}");
    assert_eq!(seller.run(&["resume"]).code, 0);
    wait_until("it is back in the market", SOON, || {
        let status = seller.run(&["--json", "status"]);
        (status.code == 0 && status.json()["listed"].is_string()).then_some(())
    });
    let soon = in_seconds(4);
    assert_eq!(seller.run(&["leave", "--until", &soon]).code, 0);
    wait_until("it has come back by itself", SOON, || {
        let status = seller.run(&["--json", "status"]);
        (status.code == 0 && status.json()["listed"].is_string()).then_some(())
    });
    assert_eq!(seller.run(&["leave", "--until", "2099-12-24 20:00"]).code, 0);
    assert_eq!(seller.run(&["leave"]).code, 0);
    assert_eq!(seller.wait_for_end(), 0);
}

/// The time in so many seconds, as RFC 3339.
fn in_seconds(seconds: i64) -> String {
    jiff::Timestamp::now().saturating_add(jiff::SignedDuration::from_secs(seconds)).unwrap().to_string()
}

#[test]
fn a_node_that_leaves_finishes_its_work_first() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let home = tempdir().unwrap();
    let (_bank, buyer, mut seller) = market(home.path());
    let task = submit(&buyer, home.path(), 300);
    wait_for_state(&buyer, &task, "running");
    assert_eq!(seller.run(&["leave"]).code, 0);
    assert_eq!(seller.wait_for_end(), 0);
    let ended = wait_for_state(&buyer, &task, "succeeded");
    assert_eq!(ended["attempts"], 1, "{ended}");
}

#[test]
fn a_policy_is_read_again_and_a_bad_one_changes_nothing() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let home = tempdir().unwrap();
    let (_bank, _buyer, seller) = market(home.path());
    let file = seller.home.join("policy.toml");
    let write = |text: &str| std::fs::write(&file, text).unwrap();
    let ask = || seller.json(&["status"])["ask"].clone();
    let unchanged = seller.run(&["policy", "reload"]);
    assert_eq!(unchanged.stdout, format!("{}: read again, nothing has changed\n", file.display()));

    write(&policy("0.3", 1));
    let reloaded = seller.json(&["policy", "reload"]);
    assert_eq!(reloaded["schema"], "compup2p/policy-reload/v1");
    assert_eq!(reloaded["changes"], serde_json::json!(["market.marginal_cost: 0.2 -> 0.3"]));
    assert_eq!(ask(), "0.3");

    write("version = 1\n[cpu]\nmax_core = 3\n");
    let refused = seller.run(&["policy", "reload"]);
    let fault = format!("{}:3:1: `max_core` is not a key of [cpu]", file.display());
    assert!(refused.code == 2 && refused.stderr.starts_with(&fault), "{refused:?}");
    assert!(refused.stderr.contains("the policy as it was read before stays in force"), "{refused:?}");
    assert_eq!(ask(), "0.3");

    write(&policy("0.4", 1));
    let hung_up = std::process::Command::new("kill").args(["-HUP", &seller.pid().to_string()]).status();
    assert!(hung_up.unwrap().success());
    wait_until("the signal has had its effect", SOON, || (ask() == "0.4").then_some(()));
    let log = std::fs::read_to_string(seller.home.join("log")).unwrap();
    assert!(log.contains("market.marginal_cost: 0.3 -> 0.4"), "{log}");
}

#[test]
fn a_node_may_begin_paused_and_leave_when_it_is_done_or_idle() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let home = tempdir().unwrap();
    let (_bank, buyer, mut seller) = market(home.path());
    seller.kill9();
    seller.restart_with(&["--paused"]);
    assert_eq!(sharing(&seller), "paused");
    assert_eq!(seller.json(&["resume"])["state"], "sharing");
    seller.kill9();

    seller.restart_with(&["--max-tasks", "1"]);
    wait_until("it is in the market", SOON, || is_listed(&seller));
    let task = submit(&buyer, home.path(), 10);
    let first = wait_for_state(&buyer, &task, "succeeded");
    assert_eq!(first["sale"]["seller"], seller.account.as_str(), "{first}");
    assert_eq!(seller.wait_for_end(), 0);

    seller.restart_with(&["--exit-when-idle", "3s"]);
    assert_eq!(seller.wait_for_end(), 0);
}
