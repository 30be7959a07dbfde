//! A sub-task while it runs: what it prints is shown live, and `task cancel` stops process and billing within a second.

use super::network::{Network, until};
use proto::Money;
use std::time::{Duration, Instant};

const BUYER: usize = 0;

fn wait_until_running(network: &Network) {
    until("the sub-task runs", 30, || {
        let task = network.task(BUYER);
        if task.sub_tasks[0].state == "running" { Ok(()) } else { Err(format!("{task:?}")) }
    });
}

#[test]
fn what_a_program_prints_is_shown_while_it_runs_and_after_it_was_ended() {
    let network = Network::start(3);
    // It prints without end, until it is over its limit on output.
    network.submit_fault(BUYER, "chatter.wasm");
    let task = network.wait(BUYER, 1);
    assert_eq!(task.sub_tasks[0].reason_code.as_deref(), Some("output_limit"), "{task:?}");
    let shown = network.command(BUYER, &["task", "logs", "last"]);
    assert_eq!(shown.code, 0, "{}", shown.stderr);
    assert_eq!(shown.stdout.len(), 1 << 20, "what the usual limit lets through");
    let followed = network.command(BUYER, &["task", "logs", "-f", "last", "one"]);
    assert_eq!((followed.code, &followed.stdout), (0, &shown.stdout));
    let missing = network.command(BUYER, &["task", "logs", "last", "two"]);
    assert_eq!(missing.code, 2, "{missing:?}");
}

#[test]
fn a_cancelled_sub_task_stops_and_is_not_billed_any_more_within_a_second() {
    let network = Network::start(3);
    network.submit_fault(BUYER, "spin.wasm");
    wait_until_running(&network);
    let before = network.command(BUYER, &["task", "logs", "last"]);
    assert_eq!((before.code, before.stdout.as_str()), (0, ""), "{before:?}");
    let begin = Instant::now();
    let cancelled = network.command(BUYER, &["task", "cancel", "last"]);
    assert_eq!(cancelled.code, 0, "{cancelled:?}");
    until("nobody works, and nothing is held", 5, || {
        let working: usize = (0..network.count()).map(|node| network.status(node).working).sum();
        let held = network.balance(BUYER).held;
        if working == 0 && held == Money::ZERO {
            Ok(())
        } else {
            Err(format!("{working} at work, {held} held"))
        }
    });
    let took = begin.elapsed();
    println!("cancelled, stopped and freed after {took:?}");
    // With the commands that look.
    assert!(took < Duration::from_secs(1), "{took:?}");
}
