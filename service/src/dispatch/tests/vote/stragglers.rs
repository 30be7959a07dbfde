//! A sub-task of 10 s that runs for longer gets a copy.

use super::*;
use proto::message::service::Phase;

impl Poll {
    /// Seller `n` says each second for so long that it runs, and that it executes so many Mc a second.
    fn runs(&mut self, n: u8, seconds: u64, per_second: u64) {
        for second in 0..seconds {
            let cycles = Cycles(second * per_second * 1_000_000);
            let progress = Progress { contract: self.contract(n), phase: Phase::Running, cycles, done: None };
            self.hear(n, ServiceMessage::Progress(progress));
            self.pass(Span::secs(1));
        }
    }
}

#[test]
fn of_a_sub_task_that_takes_too_long_a_copy_is_bought_and_the_first_result_wins() {
    let mut poll = Poll::at(Redundancy::default(), &[1]);
    poll.runs(1, 19, 10);
    assert_eq!(poll.did(), Vec::<String>::new(), "it may take twice as long as it should");
    poll.runs(1, 3, 10);
    assert_eq!(poll.did(), ["buys 1, not of [1]"]);
    let status = poll.dispatch.status(TASK).unwrap();
    assert_eq!((status.tally.running, status.tally.held), (1, Money::credits(3)));
    poll.hire(4);
    assert_eq!(poll.dispatch.tally(TASK).unwrap().held, Money::credits(6));
    poll.did();
    poll.reports(4, 40);
    assert_eq!(poll.did(), ["takes 4", "fetches 4"]);
    poll.fetched(4, Ok(()));
    assert_eq!(poll.did(), ["accepts 4", "pays 4", "cancels 1"]);
    poll.pays();
    assert_eq!(poll.did(), ["succeeded, 0.1 and 0.01 paid", "all ended"]);
    assert_eq!(poll.votes(), ["cancelled", "agreed"]);
    assert_eq!(poll.dispatch.tally(TASK).unwrap().held, Money::ZERO);
}

#[test]
fn the_first_one_may_win_and_a_copy_is_bought_once() {
    let mut poll = Poll::at(Redundancy::default(), &[1]);
    poll.runs(1, 60, 10);
    let did = poll.did();
    assert_eq!(did.iter().filter(|did| did.starts_with("buys")).count(), 1, "{did:?}");
    poll.reports(1, 40);
    poll.fetched(1, Ok(()));
    poll.pays();
    assert_eq!((poll.state(), poll.votes()), (State::Succeeded, vec!["agreed", "cancelled"]));
}

#[test]
fn what_is_nearly_done_or_stands_still_gets_no_copy() {
    let mut poll = Poll::at(Redundancy::default(), &[1]);
    // 400 Mc a second: at 20 s 2 Gc are left, which take 5 s.
    poll.runs(1, 24, 400);
    assert_eq!(poll.did(), Vec::<String>::new());
    let mut poll = Poll::at(Redundancy::default(), &[1]);
    poll.runs(1, 1, 10);
    for _ in 0..40 {
        let contract = poll.contract(1);
        let progress = Progress { contract, phase: Phase::Suspended, cycles: Cycles(1), done: None };
        poll.hear(1, ServiceMessage::Progress(progress));
        poll.pass(Span::secs(1));
    }
    assert_eq!(poll.did(), Vec::<String>::new());
}

#[test]
fn both_go_on_when_the_buyer_starts_again() {
    for is_tidied in [false, true] {
        let mut poll = Poll::at(Redundancy::default(), &[1]);
        poll.runs(1, 22, 10);
        poll.restart(is_tidied);
        poll.did();
        poll.pass(Span::secs(2));
        assert_eq!(poll.did(), ["buys 1, not of [1]"], "the copy was not found yet");
        poll.hire(4);
        poll.restart(is_tidied);
        assert_eq!(poll.did(), ["holds 3"], "of the time before; nobody is cancelled");
        assert_eq!(poll.dispatch.tally(TASK).unwrap().held, Money::credits(6));
        poll.reports(4, 40);
        poll.fetched(4, Ok(()));
        poll.pays();
        poll.did();
        assert_eq!((poll.ends.last().unwrap().paid, poll.dispatch.contracts.len()), (Money(100_000), 0));
    }
}
