//! A sub-task that is saved: room is bought for its states and paid, and what loses its seller goes on from the last one.

use super::*;
use crate::checkpoint;
use Did::{
    AsksToKeep, Buys, Cancels, Drops, Fetches, Holds, Keeps, Offers, Opens, Releases, Says, Settles, Tells,
};
use proto::message::bank::SettledReceipt;
use proto::message::service::{
    Checkpoint, CheckpointKey, CheckpointMethod, Checkpointing, Kept, Phase, Report, Saved,
};

/// What is left of the price for the work, and what is set aside for room.
const FOR_WORK: Money = Money(900_000);
const FOR_ROOM: Money = Money(100_000);
/// Two states of a MiB, each with its frame.
const ROOM: Bytes = Bytes(2 * ((1 << 20) + (64 << 10)));

fn state(n: u8) -> Blob {
    Blob { hash: Hash([n; 32]), size: Bytes(9) }
}

/// A difference to the whole state `base`.
fn since(base: u8, n: u8) -> Checkpoint {
    Checkpoint { blob: state(n), base: Some(state(base)) }
}

/// With a sub-task at work that is kept at one storage node.
fn running() -> Buyer {
    let mut buyer = Buyer::with(Rules::LOCAL, |plan| {
        plan.job.checkpoint = Some(Checkpointing {
            method: CheckpointMethod::Transparent,
            interval: None,
            size: Bytes::mib(1),
            copies: 1,
            key: CheckpointKey([0; 32]),
        });
    });
    run(&mut buyer);
    buyer
}

fn run(buyer: &mut Buyer) {
    buyer.buy(FOR_WORK);
    buyer.hear(ServiceMessage::Accept(Box::new(buyer.acceptance())));
    let (contract, cycles) = (buyer.contract(), Cycles(0));
    buyer.hear(ServiceMessage::Progress(Progress { contract, phase: Phase::Running, cycles, done: None }));
    assert_eq!((buyer.did(), buyer.state()), (vec![], State::Running));
}

fn saved(buyer: &mut Buyer, version: u32, cycles: u64, checkpoint: impl Into<Checkpoint>) {
    let checkpoint = checkpoint.into();
    let contract = buyer.contract();
    let saved = Saved { contract, version, cycles: Cycles(cycles), checkpoint };
    buyer.now = buyer.now.after(Span::secs(1));
    buyer.hear(ServiceMessage::Saved(Box::new(Signed::new(saved, &keys(1)))));
}

/// A storage node says that it has this state.
fn kept(buyer: &mut Buyer, contract: ContractId, n: u8) {
    has(buyer, contract, &[n]);
}

/// A storage node says that it has these contents.
fn has(buyer: &mut Buyer, contract: ContractId, contents: &[u8]) {
    let hashes = contents.iter().map(|n| Hash([*n; 32])).collect();
    buyer.hear(ServiceMessage::Kept(Kept { contract, hashes }));
}

/// What was to be fetched to this node is here, or is not.
fn fetched(buyer: &mut Buyer, result: Result<(), String>) {
    let id = *buyer.dispatch.kept_for.keys().next().unwrap();
    buyer.dispatch.fetched(id, result, buyer.now);
}

fn lose(buyer: &mut Buyer) -> Vec<Did> {
    buyer.dispatch.unreachable(peer(1), buyer.now);
    assert!(buyer.did().contains(&Offers));
    buyer.dispatch.unreachable(peer(1), buyer.now);
    // The seller of room is the same one here, and is asked too.
    buyer.did().into_iter().filter(|did| !matches!(did, AsksToKeep(_))).collect()
}

fn again() -> Did {
    Tells("again: lost: the seller was not heard of again (1 tried)".into())
}

/// Room is bought and holds the first state.
fn with_room() -> (Buyer, ContractId) {
    let mut buyer = running();
    saved(&mut buyer, 1, 2_000_000_000, state(60));
    assert_eq!(buyer.did(), [Buys]);
    let room = buyer.asked.unwrap();
    let ticket = ticket(room);
    buyer.dispatch.bought(ticket.clone(), buyer.now);
    assert_eq!(buyer.did(), [Holds(FOR_ROOM)]);
    buyer.answer(BankOutcome::Held(hold(&ticket, FOR_ROOM)));
    assert_eq!(buyer.did(), [AsksToKeep(vec![60])]);
    (buyer, room)
}

