//! Experience with sellers: who is believed alone, and what is noted of whom.

use super::*;
use crate::dispatch::Experience;
use crate::task::Replication;

/// A buyer that knows this of seller 1.
fn knowing(in_row: u32) -> Poll {
    let redundancy = Redundancy { replication: Replication::Adaptive, ..two_of_three() };
    let mut poll = Poll::new(redundancy);
    let experience = Experience { agreed: in_row, in_row, ..Experience::default() };
    poll.dispatch.recall(vec![(peer(1).key, experience)]);
    poll
}

/// What the buyer knows of seller `n`: right, in a row, wrong, failed.
fn known(poll: &Poll, n: u8) -> Option<(u32, u32, u32, u32)> {
    let seen = poll.dispatch.experience().find(|(key, _)| *key == peer(n).key)?.1;
    Some((seen.agreed, seen.in_row, seen.wrong, seen.failed))
}

#[test]
fn a_stranger_gets_company_and_a_friend_is_believed() {
    let mut poll = knowing(9);
    poll.find(1);
    assert_eq!(poll.did(), ["buys 1, not of []", "holds 1", "buys 1, not of [1]"]);
    let why = poll.dispatch.status(TASK).unwrap().sub_tasks[0].why.clone();
    assert_eq!(
        why,
        "executed 3 times: of the last results of its first seller 9 were right in a row, 10 are asked for"
    );
    // One of a hundred thousand is checked; the draw of this seed is not that one.
    let mut poll = knowing(1_000_000);
    poll.hire(1);
    assert_eq!(poll.did(), ["buys 1, not of []", "holds 1"]);
    poll.reports(1, 40);
    poll.fetched(1, Ok(()));
    poll.pays();
    assert_eq!((poll.state(), poll.votes()), (State::Succeeded, vec!["agreed"]));
    assert_eq!(known(&poll, 1), Some((1_000_000, 1_000_000, 0, 0)), "that proves nothing of it");
}

#[test]
fn where_a_friend_fails_a_stranger_gets_company() {
    let mut poll = knowing(1_000_000);
    poll.hire(1);
    (0..2).for_each(|_| poll.dispatch.unreachable(peer(1), poll.now));
    poll.look();
    poll.did();
    poll.find(4);
    assert_eq!(poll.did(), ["holds 1", "buys 1, not of [1, 4]"]);
    assert_eq!(known(&poll, 1), Some((1_000_000, 1_000_000, 0, 1)));
}

#[test]
fn votes_are_remembered() {
    let mut poll = Poll::at(two_of_three(), &[1, 4, 5]);
    let before = poll.dispatch.experience_version();
    poll.reports(1, 66);
    poll.reports(4, 40);
    poll.reports(5, 40);
    poll.fetched(4, Ok(()));
    poll.pays();
    assert_eq!(known(&poll, 1), Some((0, 0, 1, 0)));
    assert_eq!(known(&poll, 4), Some((1, 1, 0, 0)));
    assert_eq!(known(&poll, 5), Some((1, 1, 0, 0)));
    assert_eq!(poll.dispatch.experience_version(), before + 3);
}
