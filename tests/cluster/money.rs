//! A buyer with too little money.

use super::books::Books;
use super::network::Network;
use super::work::Slow;
use proto::Money;

const BUYER: usize = 0;

#[test]
fn a_buyer_without_enough_money_is_refused_with_the_figures() {
    let network = Network::start(3);
    network.submit(
        BUYER,
        &[
            // Together more than there is, but one after the other it suffices: even a seller without rivals,
            // who gets the bid, costs less than half of the price, for less than half of the stated work.
            Slow { name: "fits", count: 2, millions: 1, price: 600 },
            Slow { name: "dear", count: 2, millions: 1, price: 1_500 },
        ],
    );
    let task = network.wait(BUYER, 6);
    assert_eq!(task.state, "failed", "{task:?}");
    for sub_task in &task.sub_tasks {
        // Only what a seller was offered counts: waiting for money is no attempt.
        assert!(sub_task.attempts <= 2, "{sub_task:?}");
        if sub_task.name.starts_with("fits") {
            assert_eq!(sub_task.reason_code.as_deref(), Some("succeeded"), "{sub_task:?}");
            continue;
        }
        assert_eq!(sub_task.reason_code.as_deref(), Some("not_enough_money"), "{sub_task:?}");
        assert_eq!((sub_task.paid, sub_task.fee), (Money::ZERO, Money::ZERO), "{sub_task:?}");
        assert!(sub_task.files.is_empty(), "{sub_task:?}");
        check_figures(&sub_task.why);
    }
    network.check_results("fits", 2, 1);
    Books::when_nothing_is_held(&network, 5).check_payments(BUYER, &task);
}

/// `why` says how much there is, how much it takes, and what may come back.
fn check_figures(why: &str) {
    let between = |before: &str, after: &str| -> Money {
        let rest = why.split_once(before).expect(why).1;
        rest.split_once(after).expect(why).0.parse().expect(why)
    };
    let available = between("the account has ", " credits available");
    let needed = between("available, ", " are needed");
    let held = between("needed; ", " are held");
    assert_eq!(needed, Money::credits(1_500), "{why}");
    assert!(available > Money::ZERO && available.0 + held.0 <= Money::credits(1_000).0, "{why}");
}