#[test]
fn where_there_is_no_room_this_node_keeps_the_state_and_the_next_seller_goes_on_from_it() {
    let mut buyer = running();
    saved(&mut buyer, 1, 2_000_000_000, state(60));
    assert_eq!(buyer.did(), [Buys]);
    let room = buyer.asked.unwrap();
    buyer.dispatch.not_bought(&[room], &market::Shortage::default(), buyer.now);
    assert_eq!(buyer.did(), [Fetches(vec![60])]);
    fetched(&mut buyer, Ok(()));
    assert_eq!(lose(&mut buyer), [Cancels, again(), Buys]);
    let wants = buyer.dispatch.wants(TASK, buyer.now);
    // 0.89 credits for the 7.9 Gc that are left.
    assert_eq!(wants.first().map(|want| want.bid), Some(Rate(112_658)));
    run(&mut buyer);
    assert_eq!(buyer.offer.as_ref().map(|offer| offer.body.job.resume), Some(Some(state(60).into())));
}

#[test]
fn a_state_that_is_said_again_while_room_is_looked_for_is_kept_here() {
    let mut buyer = running();
    for (version, n, at_first) in [(1, 60, vec![Buys]), (2, 61, vec![])] {
        saved(&mut buyer, version, u64::from(version) * 1_000_000_000, state(n));
        assert_eq!(buyer.did(), at_first, "{version}");
        for fetches in [vec![Fetches(vec![n])], vec![]] {
            saved(&mut buyer, version, u64::from(version) * 1_000_000_000, state(n));
            assert_eq!(buyer.did(), fetches, "{version}: one fetch at a time");
        }
        fetched(&mut buyer, Err("the line broke".into()));
        saved(&mut buyer, version, u64::from(version) * 1_000_000_000, state(n));
        assert_eq!(buyer.did(), [Fetches(vec![n])], "{version}: again");
        fetched(&mut buyer, Ok(()));
        saved(&mut buyer, version, u64::from(version) * 1_000_000_000, state(n));
        assert_eq!(buyer.did(), [], "{version}: it is here");
    }
    // Room was found, and what is told there is not fetched to this node.
    let room = ticket(buyer.asked.unwrap());
    buyer.dispatch.bought(room.clone(), buyer.now);
    assert_eq!(buyer.did(), [Holds(FOR_ROOM)]);
    buyer.answer(BankOutcome::Held(hold(&room, FOR_ROOM)));
    assert_eq!(buyer.did(), [AsksToKeep(vec![60, 61])]);
    saved(&mut buyer, 3, 3_000_000_000, state(62));
    saved(&mut buyer, 3, 3_000_000_000, state(62));
    assert_eq!(buyer.did(), [AsksToKeep(vec![61, 62])]);
    assert_eq!(lose(&mut buyer), [Cancels, Fetches(vec![62]), again()]);
}

#[test]
fn a_state_at_a_storage_node_is_fetched_before_the_sub_task_is_bought_again() {
    let (mut buyer, room) = with_room();
    kept(&mut buyer, room, 60);
    // The next state is on its way only: the one before it counts.
    saved(&mut buyer, 2, 3_000_000_000, state(61));
    assert_eq!(buyer.did(), [AsksToKeep(vec![60, 61])]);
    kept(&mut buyer, room, 60);
    let did = lose(&mut buyer);
    assert_eq!(did, [Cancels, Fetches(vec![61]), again()]);
    assert_eq!(buyer.state(), State::Waiting);
    fetched(&mut buyer, Err("gone".into()));
    assert_eq!(buyer.did(), [Fetches(vec![60])]);
    fetched(&mut buyer, Ok(()));
    assert_eq!(buyer.did(), [Buys]);
    run(&mut buyer);
    assert_eq!(buyer.offer.as_ref().map(|offer| offer.body.job.resume), Some(Some(state(60).into())));
    // It is none: the start is what is left.
    ends(&mut buyer, Outcome::NotResumed("torn".into()));
    buyer.did();
    // The bank's answer to the release is of no interest.
    buyer.orders.clear();
    buyer.buy(FOR_WORK);
    assert_eq!(buyer.offer.as_ref().map(|offer| offer.body.job.resume), Some(None));
}

