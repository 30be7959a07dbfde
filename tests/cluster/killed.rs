//! A bank that is killed again and again under load: what it has acknowledged is in its files.

use super::books::Books;
use super::network::{Network, until};
use super::work::{Bought, Slow};

const BUYER: usize = 0;
/// Sub-tasks of the task, each with a hold and a settlement.
const COUNT: usize = 60;
/// How often the bank is killed.
const KILLS: usize = 10;

#[test]
fn a_bank_killed_ten_times_under_load_has_every_settlement_that_it_acknowledged() {
    let mut network = Network::start(3);
    network.submit_as(Bought::Singly, BUYER, &[Slow { name: "slow", count: COUNT, millions: 1, price: 5 }]);
    let mut before = 0;
    for kill in 1..=KILLS {
        let acknowledged = until("more settlements are acknowledged", 30, || {
            // What had succeeded and is not an order without an answer afterwards was acknowledged.
            let succeeded = network.task(BUYER).count("succeeded");
            let unanswered = network.status(BUYER).unanswered_orders;
            let acknowledged = succeeded.saturating_sub(unanswered);
            let is_enough = acknowledged > before || succeeded == COUNT;
            if is_enough {
                Ok(acknowledged)
            } else {
                Err(format!("{succeeded} succeeded, {unanswered} unanswered"))
            }
        });
        network.kill_bank();
        let verified = network.verify_bank();
        let figure = |name: &str| verified[name].as_u64().and_then(|figure| usize::try_from(figure).ok());
        let figures = (figure("records"), figure("accounts"), figure("open_holds"));
        let (Some(records), Some(accounts), Some(open)) = figures else { panic!("{verified}") };
        // Every hold has a record of its placing, and one of its end unless it is open.
        let ended = (records - accounts - open) / 2;
        assert!(ended >= acknowledged, "kill {kill}: {ended} of {acknowledged} settlements: {verified}");
        before = acknowledged;
        network.restart_bank();
    }
    let task = network.wait(BUYER, 0);
    assert_eq!((task.state.as_str(), task.count("succeeded")), ("succeeded", COUNT), "{task:?}");
    Books::when_nothing_is_held(&network, 10).check_payments(BUYER, &task);
}
