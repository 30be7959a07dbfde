//! A bank that dies again and again while work is bought.

use super::books::Books;
use super::network::{Network, until};
use super::work::{Bought, Slow};

const BUYER: usize = 0;
/// Sub-tasks of the task.
const COUNT: usize = 20;
/// After how many ended sub-tasks the bank is killed.
const MOMENTS: [usize; 4] = [1, 5, 9, 14];

#[test]
fn a_bank_that_is_killed_at_any_moment_comes_back_with_books_that_balance_and_the_run_goes_on() {
    let mut network = Network::start(4);
    network.submit_as(Bought::Singly, BUYER, &[Slow { name: "slow", count: COUNT, millions: 50, price: 10 }]);
    for moment in MOMENTS {
        until("so many sub-tasks have succeeded", 30, || {
            let task = network.task(BUYER);
            let done = task.count("succeeded");
            if done >= moment { Ok(()) } else { Err(format!("{done} of {moment}: {task:?}")) }
        });
        network.kill_bank();
        until("orders wait for the dead bank", 20, || {
            let status = network.status(BUYER);
            if status.unanswered_orders > 0 { Ok(()) } else { Err(format!("{status:?}")) }
        });
        network.restart_bank();
    }
    let task = network.wait(BUYER, 0);
    assert_eq!((task.state.as_str(), task.count("succeeded")), ("succeeded", COUNT), "{task:?}");
    let attempts: Vec<u32> = task.sub_tasks.iter().map(|sub_task| sub_task.attempts).collect();
    assert_eq!(attempts, [1; COUNT], "a dead bank costs no attempt");
    network.check_results("slow", COUNT, 50);
    Books::when_nothing_is_held(&network, 10).check_payments(BUYER, &task);
}