#[test]
fn a_difference_counts_where_what_it_rests_on_is_too() {
    let (mut buyer, room) = with_room();
    kept(&mut buyer, room, 60);
    saved(&mut buyer, 2, 3_000_000_000, since(60, 61));
    assert_eq!(buyer.did(), [AsksToKeep(vec![60, 61])]);
    // Without the whole state it is nothing, and neither is there the one before it any more.
    has(&mut buyer, room, &[61]);
    saved(&mut buyer, 3, 4_000_000_000, since(60, 62));
    assert_eq!(buyer.did(), [AsksToKeep(vec![60, 62])]);
    has(&mut buyer, room, &[60, 61]);
    assert_eq!(buyer.did(), [AsksToKeep(vec![60, 61, 62])]);
    has(&mut buyer, room, &[60, 61, 62]);
    // A whole one is on its way, and the last difference counts with what it rests on.
    saved(&mut buyer, 4, 5_000_000_000, state(63));
    assert_eq!(buyer.did(), [AsksToKeep(vec![60, 62, 63])]);
    assert_eq!(lose(&mut buyer), [Cancels, Fetches(vec![63]), again()]);
    fetched(&mut buyer, Err("gone".into()));
    assert_eq!(buyer.did(), [Fetches(vec![60, 62])]);
    fetched(&mut buyer, Ok(()));
    assert_eq!(buyer.did(), [Buys]);
    run(&mut buyer);
    assert_eq!(buyer.offer.as_ref().map(|offer| offer.body.job.resume), Some(Some(since(60, 62))));
}

#[test]
fn what_a_difference_rests_on_is_kept_here_as_long_as_it_is() {
    let mut buyer = running();
    let mut version = 0;
    for (checkpoint, fetched_here, dropped) in [
        (state(60).into(), vec![60], None),
        (since(60, 61), vec![60, 61], None),
        (since(60, 62), vec![60, 62], None),
        (state(63).into(), vec![63], Some(vec![61])),
        (since(63, 64), vec![63, 64], Some(vec![60, 62])),
    ] {
        version += 1;
        saved(&mut buyer, version, u64::from(version) * 1_000_000_000, checkpoint);
        if version == 1 {
            assert_eq!(buyer.did(), [Buys]);
            let room = buyer.asked.unwrap();
            buyer.dispatch.not_bought(&[room], &market::Shortage::default(), buyer.now);
        }
        assert_eq!(buyer.did(), [Fetches(fetched_here)]);
        fetched(&mut buyer, Ok(()));
        assert_eq!(buyer.did(), dropped.into_iter().map(Drops).collect::<Vec<_>>());
    }
}

#[test]
fn a_state_that_is_larger_than_its_room_with_what_it_rests_on_is_not_looked_at() {
    let large = |base: u64, size: u64| {
        let blob = |n, size| Blob { size: Bytes(size), ..state(n) };
        Checkpoint { blob: blob(61, size), base: Some(blob(60, base)) }
    };
    let most = ROOM.0 / 2;
    for (checkpoint, expected) in
        [(large(most, 0), vec![Buys]), (large(most, 1), vec![]), (large(1, most), vec![])]
    {
        let mut buyer = running();
        saved(&mut buyer, 1, 2_000_000_000, checkpoint);
        assert_eq!(buyer.did(), expected, "{checkpoint:?}");
    }
}

#[test]
fn a_storage_node_that_falls_silent_is_given_up_and_replaced() {
    let (mut buyer, room) = with_room();
    kept(&mut buyer, room, 60);
    buyer.did();
    let did = buyer.pass(Rules::LOCAL.lease);
    assert!(did.contains(&Cancels) && did.contains(&Buys), "{did:?}");
    assert_ne!(buyer.asked, Some(room));
}

/// The storage node bills so much.
fn bill(buyer: &mut Buyer, room: ContractId, cycles: u64) {
    let offer = ticket(room).hash();
    let report = Report {
        contract: room,
        offer,
        outcome: Outcome::Succeeded,
        cycles: Cycles(cycles),
        outputs: vec![],
        stdout: None,
        stderr: None,
        more: vec![],
    };
    buyer.hear(ServiceMessage::Report(Box::new(Signed::new(report, &keys(1)))));
}

/// A bill of so many cycles, a minute after the room was bought.
fn check_bill(cycles: u64, is_accepted: bool) -> Buyer {
    let (mut buyer, room) = with_room();
    kept(&mut buyer, room, 60);
    buyer.did();
    for _ in 0..60 {
        buyer.pass(Span::secs(1));
        kept(&mut buyer, room, 60);
        let (contract, cycles) = (buyer.contract(), Cycles(0));
        buyer.hear(ServiceMessage::Progress(Progress {
            contract,
            phase: Phase::Running,
            cycles,
            done: None,
        }));
    }
    buyer.did();
    bill(&mut buyer, room, cycles);
    let did = buyer.did();
    assert_eq!(did.first(), Some(&Says { is_accepted }), "{cycles}: {did:?}");
    assert_eq!(did.contains(&Settles), is_accepted, "{cycles}: {did:?}");
    assert!(!did.contains(&Releases), "{cycles}: {did:?}");
    buyer
}

