//! Results that are compared by their hashes: nothing is taken before it is known whose result is the right one.

use super::*;

#[test]
fn replicas_are_bought_at_once_of_different_sellers_for_their_shares_of_the_price() {
    let mut poll = Poll::new(two_of_three());
    assert_eq!(poll.did(), ["buys 1, not of []"]);
    poll.find(1);
    assert_eq!(poll.did(), ["holds 1", "buys 1, not of [1]"]);
    poll.find(1);
    let again = ["cancels 1", "buys 1, not of [1]"];
    assert_eq!(poll.did(), again, "never two replicas at one seller, whatever the market says");
    poll.find(4);
    assert_eq!(poll.did(), ["holds 1", "buys 1, not of [1, 4]"]);
    poll.find(5);
    assert_eq!(poll.did(), ["holds 1"]);
    let tally = poll.dispatch.tally(TASK).unwrap();
    assert_eq!((tally.running, tally.waiting, tally.held), (1, 0, Money::ZERO), "one sub-task runs");
    assert_eq!(poll.dispatch.wants(TASK, poll.now).len(), 3);
}

#[test]
fn two_that_agree_are_paid_and_the_third_is_cancelled() {
    let mut poll = Poll::at(two_of_three(), &[1, 4, 5]);
    assert_eq!((poll.state(), poll.dispatch.tally(TASK).unwrap().held), (State::Staging, Money::credits(3)));
    poll.reports(4, 40);
    assert_eq!(poll.did(), Vec::<String>::new(), "nothing is taken on one word");
    poll.reports(5, 40);
    assert_eq!(poll.did(), ["takes 4", "fetches 4"]);
    poll.fetched(4, Ok(()));
    assert_eq!(poll.did(), ["accepts 4", "pays 4", "accepts 5", "pays 5", "cancels 1"]);
    poll.pays();
    assert_eq!(poll.did(), ["succeeded, 0.2 and 0.02 paid", "all ended"]);
    assert_eq!(poll.votes(), ["cancelled", "agreed", "agreed"]);
    let end = &poll.ends[0];
    assert_eq!((end.outputs[0].blob, end.sale.as_ref().unwrap().seller), (content(40), peer(4)));
    let tally = poll.dispatch.tally(TASK).unwrap();
    assert_eq!((tally.done, tally.held, tally.spent), (1, Money::ZERO, Money(220_000)));
    assert_eq!(poll.dispatch.contracts.len(), 0);
    // The third one hears it, and signs that it is owed nothing.
    poll.says(1, Outcome::Cancelled, 0);
    assert_eq!(poll.did(), ["rejects 1", "releases"]);
}

#[test]
fn who_is_outvoted_has_shown_nothing_and_is_paid_nothing() {
    let mut poll = Poll::at(two_of_three(), &[1, 4, 5]);
    poll.reports(1, 66);
    poll.reports(4, 40);
    assert_eq!(poll.did(), Vec::<String>::new());
    poll.reports(5, 40);
    poll.fetched(4, Ok(()));
    poll.pays();
    let did = poll.did();
    assert_eq!(did[..2], ["takes 4", "fetches 4"]);
    assert!(did.contains(&"rejects 1".into()) && !did.contains(&"pays 1".into()), "{did:?}");
    assert_eq!(poll.votes(), ["other", "agreed", "agreed"]);
    let Vote::Other(difference) = &poll.ends[0].replicas[0].vote else { panic!() };
    assert_eq!(difference.output, "out");
    assert!(difference.found.contains("4242") && difference.expected.contains("2828"), "{difference}");
    assert_eq!(poll.ends[0].replicas[0].sale.as_ref().unwrap().seller, peer(1));
    assert_eq!(poll.dispatch.objections.len(), 0, "it has nothing to claim for");
}

#[test]
fn who_agrees_and_cannot_deliver_loses_its_vote() {
    let mut poll =
        Poll::at(Redundancy { replicas: 3, quorum: 2, max_replicas: 4, ..Redundancy::default() }, &[1, 4, 5]);
    poll.reports(1, 66);
    poll.reports(4, 66);
    assert_eq!(poll.did(), ["takes 1", "fetches 1"]);
    for pause in [1, 2] {
        poll.fetched(1, Err("gone".into()));
        poll.pass(Span::secs(pause));
    }
    poll.did();
    poll.fetched(1, Err("gone".into()));
    // Nobody was told anything but the one that did not deliver; it is bought elsewhere.
    assert_eq!(poll.did(), ["rejects 1", "buys 1, not of [1, 4, 5]"]);
    poll.reports(5, 40);
    poll.hire(6);
    poll.did();
    poll.reports(6, 40);
    assert_eq!(poll.did(), ["takes 6", "fetches 6"]);
    poll.fetched(6, Ok(()));
    poll.pays();
    assert_eq!(poll.votes(), ["agreed", "other", "agreed"]);
}

