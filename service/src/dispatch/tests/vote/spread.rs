//! Sellers of one network count as one.

use super::*;

/// A ticket of a seller with the key of `n` at this address.
fn at(id: CommandId, n: u8, address: &str) -> Signed<Ticket> {
    let mut body = found(id, n).body;
    body.winner.body.seller = Peer::new(address.parse().unwrap(), 0, keys(n).public());
    body.winner = Signed::new(body.winner.body, &keys(n));
    Signed::new(body, &keys(3))
}

/// What is done when a first replica is at 203.0.113.1, and the market finds a second one at this address.
fn check(address: &str, expected: &str) {
    let mut poll = Poll::new(two_of_three());
    let id = poll.asked.remove(0);
    poll.dispatch.bought(at(id, 1, "203.0.113.1:7740"), poll.now);
    poll.look();
    poll.did();
    let id = poll.asked.remove(0);
    poll.dispatch.bought(at(id, 4, address), poll.now);
    poll.look();
    assert_eq!(poll.did()[0], expected, "{address}");
}

#[test]
fn a_second_seller_of_the_same_network_is_passed_over() {
    check("203.0.113.9:7740", "cancels 4");
    check("203.0.114.9:7740", "holds 1");
}

#[test]
fn where_all_that_are_left_are_of_one_network_the_sub_task_waits_and_says_so() {
    let mut poll = Poll::new(two_of_three());
    let id = poll.asked.remove(0);
    poll.dispatch.bought(at(id, 1, "203.0.113.1:7740"), poll.now);
    poll.look();
    for _ in 0..3 {
        let id = poll.asked.remove(0);
        poll.dispatch.bought(at(id, 4, "203.0.113.9:7740"), poll.now);
        poll.look();
        poll.nobody();
        poll.pass(Span::secs(1));
    }
    let wants = poll.dispatch.wants(TASK, poll.now);
    assert_eq!(wants.len(), 3);
}