#[test]
fn a_bill_is_paid_by_the_buyers_clock_and_no_higher() {
    assert_eq!(checkpoint::kept(ROOM, Span::secs(60)), Cycles(34_586));
    let mut buyer = check_bill(34_586, true);
    let hold = buyer.orders.first().copied().unwrap();
    assert!(buyer.dispatch.bills.contains_key(&hold));
    let (seller_paid, owner_paid, returned) = (Money(7), Money(10_000), Money(89_993));
    buyer.answer(BankOutcome::Settled(SettledReceipt { hold, seller_paid, owner_paid, returned }));
    assert_eq!(buyer.dispatch.tally(TASK).unwrap().spent, Money(10_007));
    check_bill(0, true);
    // A second and a hundredth more than a minute.
    check_bill(35_500, true);
    check_bill(35_600, false);
}

#[test]
fn after_a_restart_room_is_taken_up_and_what_loses_its_seller_goes_on_from_its_state() {
    let (mut buyer, room) = with_room();
    kept(&mut buyer, room, 60);
    buyer.did();
    let key = buyer.offer.as_ref().and_then(|offer| Some(offer.body.job.checkpoint.as_ref()?.key));
    buyer.restart();
    assert_eq!(buyer.did(), [Offers, Holds(FOR_ROOM)]);
    buyer.answer(BankOutcome::Held(hold(&ticket(room), FOR_ROOM)));
    assert_eq!(buyer.did(), [AsksToKeep(vec![60])]);
    // The market is not asked before the node is in the ring.
    buyer.now = buyer.now.after(Span::secs(2));
    buyer.dispatch.handle_timeouts(buyer.now);
    kept(&mut buyer, room, 60);
    buyer.did();
    assert_eq!(lose(&mut buyer), [Cancels, Fetches(vec![60]), again()]);
    fetched(&mut buyer, Ok(()));
    assert_eq!(buyer.did(), [Buys]);
    run(&mut buyer);
    let job = buyer.offer.as_ref().map(|offer| offer.body.job.clone()).unwrap();
    assert_eq!((job.resume, job.checkpoint.map(|spec| spec.key)), (Some(state(60).into()), key));
    // 0.89 credits are left for the work, and nothing is set aside for room a second time.
    let budget = buyer.dispatch.keepings.values().map(|keeping| keeping.budget).next();
    assert_eq!(budget, Some(Money::ZERO));
}

#[test]
fn a_state_that_this_node_keeps_is_looked_for_after_a_restart_before_it_is_offered() {
    let mut buyer = running();
    saved(&mut buyer, 1, 2_000_000_000, state(60));
    assert_eq!(buyer.did(), [Buys]);
    let room = buyer.asked.unwrap();
    buyer.dispatch.not_bought(&[room], &market::Shortage::default(), buyer.now);
    fetched(&mut buyer, Ok(()));
    buyer.did();
    buyer.restart();
    assert_eq!(buyer.did(), [Offers, Keeps(vec![60])]);
    buyer.now = buyer.now.after(Span::secs(2));
    buyer.dispatch.handle_timeouts(buyer.now);
    buyer.did();
    assert_eq!(lose(&mut buyer), [Cancels, Fetches(vec![60]), again()]);
    // It is gone, also at its maker: the start is what is left.
    fetched(&mut buyer, Err("gone".into()));
    assert_eq!(buyer.did(), [Fetches(vec![60])]);
    fetched(&mut buyer, Err("gone".into()));
    assert_eq!(buyer.did(), [Buys]);
    run(&mut buyer);
    assert_eq!(buyer.offer.as_ref().map(|offer| offer.body.job.resume), Some(None));
}

