//! Questions whose answers are known, among the work: content 50 is right.

use super::*;
use crate::event::Difference;

/// The right answer, and the result of the work, which nothing proves.
const RIGHT: u8 = 50;
const RESULT: u8 = 40;

fn question(argument: &str) -> ProbePlan {
    let expected = vec![NamedBlob { name: "out".into(), blob: content(RIGHT) }];
    ProbePlan { arguments: vec![argument.into()], inputs: Vec::new(), expected }
}

/// A sub-task with one question: seller 1 gets the work, and seller `asked` the question.
fn hired(redundancy: Redundancy, asked: u8) -> (Poll, Signed<Offer>) {
    let mut poll = Poll::asking(redundancy, BTreeMap::new(), vec![question("known")]);
    assert_eq!(poll.did(), ["buys 2, not of []"]);
    // Which of both is bought first is drawn.
    let is_first = poll.dispatch.tasks[&TASK].is_probe(1);
    let order = if is_first { [asked, 1] } else { [1, asked] };
    let mut offers = Vec::new();
    for n in order {
        poll.hire(n);
        offers.push(poll.offers.remove(&n).unwrap());
    }
    if !is_first {
        offers.reverse();
    }
    let work = offers.pop().unwrap();
    let probe = offers.pop().unwrap();
    assert_eq!(probe.body.job.arguments, ["known"]);
    let alike =
        proto::message::service::Job { arguments: Vec::new(), inputs: Vec::new(), ..probe.body.job.clone() };
    let of_work =
        proto::message::service::Job { arguments: Vec::new(), inputs: Vec::new(), ..work.body.job.clone() };
    assert_eq!((alike, probe.body.hold.body.amount), (of_work, work.body.hold.body.amount));
    poll.offers.insert(1, work);
    poll.did();
    (poll, probe)
}

impl Poll {
    /// Seller `n` reports the answer to the question.
    fn answers(&mut self, n: u8, probe: &Signed<Offer>, letter: u8) {
        let work = self.offers.insert(n, probe.clone());
        self.reports(n, letter);
        work.map(|work| self.offers.insert(n, work));
    }

    fn answer_fetched(&mut self, probe: &Signed<Offer>) {
        self.dispatch.fetched(probe.body.contract, Ok(()), self.now);
        self.look();
    }
}

#[test]
fn a_result_waits_for_the_answer_and_is_taken_when_it_is_right() {
    let (mut poll, probe) = hired(Redundancy::default(), 4);
    poll.reports(1, RESULT);
    assert_eq!((poll.did(), poll.state()), (vec![], State::Voting));
    poll.answers(4, &probe, RIGHT);
    assert_eq!(poll.did(), ["takes 4", "fetches 4"]);
    poll.answer_fetched(&probe);
    assert_eq!(poll.did(), ["accepts 4", "pays 4"]);
    poll.pays();
    assert_eq!(poll.did(), ["takes 1", "fetches 1"]);
    poll.fetched(1, Ok(()));
    poll.pays();
    let end = "succeeded, 0.2 and 0.02 paid";
    assert_eq!(poll.did(), ["accepts 1", "pays 1", end, "all ended"]);
    let replicas = &poll.ends[0].replicas;
    let shown: Vec<_> = replicas.iter().map(|replica| (replica.probe, replica.vote.name())).collect();
    assert_eq!(shown, [(None, "agreed"), (Some(1), "agreed")]);
    assert_eq!(poll.ends[0].outputs[0].blob, content(RESULT), "no answer is delivered");
}

#[test]
fn who_answers_wrongly_gets_nothing_for_anything_and_all_of_it_is_bought_elsewhere() {
    let (mut poll, probe) = hired(Redundancy::default(), 1);
    poll.reports(1, RESULT);
    poll.answers(1, &probe, 51);
    assert_eq!(poll.did(), ["rejects 1", "rejects 1", "buys 1, not of [1]"]);
    assert_eq!(poll.votes(), ["open", "other"]);
    let (_, seen) = poll.dispatch.experience().find(|(key, _)| *key == peer(1).key).unwrap();
    assert_eq!((seen.wrong, seen.agreed, seen.failed), (1, 0, 0));
    // A ticket that was under way already is given back.
    poll.find(1);
    assert_eq!(poll.did(), ["cancels 1", "buys 1, not of [1]"]);
    poll.hire(4);
    poll.reports(4, RESULT);
    poll.fetched(4, Ok(()));
    poll.pays();
    assert_eq!(poll.did().last().map(String::as_str), Some("all ended"));
    assert_eq!((poll.ends[0].verdict.clone(), poll.ends[0].paid), (Verdict::Succeeded, Money(100_000)));
}

#[test]
fn a_program_that_fails_where_the_answer_is_known_is_a_wrong_answer() {
    let (mut poll, probe) = hired(Redundancy::default(), 1);
    let work = poll.offers.insert(1, probe.clone()).unwrap();
    poll.says(1, Outcome::Exited(3), 0);
    poll.answer_fetched(&probe);
    poll.offers.insert(1, work);
    assert_eq!(poll.did(), ["fetches 1", "rejects 1", "releases", "cancels 1", "buys 1, not of [1]"]);
    assert_eq!(poll.state(), State::Matching);
}

#[test]
fn answers_are_compared_as_the_file_says() {
    for (letter, difference, expected) in
        [(51, None, vec!["accepts 4", "pays 4"]), (51, Some(Difference::default()), vec!["rejects 4"])]
    {
        let (mut poll, probe) = hired(numbers(Redundancy::default()), 4);
        poll.answers(4, &probe, letter);
        poll.answer_fetched(&probe);
        assert_eq!(poll.did(), ["takes 4", "fetches 4", "compares"]);
        let token = poll.comparisons.remove(0);
        poll.dispatch.compared(token, difference, poll.now);
        poll.look();
        assert_eq!(poll.did(), expected);
    }
}

#[test]
fn a_result_that_cannot_wait_any_longer_is_taken() {
    let (mut poll, _) = hired(Redundancy::default(), 4);
    poll.reports(1, RESULT);
    let expires = poll.offers[&1].body.hold.body.expires;
    let wait = expires.since(poll.now);
    poll.did();
    poll.pass(Span(wait.0 - Span::secs(95).0));
    assert!(!poll.did().contains(&"takes 1".to_owned()));
    poll.pass(Span::secs(10));
    assert!(poll.did().contains(&"takes 1".to_owned()));
}

#[test]
fn a_question_that_nobody_answers_holds_nothing_up() {
    let mut poll = Poll::asking(Redundancy::default(), BTreeMap::new(), vec![question("known")]);
    if poll.dispatch.tasks[&TASK].is_probe(1) {
        poll.asked.swap(0, 1);
    }
    poll.hire(1);
    poll.reports(1, RESULT);
    poll.did();
    poll.nobody();
    poll.pass(Span::secs(1));
    while poll.state() == State::Voting && poll.now < Time(300_000_000) {
        poll.nobody();
        poll.pass(Span::secs(1));
    }
    assert_eq!(poll.state(), State::Fetching);
    assert!(poll.now > Time(Span::secs(59).0), "{:?}", poll.now);
}

#[test]
fn a_task_that_is_cancelled_waits_for_no_answer() {
    let (mut poll, _) = hired(Redundancy::default(), 4);
    poll.reports(1, RESULT);
    poll.dispatch.cancel(TASK, poll.now);
    poll.look();
    assert_eq!(poll.did(), ["rejects 1", "cancels 4", "cancelled, 0 and 0 paid", "all ended"]);
    assert_eq!(poll.votes(), ["open", "cancelled"]);
}
