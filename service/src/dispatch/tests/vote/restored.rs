//! A buyer whose process ends in the middle of a vote, and starts again from all that it has written or what that comes
//! to: replicas go on, votes count, and nothing is bought or paid twice.

use super::*;
use proto::message::service::{CheckpointKey, CheckpointMethod, Checkpointing, Phase, Saved};

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

/// Two of three have to agree, and each of them is saved.
fn saved() -> SubTaskPlan {
    let mut plan = SubTaskPlan { redundancy: two_of_three(), ..Poll::plan() };
    let (method, key) = (CheckpointMethod::Transparent, CheckpointKey([0; 32]));
    plan.job.checkpoint = Some(Checkpointing { method, interval: None, size: Bytes::mib(1), copies: 1, key });
    plan
}

impl Poll {
    /// Seller `n` runs, and has saved a state; nobody sells room, and this node fetches it.
    fn saves(&mut self, n: u8, letter: u8) {
        let (contract, cycles) = (self.contract(n), Cycles(2_000_000_000));
        self.now = self.now.after(Span::secs(1));
        self.hear(
            n,
            ServiceMessage::Progress(Progress { contract, phase: Phase::Running, cycles, done: None }),
        );
        let saved = Saved { contract, version: 1, cycles, checkpoint: content(letter).into() };
        self.hear(n, ServiceMessage::Saved(Box::new(Signed::new(saved, &keys(n)))));
        self.nobody();
        self.state_fetched();
    }

    /// A state that was to be fetched is here.
    fn state_fetched(&mut self) {
        let id = self.dispatch.keepings.values().find(|keeping| !keeping.states.is_empty()).unwrap().id;
        self.dispatch.fetched(id, Ok(()), self.now);
        self.look();
    }

    /// Its seller `n` is not to be reached any more.
    fn loses(&mut self, n: u8) {
        for _ in 0..2 {
            self.dispatch.unreachable(peer(n), self.now);
            self.look();
        }
    }

    /// What another seller, which is found after `n` was lost, goes on from.
    fn resumes(&mut self, n: u8, other: u8) -> Option<Checkpoint> {
        if self.asked.is_empty() {
            // After a restart the market is not asked before.
            self.pass(Span::secs(2));
        }
        self.hire(other);
        let [former, job] = [n, other].map(|n| self.offers[&n].body.job.clone());
        assert_eq!(former.checkpoint, job.checkpoint, "the same key");
        job.resume
    }
}

#[test]
fn a_replica_that_loses_its_seller_goes_on_from_its_own_state() {
    for (restarts, is_tidied) in [(0, false), (1, false), (1, true), (2, false), (2, true)] {
        let mut poll = Poll::of(saved()).hiring(&[1, 4, 5]);
        poll.saves(4, 60);
        for _ in 0..restarts {
            poll.restart(is_tidied);
        }
        let case = format!("{restarts}, tidied: {is_tidied}");
        poll.did();
        poll.loses(4);
        // Whether it is still in the store here is looked at after a restart.
        if poll.did().contains(&"fetches 2".into()) {
            poll.state_fetched();
        }
        assert_eq!(poll.resumes(4, 6), Some(content(60).into()), "{case}");
        poll.loses(1);
        assert_eq!(poll.resumes(1, 7), None, "{case}: the other has saved nothing");
    }
}
