//! What nobody could ever run ends at once; what somebody could, or nobody is listed for, waits.

use super::*;
use crate::dispatch::{Patience, Submission, whole_commodity};
use crate::event::{EventKind, Verdict};
use crate::plan::SubTaskPlan;
use market::Tariff;
use proto::message::market::Requirement;
use proto::message::service::{Blob, Job, Limits, Runtime};
use proto::message::survey::Inquiry;
use proto::{Cycles, Hash, Money};

const TASK: ContractId = CommandId([7; 16]);
const PATIENCE: Span = Span::secs(30);

/// Needs 1 GiB of disk more than the seller of the pair has.
fn large() -> Requirement {
    Requirement { power: Capacity(500), cores: 1, disk: Bytes::gib(2), ..Requirement::default() }
}

fn plan(requirement: Requirement) -> SubTaskPlan {
    let size = Bytes(1);
    let limits = Limits {
        wall: Span::secs(9),
        memory: size,
        disk: size,
        output: size,
        cycles: Cycles(1),
        processes: 1,
        cores: 1,
    };
    let job = Job {
        program: Blob { hash: Hash([0; 32]), size },
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
    let (bid, price) = (Rate(9), Money(10));
    SubTaskPlan { requirement, bid, price, ..SubTaskPlan::bare("a".into(), job) }
}

/// When a task of three sub-tasks that need `requirement` has ended within a minute, and why each did.
fn check(mut pair: Pair, requirement: Requirement, patience: Patience, expected: Option<(Span, &str)>) {
    let start = pair.now;
    let plans = vec![plan(requirement); 3];
    let submission = Submission { task: TASK, plans, patience, budget: None, stop_when: None };
    pair.give(0, Input::Submit { submission });
    pair.run(Span::secs(60));
    let ends: Vec<(Span, Verdict)> = pair
        .said
        .iter()
        .filter_map(|output| match output {
            Output::Tell(event) => match &event.kind {
                EventKind::Ended { end, .. } => Some((event.time.since(start), end.verdict.clone())),
                _ => None,
            },
            _ => None,
        })
        .collect();
    let Some((within, words)) = expected else { return assert_eq!(ends, []) };
    assert_eq!(ends.len(), 3, "{ends:?}");
    for (after, verdict) in ends {
        let Verdict::NotPlaced { why } = &verdict else { panic!("{verdict:?}") };
        assert_eq!((after <= within, why.contains(words)), (true, true), "{after:?} {why}");
    }
    assert_eq!(pair.nodes[0].check(), Ok(()));
}

#[test]
fn what_no_listed_seller_could_ever_run_ends_at_once_with_the_closest() {
    let pair = Pair::new();
    let seller = pair.nodes[1].me().addr;
    let closest = format!("closest: {seller} has 1.0 GiB of disk, 2.0 GiB are asked for");
    check(pair, large(), Patience::For(PATIENCE), Some((Span::millis(100), &closest)));
}

#[test]
fn who_waits_for_sellers_waits() {
    check(Pair::new(), large(), Patience::Endless, None);
}

#[test]
fn a_price_that_is_too_low_is_no_reason_to_give_up_at_once() {
    let mut pair = Pair::new();
    let (memory, disk) = (Bytes::gib(1), Bytes::gib(1));
    let supply = Some(Supply {
        cores: 1,
        per_core: Capacity(1_000),
        asks: Tariff::of_compute(Rate(50)),
        memory,
        disk,
        most_memory: memory,
        platform: Platform::default(),
        longest: Span::secs(60),
    });
    pair.give(1, Input::Supply { supply });
    pair.run(Span::secs(2));
    let cheap = Requirement { disk: Bytes(1), ..large() };
    let late = PATIENCE.plus(Span::secs(2));
    check(
        pair,
        cheap,
        Patience::For(PATIENCE),
        Some((late, "1 above the bid of 0.000009 (lowest ask 0.00005)")),
    );
}

#[test]
fn where_nobody_is_listed_the_patience_counts() {
    let mut pair = Pair::new();
    pair.give(1, Input::Supply { supply: None });
    pair.run(Span::secs(12));
    let late = PATIENCE.plus(Span::secs(2));
    check(pair, large(), Patience::For(PATIENCE), Some((late, "0 listings")));
}

#[test]
fn an_owner_that_cannot_be_asked_leaves_it_open() {
    let mut pair = Pair::new();
    pair.is_lost = |message| matches!(message, Message::Market(MarketMessage::Survey(_)));
    let late = PATIENCE.plus(Span::secs(2));
    check(pair, large(), Patience::For(PATIENCE), Some((late, "1 unfit or not to be asked")));
}

#[test]
fn what_was_left_open_is_asked_again_after_a_renewal() {
    let mut pair = Pair::new();
    pair.is_lost = |message| matches!(message, Message::Market(MarketMessage::Survey(_)));
    let submission = Submission {
        task: TASK,
        plans: vec![plan(large())],
        patience: Patience::For(Span::secs(60)),
        budget: None,
        stop_when: None,
    };
    pair.give(0, Input::Submit { submission });
    // Longer than an owner is asked for.
    pair.run(Span::secs(15));
    assert_eq!(pair.nodes[0].wants(TASK, pair.now).len(), 1);
    pair.is_lost = |_| false;
    pair.run(Rules::LOCAL.renewal.plus(Span::secs(4)));
    assert_eq!(pair.nodes[0].wants(TASK, pair.now), []);
}

#[test]
fn a_survey_of_the_user_is_answered_to_the_user() {
    let mut pair = Pair::new();
    let inquiry = Inquiry { requirement: large(), bid: Rate(9), slices: 1 };
    let survey = Box::new(whole_commodity(vec![inquiry.clone()]));
    pair.give(0, Input::Survey { token: 5, survey });
    pair.run(Span::secs(1));
    let found = pair.said.iter().find_map(|output| match output {
        Output::Surveyed { token: 5, overview } => Some(overview),
        _ => None,
    });
    let overview = found.expect("the survey ends");
    assert_eq!((overview.sellers(), overview.markets.len(), overview.is_complete()), (1, 96, true));
    assert!(overview.hopeless(0, &inquiry).is_some());
}

#[test]
fn what_has_not_ended_tells_what_it_needs_and_for_how_long() {
    let mut pair = Pair::new();
    let plans = vec![plan(large())];
    pair.give(
        0,
        Input::Submit {
            submission: Submission {
                task: TASK,
                plans,
                patience: Patience::Endless,
                budget: None,
                stop_when: None,
            },
        },
    );
    pair.run(Span::secs(5));
    let wants = pair.nodes[0].wants(TASK, pair.now);
    let [want] = &wants[..] else { panic!("{wants:?}") };
    assert_eq!((&want.requirement, want.bid, want.patience, want.attempts), (&large(), Rate(9), None, 0));
    assert!(want.fruitless >= Some(Span::secs(4)), "{want:?}");
    pair.give(0, Input::Cancel { task: TASK });
    assert_eq!(pair.nodes[0].wants(TASK, pair.now), []);
}
