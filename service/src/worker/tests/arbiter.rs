//! The arbiter executes again what it is appointed for, and nothing else.

use super::*;
use Did::{Execute, Fetch, Judges, Pause, Stop};
use proto::message::bank::{Appointed, Appointment};

const UNTIL: Time = Time(40_000_000);

/// Contract `n` of buyer 2 and seller 5, to be judged by node 1.
fn appointed(n: u8) -> Appointed {
    let mut offer = offer(n).body;
    offer.seller = peer(5).key;
    appoint(offer, |_| {}, 9)
}

fn appoint(offer: Offer, change: fn(&mut Appointment), signer: u8) -> Appointed {
    let offer = Signed::new(offer, &keys(2));
    let mut appointment = Appointment {
        bank: peer(9).key,
        contract: offer.body.contract,
        offer: offer.hash(),
        report: Hash([8; 32]),
        arbiter: peer(1).key,
        fee: Money(5),
        until: UNTIL,
    };
    change(&mut appointment);
    Appointed { appointment: Signed::new(appointment, &keys(signer)), offer }
}

/// With case 1 executed.
fn running() -> Seller {
    let mut seller = Seller::new();
    seller.worker.appointed(appointed(1), seller.now);
    assert_eq!(seller.did(), [Fetch(1)]);
    seller.worker.fetched(id(1), Ok(()), seller.now);
    seller
}

#[test]
fn a_disputed_contract_is_executed_again_and_judged() {
    let mut seller = running();
    let wall = seller.worker.effects.iter().find_map(|effect| match effect {
        Effect::Execute { job, .. } => Some(job.limits.wall),
        _ => None,
    });
    assert_eq!(wall, Some(Span(UNTIL.0)), "a slow machine is no reason to find otherwise");
    assert_eq!(seller.did(), [Execute(1)]);
    // The bank says it again, the buyer wants to stop it, offers it, and signs for it: nothing comes of it.
    seller.worker.appointed(appointed(1), seller.now);
    seller.hear(2, ServiceMessage::Cancel(Cancel { contract: id(1) }));
    seller.offer(1);
    assert_eq!(seller.pass(Span::secs(10)), []);
    let execution = Execution { cycles: Cycles(7), ..Execution::nothing(Outcome::Exited(3)) };
    seller.worker.executed(id(1), execution, seller.now);
    assert_eq!(seller.did(), [Judges(1, Outcome::Exited(3), Cycles(7))]);
    // It is not judged twice.
    seller.worker.appointed(appointed(1), seller.now);
    assert_eq!((seller.did(), seller.worker.owns(id(1))), (vec![], false));
}

#[test]
fn a_forged_appointment_is_not_followed() {
    let right = || {
        let mut offer = offer(1).body;
        offer.seller = peer(5).key;
        offer
    };
    let own = || offer(1).body;
    let outside = || {
        let mut offer = right();
        offer.job.outputs = vec!["../out".into()];
        offer
    };
    for (offer, change, signer) in [
        (right(), (|_| {}) as fn(&mut Appointment), 2),
        (right(), |appointment| appointment.bank = peer(2).key, 9),
        (right(), |appointment| appointment.arbiter = peer(2).key, 9),
        (right(), |appointment| appointment.contract = id(2), 9),
        (right(), |appointment| appointment.offer = Hash([0; 32]), 9),
        (right(), |appointment| appointment.until = Time(0), 9),
        (own(), |_| {}, 9),
        (outside(), |_| {}, 9),
    ] {
        let mut seller = Seller::new();
        seller.worker.appointed(appoint(offer, change, signer), seller.now);
        assert_eq!((seller.did(), seller.worker.works.len()), (vec![], 0));
    }
}

#[test]
fn no_more_than_two_are_judged_at_once() {
    let mut seller = Seller::new();
    for n in 1..=3 {
        seller.worker.appointed(appointed(n), seller.now);
    }
    assert_eq!(seller.did(), [Fetch(1), Fetch(2)]);
}

#[test]
fn what_cannot_be_fetched_is_tried_three_times() {
    let mut seller = Seller::new();
    seller.worker.appointed(appointed(1), seller.now);
    let fetched = |seller: &mut Seller| {
        seller.worker.fetched(id(1), Err("nobody is there".into()), seller.now);
        let mut did = seller.did();
        did.extend(seller.pass(Span::secs(5)));
        did
    };
    assert_eq!(seller.did(), [Fetch(1)]);
    assert_eq!(fetched(&mut seller), [Fetch(1)]);
    assert_eq!(fetched(&mut seller), [Fetch(1)]);
    let finding = Judges(1, Outcome::NotFetched("nobody is there".into()), Cycles(0));
    assert_eq!(fetched(&mut seller), [finding]);
}

/// An arbiter that says nothing about this end.
fn check_silent(outcome: Outcome) {
    let mut seller = running();
    seller.did();
    seller.worker.executed(id(1), Execution::nothing(outcome), seller.now);
    assert_eq!((seller.did(), seller.worker.works.len()), (vec![], 0));
}

#[test]
fn what_is_of_its_own_machine_is_no_finding() {
    check_silent(Outcome::WallLimit(WALL));
    check_silent(Outcome::Abandoned("the disk is full".into()));
    check_silent(Outcome::NotFetched("it is not in the store any more".into()));
    check_silent(Outcome::Cancelled);
}

#[test]
fn the_owner_of_the_machine_comes_first() {
    let mut seller = running();
    seller.did();
    seller.decide(Suspend, &[Pause(1)]);
    seller.decide(Vacate { grace: Span(0) }, &[Stop(1)]);
    // It is not taken up again: the bank asks another one.
    seller.decide(Run { throttle_pct: 100 }, &[]);
    seller.worker.appointed(appointed(1), seller.now);
    assert_eq!(seller.did(), []);
    let mut away = Seller::new();
    away.decide(Suspend, &[]);
    away.worker.appointed(appointed(1), away.now);
    assert_eq!(away.did(), []);
}

#[test]
fn a_case_that_takes_too_long_is_left() {
    let mut seller = running();
    seller.did();
    assert_eq!(seller.pass(UNTIL.since(Time(0))), [Stop(1)]);
    assert_eq!((seller.worker.works.len(), seller.worker.poll_timeout()), (0, None));
}
