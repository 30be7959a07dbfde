//! Who is shown the outputs, and how a seller comes to its money when its buyer does not want to pay.

use super::*;
use crate::worker::delivery::SILENCE;
use Did::{Claims, Declined, Gives, Migrate, Reports, Settles, Warns};
use proto::message::bank::{ClaimReceipt, Ended, Ending, How, Shares};
use proto::message::service::Taken;

const REPEATED: Did = Reports(1, Outcome::Succeeded);

fn done(outcome: Outcome) -> Execution {
    let blob = |n: u8| Blob { hash: Hash([n; 32]), size: Bytes(3) };
    let outputs = vec![NamedBlob { name: "out".into(), blob: blob(40) }];
    Execution {
        outcome,
        cycles: Cycles(1_000_000_000),
        outputs,
        stdout: Some(blob(41)),
        stderr: None,
        more: vec![],
        is_cut: false,
    }
}

/// With contract 1 executed and reported.
fn reported() -> Seller {
    let mut seller = Seller::running();
    seller.worker.executed(id(1), done(Outcome::Succeeded), seller.now);
    assert_eq!(seller.did(), [REPEATED]);
    seller
}

fn taken(seller: &Seller) -> Signed<Taken> {
    Signed::new(Taken { contract: id(1), report: seller.report(1).hash() }, &keys(2))
}

/// With the buyer's word that it takes the outputs.
fn delivered() -> Seller {
    let mut seller = reported();
    seller.hear(2, ServiceMessage::Taken(taken(&seller)));
    assert_eq!(seller.did(), [Gives(2, vec![40, 41])]);
    seller
}

/// With a claim that stands.
fn claimed() -> Seller {
    let mut seller = delivered();
    seller.hear(2, verdict(&seller, false));
    assert_eq!(seller.did(), [Claims { n: 1, has_taken: true }]);
    let until = seller.now.after(Span::secs(30));
    let report = Hash([0; 32]);
    seller.answer(BankOutcome::Claimed(ClaimReceipt { hold: id(1), report, is_taken: true, until }));
    seller
}

fn verdict(seller: &Seller, is_accepted: bool) -> ServiceMessage {
    let report = seller.report(1).hash();
    let reason = String::new();
    ServiceMessage::Verdict(Signed::new(Verdict { contract: id(1), report, is_accepted, reason }, &keys(2)))
}

fn refused(code: RefusalCode) -> BankOutcome {
    BankOutcome::Refused(Refusal::new(code, "no", ""))
}

#[test]
fn outputs_are_shown_to_the_buyer_when_it_has_signed_for_them_and_to_nobody_else() {
    let mut seller = reported();
    let right = taken(&seller);
    let other_report = Taken { report: Hash([7; 32]), ..right.body };
    let other_contract = Taken { contract: id(5), ..right.body };
    for (from, paper) in [
        (3, Signed::new(right.body, &keys(3))),
        (2, Signed::new(right.body, &keys(3))),
        (3, right.clone()),
        (2, Signed::new(other_report, &keys(2))),
        (2, Signed::new(other_contract, &keys(2))),
    ] {
        seller.hear(from, ServiceMessage::Taken(paper));
        assert_eq!(seller.did(), []);
    }
    for _ in 0..2 {
        seller.hear(2, ServiceMessage::Taken(right.clone()));
        assert_eq!(seller.did(), [Gives(2, vec![40, 41])]);
    }
}

#[test]
fn what_is_not_paid_is_shown_at_once() {
    let mut seller = Seller::running();
    seller.worker.executed(id(1), done(Outcome::Exited(1)), seller.now);
    assert_eq!(seller.did(), [Gives(2, vec![40, 41]), Reports(1, Outcome::Exited(1))]);
}

#[test]
fn a_silent_buyer_is_claimed_from_after_a_while() {
    let mut seller = delivered();
    let before = seller.pass(Span(SILENCE.0 - 1));
    assert!(before.iter().all(|did| *did == REPEATED), "{before:?}");
    assert_eq!(seller.pass(Span(1)), [Claims { n: 1, has_taken: true }]);
}

#[test]
fn a_buyer_that_takes_late_is_claimed_from_a_minute_before_the_end() {
    let mut seller = reported();
    let waited = Span(CLOSES.0 - CLAIM_BEFORE_END.0 - 1_000_000);
    seller.pass(waited);
    seller.hear(2, ServiceMessage::Taken(taken(&seller)));
    seller.did();
    let end = seller.pass(Span::secs(2));
    assert_eq!(end.last(), Some(&Claims { n: 1, has_taken: true }));
}

#[test]
fn what_nobody_takes_is_not_claimed_and_ends_with_its_hold() {
    let mut seller = reported();
    let all = seller.pass(Span(CLOSES.0 + 1));
    assert!(all.iter().all(|did| *did == REPEATED), "{:?}", all.last());
    assert_eq!((seller.worker.works.len(), seller.worker.poll_timeout()), (0, None));
}

#[test]
fn nobody_is_asked_to_pay_for_a_failure_that_its_buyer_accepts() {
    let mut seller = Seller::running();
    seller.worker.executed(id(1), Execution::nothing(Outcome::Exited(1)), seller.now);
    seller.did();
    seller.hear(2, verdict(&seller, true));
    assert_eq!((seller.did(), seller.pass(Span::secs(60))), (vec![], vec![]));
    assert_eq!((seller.worker.works.len(), seller.worker.record.paid), (0, 0));
}

/// What a seller does when a report with this outcome is rejected.
fn check_rejected(outcome: Outcome, takes: bool, expected: &[Did]) {
    let mut seller = Seller::running();
    seller.worker.executed(id(1), done(outcome), seller.now);
    if takes {
        seller.hear(2, ServiceMessage::Taken(taken(&seller)));
    }
    seller.did();
    seller.hear(2, verdict(&seller, false));
    assert_eq!(seller.did(), expected);
}

