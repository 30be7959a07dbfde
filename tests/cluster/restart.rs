//! A buyer's node that is killed in the middle of its task and started again: the sellers go on meanwhile, and what they
//! have done is taken up.

use super::books::Books;
use super::network::{Network, until};
use super::work::Slow;

const BUYER: usize = 0;
const COUNT: usize = 6;

#[test]
fn a_killed_buyer_goes_on_with_its_task_and_takes_up_what_its_sellers_do() {
    let mut network = Network::start(4);
    network.submit(BUYER, &[Slow { name: "slow", count: COUNT, millions: 400, price: 10 }]);
    // One has ended, and others are at work at other nodes.
    let elsewhere = until("other sellers run sub-tasks", 60, || {
        let task = network.task(BUYER);
        let at_work = task.sub_tasks.iter().filter(|sub_task| sub_task.state == "running");
        let places: Vec<usize> = at_work.map(|sub_task| network.node_of(sub_task.seller())).collect();
        let elsewhere = places.iter().filter(|place| **place != BUYER).count();
        let has_ended = task.count("succeeded") > 0;
        if has_ended && elsewhere >= 2 { Ok(elsewhere) } else { Err(format!("{task:?}")) }
    });
    network.kill(BUYER);
    network.restart(BUYER);
    let task = network.wait(BUYER, 0);
    assert_eq!((task.state.as_str(), task.count("succeeded")), ("succeeded", COUNT), "{task:?}");
    // Only what the buyer's own node was executing has been lost with it.
    let again: u32 = task.sub_tasks.iter().map(|sub_task| sub_task.attempts - 1).sum();
    assert!(again <= 1, "{elsewhere} were at work elsewhere: {task:?}");
    network.check_results("slow", COUNT, 400);
    Books::when_nothing_is_held(&network, 30).check_payments(BUYER, &task);
    // A second restart finds it ended, with its results.
    network.kill(BUYER);
    network.restart(BUYER);
    let former = network.task(BUYER);
    assert_eq!((former.state.as_str(), former.count("succeeded")), ("succeeded", COUNT), "{former:?}");
    network.write_results_again(BUYER);
    network.check_results("slow", COUNT, 400);
}