/// What is done about the room of a sub-task after a restart that finds it ended, when the bank has answered.
fn check_ended(is_billed: bool, expected: &[Did]) {
    let (mut buyer, room) = with_room();
    kept(&mut buyer, room, 60);
    buyer.dispatch.cancel(TASK, buyer.now);
    if is_billed {
        bill(&mut buyer, room, 0);
    }
    buyer.did();
    buyer.restart();
    buyer.did();
    let outcome = if is_billed {
        let (seller_paid, owner_paid, returned) = (Money(7), Money(10_000), Money(89_993));
        BankOutcome::Settled(SettledReceipt { hold: room, seller_paid, owner_paid, returned })
    } else {
        BankOutcome::Held(hold(&ticket(room), FOR_ROOM))
    };
    buyer.answer(outcome);
    assert_eq!(buyer.did(), expected);
    let spent = buyer.dispatch.tally(TASK).unwrap().spent;
    assert_eq!(spent, Money(if is_billed { 10_007 } else { 0 }));
    // A third process knows of the cost too.
    buyer.restart();
    assert_eq!(buyer.dispatch.tally(TASK).unwrap().spent, spent);
}

#[test]
fn after_a_restart_room_of_what_has_ended_is_given_back_and_an_accepted_bill_is_paid() {
    check_ended(false, &[Cancels]);
    check_ended(true, &[]);
}

/// The seller ends in this way, and has left nothing.
fn ends(buyer: &mut Buyer, outcome: Outcome) {
    let mut report = buyer.report(outcome).body;
    report.outputs.clear();
    buyer.hear(ServiceMessage::Report(Box::new(Signed::new(report, &keys(1)))));
    buyer.did();
    buyer.fetched(Ok(()));
}

#[test]
fn a_state_that_was_paid_is_given_up_when_a_second_seller_says_that_it_is_none() {
    let mut buyer = running();
    ends(&mut buyer, Outcome::Migrated(state(70).into()));
    assert_eq!(buyer.did(), [Opens(vec![70])]);
    buyer.dispatch.opened(buyer.contract(), Ok(()), buyer.now);
    buyer.did();
    let (hold, left) = (buyer.contract(), Money(590_000));
    let (seller_paid, owner_paid) = (Money(300_000), Money(10_000));
    let returned = left;
    buyer.answer(BankOutcome::Settled(SettledReceipt { hold, seller_paid, owner_paid, returned }));
    buyer.did();
    // The first that says so may lie: the next one is given the same.
    for resume in [Some(state(70).into()), Some(state(70).into()), None] {
        buyer.orders.clear();
        buyer.buy(left);
        assert_eq!(buyer.offer.as_ref().map(|offer| offer.body.job.resume), Some(resume));
        buyer.hear(ServiceMessage::Accept(Box::new(buyer.acceptance())));
        buyer.did();
        ends(&mut buyer, Outcome::NotResumed("torn".into()));
        buyer.did();
    }
}

#[test]
fn of_a_seller_that_hands_garbage_over_no_state_is_gone_on_from() {
    let (mut buyer, room) = with_room();
    kept(&mut buyer, room, 60);
    ends(&mut buyer, Outcome::Migrated(state(70).into()));
    buyer.did();
    buyer.dispatch.opened(buyer.contract(), Err("torn".into()), buyer.now);
    buyer.did();
    buyer.orders.clear();
    buyer.buy(FOR_WORK);
    assert_eq!(buyer.offer.as_ref().map(|offer| offer.body.job.resume), Some(None));
}

#[test]
fn a_copy_of_what_has_gone_on_from_a_state_is_planned_from_the_start_if_that_is_none() {
    let (mut buyer, room) = with_room();
    kept(&mut buyer, room, 60);
    lose(&mut buyer);
    fetched(&mut buyer, Ok(()));
    buyer.did();
    run(&mut buyer);
    let at_work = buyer.dispatch.tasks.get_mut(&TASK).unwrap().copy(0, "it is slow".into()).unwrap();
    for index in [at_work, at_work + 1] {
        buyer.dispatch.keep_replica(TASK, index);
        assert_eq!(buyer.did(), [Keeps(vec![60])]);
        let plan = |buyer: &mut Buyer| {
            let plan = &buyer.dispatch.run(TASK, index).unwrap().plan;
            (plan.job.resume, plan.work, plan.bid)
        };
        let rate = |work| Rate::highest(Money(890_000), Cycles(work)).unwrap();
        let done = (Some(state(60).into()), Some(Cycles(7_900_000_000)), rate(7_900_000_000));
        assert_eq!(plan(&mut buyer), done, "{index}");
        buyer.dispatch.discredit(TASK, index);
        assert!(!buyer.dispatch.rewind(TASK, index, buyer.now));
        assert_eq!(plan(&mut buyer), (None, Some(Cycles(9_900_000_000)), rate(9_900_000_000)), "{index}");
        buyer.did();
    }
}
