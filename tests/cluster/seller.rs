//! Sellers that go in the middle of their work: killed, or in order.

use super::books::Books;
use super::network::{Network, until};
use super::view::{SubTask, Task};
use super::work::Slow;
use proto::Money;

const BUYER: usize = 0;

/// A sub-task of the buyer that is being run, and the node that runs it.
fn running(network: &Network) -> (usize, usize) {
    until("a seller runs a sub-task", 30, || {
        let task = network.task(BUYER);
        let index = task.sub_tasks.iter().position(|sub_task| sub_task.state == "running");
        index.map(|index| (index, network.node_of(task.sub_tasks[index].seller()))).ok_or(format!("{task:?}"))
    })
}

/// Every sub-task but number `second` had one attempt, that one had two, and the second elsewhere.
fn check_attempts(network: &Network, task: &Task, second: usize, first_seller: usize) {
    for (index, sub_task) in task.sub_tasks.iter().enumerate() {
        let SubTask { attempts, reason_code, .. } = sub_task;
        let expected = if index == second { 2 } else { 1 };
        assert_eq!((*attempts, reason_code.as_deref()), (expected, Some("succeeded")), "{sub_task:?}");
        let is_elsewhere = network.node_of(sub_task.seller()) != first_seller;
        assert!(is_elsewhere || index != second, "run again where it was lost: {sub_task:?}");
    }
}

#[test]
fn the_sub_task_of_a_killed_seller_is_run_again_elsewhere_and_paid_once() {
    let mut network = Network::start(4);
    network.submit(BUYER, &[Slow { name: "slow", count: 3, millions: 400, price: 10 }]);
    let (index, victim) = running(&network);
    network.kill(victim);
    let task = network.wait(BUYER, 0);
    assert_eq!(task.state, "succeeded", "{task:?}");
    check_attempts(&network, &task, index, victim);
    network.check_results("slow", 3, 400);
    network.restart(victim);
    let books = Books::when_nothing_is_held(&network, 30);
    books.check_payments(BUYER, &task);
}

#[test]
fn a_seller_that_leaves_gives_its_sub_task_up_and_the_hold_comes_back_at_once() {
    let mut network = Network::start(4);
    network.submit(BUYER, &[Slow { name: "slow", count: 1, millions: 600, price: 10 }]);
    let wait = network.start_wait(BUYER);
    let (index, leaver) = running(&network);
    network.leave(leaver);
    running_elsewhere(&network, leaver);
    until("only the second attempt has money set aside", 3, || {
        let held = network.balance(BUYER).held;
        if held == Money::credits(10) { Ok(()) } else { Err(format!("{held} credits are held")) }
    });
    network.check_ring(10);
    let (task, progress) = wait.end(0);
    check_attempts(&network, &task, index, leaver);
    let why = "its node leaves the network";
    assert!(progress.lines().any(|line| line.contains("retrying") && line.contains(why)), "{progress}");
    network.check_results("slow", 1, 600);
    network.restart(leaver);
    Books::when_nothing_is_held(&network, 5).check_payments(BUYER, &task);
}

fn running_elsewhere(network: &Network, before: usize) {
    until("another seller runs the sub-task", 10, || {
        let task = network.task(BUYER);
        let sub_task = &task.sub_tasks[0];
        let is_there = sub_task.state == "running" && network.node_of(sub_task.seller()) != before;
        if is_there { Ok(()) } else { Err(format!("{sub_task:?}")) }
    });
}
