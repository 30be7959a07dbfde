//! Results that have to be looked at: contents first, then the vote.

use super::*;
use crate::event::Difference;
use crate::task::{LocalFile, Search, Verifier};

impl Poll {
    /// A report whose outputs are fetched.
    fn delivers(&mut self, n: u8, letter: u8) {
        self.reports(n, letter);
        self.fetched(n, Ok(()));
    }

    /// The oldest comparison under way tells this.
    fn tells(&mut self, difference: Option<&str>) {
        let token = self.comparisons.remove(0);
        let difference = difference.map(|found| Difference {
            output: "out".into(),
            place: "line 2".into(),
            expected: "1".into(),
            found: found.into(),
        });
        self.dispatch.compared(token, difference, self.now);
        self.look();
    }
}

#[test]
fn contents_are_taken_first_and_an_outvoted_seller_may_claim() {
    let mut poll = Poll::at(numbers(two_of_three()), &[1, 4, 5]);
    poll.delivers(1, 40);
    assert_eq!(poll.did(), ["takes 1", "fetches 1"]);
    poll.delivers(4, 41);
    assert_eq!(poll.did(), ["takes 4", "fetches 4", "compares"]);
    poll.tells(Some("2"));
    assert_eq!(poll.did(), Vec::<String>::new());
    poll.delivers(5, 42);
    assert_eq!(poll.did(), ["takes 5", "fetches 5", "compares", "compares"]);
    poll.tells(None);
    // What 4 and 5 have in common does not matter any more.
    assert_eq!(poll.did(), ["accepts 1", "pays 1", "rejects 4", "accepts 5", "pays 5"]);
    poll.tells(None);
    poll.pays();
    assert_eq!(poll.votes(), ["agreed", "other", "agreed"]);
    let Vote::Other(difference) = &poll.ends[0].replicas[1].vote else { panic!() };
    assert_eq!(difference.to_string(), "`out`, line 2: 2 instead of 1");
    assert_eq!(poll.dispatch.objections.len(), 1, "its claim would be disputed");
}

#[test]
fn equal_bytes_need_no_comparison() {
    let mut poll = Poll::at(numbers(two_of_three()), &[1, 4, 5]);
    poll.delivers(1, 40);
    poll.delivers(4, 40);
    poll.pays();
    assert_eq!((poll.state(), poll.votes()), (State::Succeeded, vec!["agreed", "agreed", "cancelled"]));
}

#[test]
fn a_late_result_that_was_signed_for_is_paid_if_it_agrees() {
    let mut poll = Poll::at(numbers(two_of_three()), &[1, 4, 5]);
    poll.reports(5, 40);
    poll.delivers(1, 40);
    poll.delivers(4, 40);
    poll.pays();
    assert!(poll.ends.is_empty(), "the third one's outputs are on their way");
    poll.fetched(5, Ok(()));
    poll.pays();
    assert_eq!(poll.votes(), ["agreed"; 3]);
    assert_eq!(poll.ends[0].paid, Money(300_000));
}

#[test]
fn what_the_verifying_program_rejects_is_not_paid_and_done_elsewhere() {
    let program = LocalFile {
        path: "check.wasm".into(),
        name: "check.wasm".into(),
        sha256: None,
        search: Search::Here,
    };
    let aids = BTreeMap::from([("check.wasm".to_owned(), content(7))]);
    let redundancy = Redundancy { verify: Some(Verifier { program }), ..Redundancy::default() };
    let mut poll = Poll::with(redundancy, aids).hiring(&[1]);
    poll.delivers(1, 40);
    assert_eq!(poll.did(), ["takes 1", "fetches 1", "tests"]);
    let contract = poll.tests.remove(0);
    poll.dispatch.tested(contract, Err("status 1".into()), poll.now);
    poll.look();
    assert_eq!(poll.did(), ["rejects 1", "buys 1, not of [1]"]);
    poll.hire(4);
    poll.delivers(4, 41);
    let contract = poll.tests.remove(0);
    poll.dispatch.tested(contract, Ok(()), poll.now);
    // Once is enough.
    poll.dispatch.tested(contract, Err("late".into()), poll.now);
    poll.look();
    poll.pays();
    assert_eq!((poll.state(), poll.votes()), (State::Succeeded, vec!["agreed"]));
}
