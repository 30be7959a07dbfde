//! A result that the task looked for ends it.

use super::*;
use crate::task::{Decimal, StopCondition, StopPlace, StopWhen};

/// A task of three sub-tasks that looks for this, of which the first has ended in this way; what is done then.
fn check(stop_when: StopWhen, outcome: Outcome, expected: &[&str]) -> Dispatch {
    let rng = ChaCha8Rng::from_seed([1; 32]);
    let mut dispatch = Dispatch::new(peer(2), keys(2), peer(9).key, Rules::LOCAL, rng);
    let mut job = job(30);
    job.outputs = vec!["out".into()];
    job.limits.cycles = Cycles(u64::MAX);
    let plan = SubTaskPlan { price: PRICE, bid: Rate(100_000), ..SubTaskPlan::bare("a".into(), job) };
    let patience = Patience::For(Span::secs(60));
    let (plans, stop_when) = (vec![plan; 3], Some(stop_when));
    dispatch.submit(Submission { task: TASK, plans, patience, budget: None, stop_when }, Time(0));
    let bought = dispatch.effects.drain(..).find_map(|effect| match effect {
        Effect::Buy { tickets, .. } => Some(tickets),
        _ => None,
    });
    let first = ticket(bought.unwrap()[0]);
    let contract = first.body.id;
    dispatch.bought(first.clone(), Time(0));
    let held = BankOutcome::Held(hold(&first, PRICE));
    dispatch.bank_answered(BankReply { command: contract, outcome: held }, Time(0));
    let offer = dispatch.effects.drain(..).find_map(|effect| match effect {
        Effect::Send { message: ServiceMessage::Offer(offer), .. } => Some(offer.hash()),
        _ => None,
    });
    let offer = offer.unwrap();
    let accepted = Signed::new(Acceptance { contract, offer, bond: None }, &keys(1));
    dispatch.receive(peer(1), ServiceMessage::Accept(Box::new(accepted)), Time(0));
    let outputs = vec![NamedBlob { name: "out".into(), blob: Blob { hash: Hash([40; 32]), size: Bytes(3) } }];
    let report = Report {
        contract,
        offer,
        outcome,
        cycles: Cycles(1_000),
        outputs,
        stdout: None,
        stderr: None,
        more: Vec::new(),
    };
    dispatch.receive(peer(1), ServiceMessage::Report(Box::new(Signed::new(report, &keys(1)))), Time(0));
    dispatch.fetched(contract, Ok(()), Time(0));
    let command = follow_up(&keys(2), contract, "settle");
    let refusal = Refusal::new(RefusalCode::HoldReturned, "", "");
    dispatch.bank_answered(BankReply { command, outcome: BankOutcome::Refused(refusal) }, Time(0));
    assert_eq!(told(&mut dispatch), expected);
    dispatch
}

/// What is told, and what is to be looked into.
fn told(dispatch: &mut Dispatch) -> Vec<String> {
    let effects: Vec<Effect> = dispatch.effects.drain(..).collect();
    let short = |effect| match effect {
        Effect::Examine { examining, .. } => Some(format!("looks into {}", examining.name)),
        Effect::Tell(Event { kind: EventKind::Found { what, .. }, .. }) => Some(format!("found: {what}")),
        Effect::Tell(Event { kind: EventKind::Ended { sub_task, end }, .. }) => {
            Some(format!("{sub_task} {}", end.verdict))
        }
        Effect::Tell(Event { kind: EventKind::TaskEnded, .. }) => Some("all ended".into()),
        _ => None,
    };
    effects.into_iter().filter_map(short).collect()
}

const NOT_NEEDED: &str = "not needed: sub-task `a` is what was looked for: its exit status is";

#[test]
fn an_exit_status_ends_the_task() {
    let stop = |status| StopWhen { sub_tasks: None, condition: StopCondition::Exit(status) };
    let (one, two) = (format!("1 {NOT_NEEDED} 3"), format!("2 {NOT_NEEDED} 3"));
    let failed = "0 failed: the program exited with status 3";
    let found = "found: its exit status is 3";
    let dispatch = check(stop(3), Outcome::Exited(3), &[failed, found, &one, &two, "all ended"]);
    let status = dispatch.status(TASK).unwrap();
    assert_eq!(status.found.as_deref(), Some("sub-task `a` is what was looked for: its exit status is 3"));
    assert_eq!((status.tally.done, status.tally.failed), (0, 3));
    check(stop(3), Outcome::Exited(4), &["0 failed: the program exited with status 4"]);
    let (one, two) = (format!("1 {NOT_NEEDED} 0"), format!("2 {NOT_NEEDED} 0"));
    let found = "found: its exit status is 0";
    check(stop(0), Outcome::Succeeded, &["0 succeeded", found, &one, &two, "all ended"]);
    let other = StopWhen { sub_tasks: Some(vec![1, 2]), ..stop(0) };
    check(other, Outcome::Succeeded, &["0 succeeded"]);
}

#[test]
fn what_stands_in_an_output_is_looked_up_and_the_task_waits_for_that() {
    let place = || StopPlace::Output("out".into());
    let below = StopCondition::Below { place: place(), bound: Decimal::default() };
    let stop = StopWhen { sub_tasks: None, condition: below };
    let mut dispatch = check(stop.clone(), Outcome::Succeeded, &["0 succeeded", "looks into out"]);
    let token = *dispatch.examinations.keys().next().unwrap();
    dispatch.examined(token, None, Time(0));
    assert_eq!(told(&mut dispatch), Vec::<String>::new());
    assert_eq!(dispatch.status(TASK).unwrap().found, None);
    let mut dispatch = check(stop.clone(), Outcome::Succeeded, &["0 succeeded", "looks into out"]);
    let token = *dispatch.examinations.keys().next().unwrap();
    // Cancelled meanwhile: the task ends when it is known what it has found.
    dispatch.cancel(TASK, Time(0));
    assert_eq!(told(&mut dispatch), ["1 cancelled", "2 cancelled"]);
    dispatch.examined(token, Some("-1 is below 0".into()), Time(0));
    dispatch.examined(token, Some("again".into()), Time(0));
    assert_eq!(told(&mut dispatch), ["found: -1 is below 0", "all ended"]);
    check(stop, Outcome::Exited(1), &["0 failed: the program exited with status 1"]);
}
