use super::*;
use crate::dispatch::{Patience, Submission};
use proto::message::service::{Blob, Job, Limits, Runtime};
use proto::{Bytes, Cycles, Hash, Rate};
use rand_chacha::rand_core::SeedableRng;

fn task(count: usize) -> TaskRun {
    let limits = Limits {
        wall: Span::secs(60),
        memory: Bytes::mib(1),
        disk: Bytes::mib(1),
        output: Bytes::mib(1),
        cycles: Cycles(1),
        processes: 1,
        cores: 1,
    };
    let program = Blob { hash: Hash([1; 32]), size: Bytes(1) };
    let job = Job {
        program,
        arguments: vec![],
        environment: vec![],
        inputs: vec![],
        outputs: vec![],
        stdin: None,
        limits,
        resume: None,
        runtime: Runtime::WebAssembly,
        success: 0,
        progress: None,
        checkpoint: None,
        repeats: Vec::new(),
    };
    let plan =
        SubTaskPlan { bid: Rate(1), price: Money(10), retries: 3, ..SubTaskPlan::bare("a".into(), job) };
    let task = proto::CommandId([7; 16]);
    let patience = Patience::For(Span::secs(1));
    let plans = vec![plan; count];
    let submission = Submission { task, plans, patience, budget: None, stop_when: None };
    TaskRun::new(submission, &mut ChaCha8Rng::from_seed([1; 32]), Time(0))
}

/// The path a sub-task takes, and the first step of it that the table does not allow.
fn check(path: &[State], expected: Option<(State, State)>) {
    let mut run = task(1);
    path.iter().for_each(|state| run.become_state(0, *state));
    assert_eq!(run.illegal_transition(), expected, "{path:?}");
}

#[test]
fn a_step_that_the_table_does_not_allow_is_remembered() {
    use State::{
        Failed, Fetching, Holding, Matching, Offered, Running, Settling, Staging, Succeeded, Waiting,
    };
    let paid = [Matching, Holding, Offered, Staging, Running, Fetching, Settling, Succeeded];
    check(&paid, None);
    check(&[Matching, Waiting, Matching, Failed], None);
    check(&[Matching, Offered], Some((Matching, Offered)));
    check(&[Failed, Waiting, Settling], Some((Failed, Waiting)));
    check(&[Matching, Holding, Offered, Staging, Succeeded], Some((Staging, Succeeded)));
}

#[test]
fn those_that_ask_for_the_same_and_bid_no_more_are_taken_together() {
    let mut run = task(5);
    run.run_mut(1).unwrap().plan.bid = Rate(2);
    run.run_mut(3).unwrap().plan.requirement.cores = 4;
    assert_eq!(run.take_waiting_like(0), [0, 2, 4]);
    assert_eq!(run.next_to_match(Time(0)), Some(vec![1]));
    assert_eq!(run.next_to_match(Time(0)), Some(vec![3]));
    assert_eq!(run.next_to_match(Time(0)), None);
}

#[test]
fn those_that_ask_for_the_same_are_bought_together_one_batch_after_the_other() {
    let mut run = task(9);
    run.run_mut(1).unwrap().plan.bid = Rate(2);
    run.run_mut(3).unwrap().avoid = vec![PublicKey([1; 32])];
    let next = |run: &mut TaskRun| {
        let batch = run.next_to_match(Time(0));
        batch.iter().flatten().for_each(|index| run.become_state(*index, State::Matching));
        batch
    };
    // The window at the start is of four.
    assert_eq!(next(&mut run), Some(vec![0, 2, 4, 5]));
    assert_eq!(next(&mut run), None);
    run.widen();
    assert_eq!([next(&mut run), next(&mut run), next(&mut run)], [Some(vec![1]), Some(vec![3]), None]);
    // Of the first batch no more is asked for when its first has its seller.
    run.become_state(0, State::Holding);
    assert_eq!([next(&mut run), next(&mut run)], [Some(vec![6, 7, 8]), None]);
}

#[test]
fn where_sellers_are_scarce_as_many_are_asked_for_as_became_free() {
    let mut run = task(9);
    let next = |run: &mut TaskRun, now| {
        let batch = run.next_to_match(now);
        batch.iter().flatten().for_each(|index| run.become_state(*index, State::Matching));
        batch
    };
    let found_nobody = |run: &mut TaskRun, batch: &[u32], now| {
        for index in batch {
            run.become_state(*index, State::Waiting);
            run.requeue(*index);
            run.close_gate(now);
        }
    };
    let (start, look) = (Time(0), Time(0).after(FIRST_LOOK));
    assert_eq!(next(&mut run, start), Some(vec![0, 1, 2, 3]));
    found_nobody(&mut run, &[0, 1, 2, 3], start);
    // The gate closes once for all of them, and opens for one.
    assert_eq!((next(&mut run, start), run.gate_opens), (None, look));
    assert_eq!(next(&mut run, look), Some(vec![4]));
    found_nobody(&mut run, &[4], look);
    assert_eq!(run.gate_opens, look.after(FIRST_LOOK.times(2)));
    // Two sellers have become free.
    run.open_gate(look);
    run.open_gate(look);
    assert_eq!([next(&mut run, look), next(&mut run, look)], [Some(vec![5, 6]), None]);
    for index in [5, 6] {
        run.become_state(index, State::Holding);
    }
    run.widen();
    assert_eq!(next(&mut run, look), None, "nobody else has");
    // After a while one is asked for all the same; where that finds somebody there may be more.
    let later = run.gate_opens;
    assert_eq!(next(&mut run, later), Some(vec![7]));
    run.become_state(7, State::Holding);
    run.widen();
    assert_eq!(next(&mut run, later), Some(vec![8, 0]));
}

#[test]
fn the_tally_follows_the_states() {
    let mut run = task(3);
    for state in [State::Matching, State::Holding, State::Offered] {
        run.become_state(1, state);
    }
    run.become_state(2, State::Failed);
    let expected = Tally { failed: 1, running: 1, waiting: 1, held: Money(10), ..Tally::default() };
    assert_eq!(run.tally(), expected);
    for state in [State::Staging, State::Running, State::Fetching, State::Settling] {
        run.become_state(1, state);
    }
    run.pay(1, Money(6), Money(1));
    run.become_state(1, State::Succeeded);
    let expected = Tally { done: 1, failed: 1, waiting: 1, spent: Money(7), ..Tally::default() };
    assert_eq!((run.tally(), run.has_ended()), (expected, false));
}
