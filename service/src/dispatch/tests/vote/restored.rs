//! A buyer whose process ends in the middle of a vote, and starts again from all that it has written or what that comes
//! to: replicas go on, votes count, and nothing is bought or paid twice.

use super::*;

/// One thing that happens.
type Step = fn(&mut Poll);

/// Lets these things happen with three replicas under way, and its process end before one of them.
fn check(steps: &[Step], votes: &[&str], paid: u64) {
    for (ends_before, is_tidied) in (0..=steps.len()).flat_map(|step| [(step, false), (step, true)]) {
        let case = format!("ends before step {ends_before}, tidied: {is_tidied}");
        let mut poll = Poll::at(two_of_three(), &[1, 4, 5]);
        let mut did = Vec::new();
        for (number, step) in steps.iter().enumerate() {
            if number == ends_before {
                poll.restart(is_tidied);
            }
            step(&mut poll);
            did.extend(poll.did());
        }
        if ends_before == steps.len() {
            poll.restart(is_tidied);
            did.extend(poll.did());
        }
        let end = poll.ends.last().unwrap_or_else(|| panic!("{case}: it has not ended, and did {did:?}"));
        let told: Vec<&str> = end.replicas.iter().map(|replica| replica.vote.name()).collect();
        assert_eq!(
            (&end.verdict, told.as_slice(), end.paid),
            (&Verdict::Succeeded, votes, Money(paid)),
            "{case}"
        );
        assert!(!did.iter().any(|did| did.starts_with("buys")), "{case}: {did:?}");
        let tally = poll.dispatch.tally(TASK).unwrap();
        assert_eq!((tally.done, tally.running, tally.waiting, tally.held), (1, 0, 0, Money::ZERO), "{case}");
        assert_eq!(tally.spent, Money(paid + paid / 10), "{case}");
        assert_eq!(poll.dispatch.contracts.len(), 0, "{case}");
    }
}

#[test]
fn two_agree_and_the_third_is_cancelled() {
    let steps: [Step; 4] =
        [|poll| poll.reports(4, 40), |poll| poll.reports(5, 40), |poll| poll.fetched(4, Ok(())), Poll::pays];
    check(&steps, &["cancelled", "agreed", "agreed"], 200_000);
}

#[test]
fn who_was_outvoted_stays_so() {
    let steps: [Step; 5] = [
        |poll| poll.reports(1, 66),
        |poll| poll.reports(4, 40),
        |poll| poll.reports(5, 40),
        |poll| poll.fetched(4, Ok(())),
        Poll::pays,
    ];
    check(&steps, &["other", "agreed", "agreed"], 200_000);
}

#[test]
fn a_program_that_failed_at_one_seller_has_failed_there() {
    let steps: [Step; 5] = [
        |poll| {
            poll.says(1, Outcome::Exited(3), 0);
            poll.fetched(1, Ok(()));
        },
        |poll| poll.reports(4, 40),
        |poll| poll.reports(5, 40),
        |poll| poll.fetched(4, Ok(())),
        Poll::pays,
    ];
    check(&steps, &["failed", "agreed", "agreed"], 200_000);
}

#[test]
fn one_that_is_paid_is_not_paid_again() {
    let steps: [Step; 5] = [
        |poll| poll.reports(4, 40),
        |poll| poll.reports(5, 40),
        |poll| poll.fetched(4, Ok(())),
        |poll| {
            poll.settlements.truncate(1);
            poll.pays();
            poll.restart(false);
        },
        Poll::pays,
    ];
    check(&steps, &["cancelled", "agreed", "agreed"], 200_000);
}

#[test]
fn what_is_still_to_be_bought_is_not_bought_of_those_that_are_at_work() {
    for is_tidied in [false, true] {
        let mut poll = Poll::at(two_of_three(), &[1, 4]);
        poll.restart(is_tidied);
        poll.pass(Span::secs(2));
        assert_eq!(poll.did(), ["buys 1, not of [1, 4]"]);
        poll.find(4);
        assert_eq!(poll.did(), ["cancels 4", "buys 1, not of [4, 1]"]);
        poll.find(5);
        assert_eq!(poll.did(), ["holds 1"]);
    }
}

#[test]
fn without_the_notes_of_the_vote_everything_is_bought_again() {
    let mut poll = Poll::at(two_of_three(), &[1, 4, 5]);
    poll.written.retain(|note| !matches!(note, Note::Voting(_)));
    poll.restart(false);
    assert_eq!(poll.did(), ["cancels 1", "cancels 4", "cancels 5"]);
    poll.pass(Span::secs(2));
    assert!(poll.did().contains(&"buys 1, not of []".into()));
}