#[test]
fn a_rejected_result_is_claimed_if_it_was_taken_and_signed_away_if_not() {
    let away = || [Declined(1, RefusalCode::Mismatch, false)];
    let checkpoint = Outcome::Migrated(Blob { hash: Hash([50; 32]), size: Bytes(9) }.into());
    check_rejected(Outcome::Succeeded, true, &[Claims { n: 1, has_taken: true }]);
    check_rejected(Outcome::Succeeded, false, &away());
    // No second execution comes to the same checkpoint.
    check_rejected(checkpoint.clone(), true, &away());
    check_rejected(checkpoint, false, &away());
    check_rejected(Outcome::Exited(1), false, &[]);
}

#[test]
fn a_claim_that_stands_is_asked_about_when_its_time_is_over() {
    let mut seller = claimed();
    assert_eq!(seller.pass(Span(35_000_000 - 1)), []);
    assert_eq!(seller.pass(Span(1)), [Claims { n: 1, has_taken: true }]);
    // It is being judged: the seller waits.
    seller.answer(refused(RefusalCode::WrongState));
    assert_eq!(seller.pass(Span::secs(59)), []);
    assert_eq!(seller.pass(Span::secs(1)), [Claims { n: 1, has_taken: true }]);
    seller.answer(refused(RefusalCode::HoldClosed));
    let record = seller.worker.record;
    assert_eq!((record.paid, record.earned), (1, Money(5)));
    assert_eq!((seller.did(), seller.worker.works.len()), (vec![], 0));
}

#[test]
fn a_claim_that_is_refused_ends_without_pay_and_the_operator_hears_of_it() {
    for code in [RefusalCode::HoldReturned, RefusalCode::NoHold, RefusalCode::Mismatch] {
        let mut seller = claimed();
        seller.pass(Span::secs(35));
        seller.answer(refused(code));
        assert_eq!(seller.did(), [Warns]);
        assert_eq!((seller.worker.works.len(), seller.worker.record.paid), (0, 0));
    }
}

fn ended(how: How, seller: u64, seller_held: u64) -> Ended {
    let held = Money(1_000_000);
    let paid = Money(seller - seller_held);
    let shares = Shares {
        buyer_held: held,
        seller_held: Money(seller_held),
        buyer: Money(held.0 - paid.0),
        seller: Money(seller),
        ..Shares::default()
    };
    assert!(shares.is_balanced());
    let (buyer, owner) = (peer(2).key, None);
    Ended { ending: Ending { hold: id(1), how, buyer, seller: peer(1).key, owner, arbiter: None, shares } }
}

/// What comes of the bank's word that a claim has ended.
fn check_ended(how: How, expected: &[Did], paid: u64, earned: u64) {
    let mut seller = claimed();
    let gained = if how.is_paid() { 27 } else { 20 };
    seller.worker.ended(&ended(how, gained, 20).ending, seller.now);
    assert_eq!(seller.did(), expected, "{how:?}");
    let record = seller.worker.record;
    assert_eq!((record.paid, record.earned, seller.worker.works.len()), (paid, Money(earned), 0), "{how:?}");
    // It never signs away what it was paid for.
    seller.hear(2, ServiceMessage::Cancel(Cancel { contract: id(1) }));
    assert_eq!(seller.did(), []);
}

#[test]
fn the_banks_word_ends_a_claim() {
    for how in [How::Lapsed, How::Upheld, How::Undecided, How::Settled] {
        check_ended(how, &[], 1, 7);
    }
    check_ended(How::Overturned, &[Warns], 0, 0);
}

#[test]
fn a_buyer_that_accepts_late_is_settled_with_at_once() {
    let mut seller = delivered();
    let accept = verdict(&seller, true);
    seller.pass(SILENCE);
    seller.hear(2, accept);
    assert_eq!(seller.did(), [Settles(1)]);
    assert_eq!((seller.worker.works.len(), seller.worker.record.paid), (0, 1));
}

#[test]
fn a_buyer_that_wants_to_stop_does_not_take_a_claim_back() {
    let mut seller = claimed();
    seller.hear(2, ServiceMessage::Cancel(Cancel { contract: id(1) }));
    assert_eq!(seller.did(), []);
    assert!(seller.worker.owns(id(1)));
}

#[test]
fn a_seller_that_leaves_claims_what_was_taken() {
    let mut seller = delivered();
    seller.worker.leave(seller.now);
    assert_eq!(seller.did(), [Claims { n: 1, has_taken: true }]);
}

/// What is reported when an execution that was told to stop for its owner ends so.
fn check_stopped(is_cancelled: bool, outcome: Outcome, expected: Outcome) {
    let mut seller = Seller::running();
    seller.decide(Vacate { grace: Span(0) }, &[Migrate(1)]);
    if is_cancelled {
        seller.worker.works.get_mut(&id(1)).unwrap().is_cancelled = true;
    }
    seller.worker.executed(id(1), Execution::nothing(outcome), seller.now);
    let did = seller.did();
    assert_eq!(did.last(), Some(&Reports(1, expected)), "{did:?}");
}

#[test]
fn what_stops_for_its_owner_is_handed_over_with_a_checkpoint_if_there_is_one() {
    let checkpoint = || Outcome::Migrated(Blob { hash: Hash([50; 32]), size: Bytes(9) }.into());
    check_stopped(false, checkpoint(), checkpoint());
    check_stopped(false, Outcome::Succeeded, Outcome::Succeeded);
    check_stopped(false, Outcome::Cancelled, needed());
    check_stopped(true, checkpoint(), Outcome::Cancelled);
}