#[test]
fn more_are_bought_one_by_one_while_none_agree_and_then_the_user_reads_who_said_what() {
    let redundancy = Redundancy { replicas: 2, quorum: 2, max_replicas: 4, ..Redundancy::default() };
    let mut poll = Poll::at(redundancy, &[1, 4]);
    poll.reports(1, 40);
    poll.reports(4, 41);
    assert_eq!(poll.did(), ["buys 1, not of [1, 4]"]);
    // Two shares of the price are all that is ever paid: 1.5 credits each.
    poll.find(5);
    assert_eq!(poll.did(), ["holds 1.5"]);
    poll.asked.clear();
    let id = *poll.holds.front().unwrap();
    poll.holds.clear();
    let receipt = HoldReceipt { seller: peer(5).key, ..hold(&found(id, 5), poll.share()).body };
    poll.bank(id, BankOutcome::Held(Signed::new(receipt, &keys(9))));
    poll.reports(5, 42);
    assert_eq!(poll.did(), ["buys 1, not of [1, 4, 5]"]);
    poll.hire(6);
    poll.did();
    poll.reports(6, 43);
    let end = "no quorum: 4 results and 0 failures, and no 2 of them agree, 0 and 0 paid";
    assert_eq!(poll.did(), ["rejects 1", "rejects 4", "rejects 5", "rejects 6", end, "all ended"]);
    assert_eq!(poll.votes(), ["open", "other", "other", "other"]);
    assert_eq!((poll.state(), poll.ends.len()), (State::Failed, 1));
}

#[test]
fn programs_that_fail_by_themselves_vote_as_well() {
    let mut poll = Poll::at(two_of_three(), &[1, 4, 5]);
    poll.says(1, Outcome::Exited(3), 0);
    poll.fetched(1, Ok(()));
    assert_eq!(poll.did(), ["fetches 1", "rejects 1", "releases"], "one liar does not end the sub-task");
    poll.says(4, Outcome::Exited(3), 0);
    poll.fetched(4, Ok(()));
    let did = poll.did();
    assert!(did.contains(&"failed: the program exited with status 3, 0 and 0 paid".into()), "{did:?}");
    assert_eq!(poll.votes(), ["failed", "failed", "cancelled"]);
}

#[test]
fn a_replica_that_nobody_sells_is_not_waited_for_where_the_others_agree() {
    let mut poll = Poll::at(two_of_three(), &[1, 4]);
    poll.nobody();
    poll.reports(1, 40);
    poll.reports(4, 40);
    poll.fetched(1, Ok(()));
    poll.pays();
    assert_eq!((poll.state(), poll.votes()), (State::Succeeded, vec!["agreed", "agreed", "cancelled"]));
}

#[test]
fn a_replica_that_nobody_sells_ends_the_vote_where_the_others_do_not_agree() {
    let mut poll = Poll::at(two_of_three(), &[1, 4]);
    poll.reports(1, 40);
    poll.reports(4, 41);
    for _ in 0..90 {
        poll.nobody();
        poll.pass(Span::secs(1));
    }
    assert_eq!(poll.state(), State::Failed);
    assert!(poll.ends[0].verdict.to_string().starts_with("no quorum: 2 results"), "{}", poll.ends[0].verdict);
}

#[test]
fn a_lost_replica_is_bought_elsewhere_and_never_again_of_that_seller() {
    let mut poll = Poll::at(two_of_three(), &[1, 4, 5]);
    for _ in 0..2 {
        poll.dispatch.unreachable(peer(1), poll.now);
    }
    poll.look();
    assert_eq!(poll.did(), ["cancels 1", "buys 1, not of [1, 4, 5]"]);
    poll.nobody();
    poll.pass(Span::secs(1));
    let mut did = poll.did();
    did.retain(|did| did.starts_with("buys"));
    assert!(!did.is_empty() && did.iter().all(|did| did.contains("[1, 4, 5]")), "{did:?}");
}

#[test]
fn a_result_whose_contract_is_about_to_end_is_given_up_and_its_seller_told() {
    let mut poll = Poll::at(two_of_three(), &[1, 4, 5]);
    poll.reports(1, 40);
    poll.did();
    // The others say that they work, and stand still.
    let until = CLOSES.since(poll.now);
    let steps = until.0 / Span::secs(1).0;
    for _ in 0..steps - 91 {
        for n in [4, 5] {
            let progress = Progress {
                contract: poll.contract(n),
                phase: proto::message::service::Phase::Suspended,
                cycles: Cycles(1),
            };
            poll.hear(n, ServiceMessage::Progress(progress));
        }
        poll.pass(Span::secs(1));
    }
    assert_eq!(poll.did(), Vec::<String>::new());
    poll.pass(Span::secs(2));
    assert_eq!(poll.did()[..1], ["rejects 1"]);
}

#[test]
fn a_cancelled_task_gives_everything_back() {
    let mut poll = Poll::at(two_of_three(), &[1, 4, 5]);
    poll.reports(1, 40);
    poll.dispatch.cancel(TASK, poll.now);
    poll.look();
    let end = "cancelled, 0 and 0 paid";
    assert_eq!(poll.did(), ["rejects 1", "cancels 4", "cancels 5", end, "all ended"]);
    assert_eq!((poll.state(), poll.dispatch.contracts.len()), (State::Cancelled, 0));
}
