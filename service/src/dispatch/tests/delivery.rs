//! Outputs are signed for, fetched, and accepted or rejected.

use super::*;
use Did::{Buys, Cancels, Fetches, Releases, Says, Settles, Takes, Tells};

/// With a report of a success that is being fetched.
pub(super) fn fetching() -> Buyer {
    let mut buyer = Buyer::hired();
    buyer.hear(ServiceMessage::Report(Box::new(buyer.report(Outcome::Succeeded))));
    assert_eq!(buyer.did(), [Takes, Fetches(vec![40])]);
    buyer
}

/// With a result that could not be fetched, and was rejected.
pub(super) fn rejected() -> Buyer {
    let mut buyer = fetching();
    for pause in [1, 2] {
        buyer.fetched(Err("gone".into()));
        assert_eq!(buyer.did(), []);
        assert_eq!(buyer.pass(Span::secs(pause)), [Takes, Fetches(vec![40])]);
    }
    buyer.fetched(Err("gone".into()));
    let again = "again: failed: the program could not be fetched: gone".into();
    assert_eq!(buyer.did(), [Says { is_accepted: false }, Tells(again), Buys]);
    buyer
}

#[test]
fn outputs_are_signed_for_before_they_are_fetched_and_paid_when_they_are_here() {
    let mut buyer = fetching();
    buyer.fetched(Ok(()));
    assert_eq!(buyer.did(), [Says { is_accepted: true }, Settles]);
    buyer.refuse(RefusalCode::HoldClosed);
    assert_eq!(buyer.did(), [Tells("succeeded, 0.00001 and 0.01 paid".into())]);
}

#[test]
fn the_word_that_outputs_are_taken_is_repeated_until_they_are_here() {
    let mut buyer = fetching();
    buyer.hear(ServiceMessage::Report(Box::new(buyer.report(Outcome::Succeeded))));
    assert_eq!(buyer.did(), [Takes]);
    assert_eq!(buyer.pass(Rules::LOCAL.lease), [Takes]);
}

#[test]
fn what_cannot_be_fetched_is_tried_three_times_and_then_goes_on_elsewhere() {
    let mut buyer = rejected();
    // The seller is asked for its signature, and frees the hold by it.
    assert_eq!(buyer.pass(Span::secs(1)), [Cancels]);
    let contract = buyer.contract();
    let refusal = Refusal::new(RefusalCode::Mismatch, "", "");
    let declined = Signed::new(Declined { contract, refusal }, &keys(1));
    buyer.hear(ServiceMessage::Decline(declined));
    assert_eq!(buyer.did(), [Releases]);
}

#[test]
fn what_is_not_payable_is_not_signed_for() {
    let mut buyer = Buyer::hired();
    buyer.hear(ServiceMessage::Report(Box::new(buyer.report(Outcome::Exited(3)))));
    assert_eq!(buyer.did(), [Fetches(vec![40])]);
    buyer.fetched(Ok(()));
    let end = Tells("failed: the program exited with status 3, 0 and 0 paid".into());
    assert_eq!(buyer.did(), [Says { is_accepted: false }, Releases, end]);
}

/// A report that names something else than it may: nothing is signed for, and nothing is fetched.
fn check_fault(outcome: Outcome, change: fn(&mut Report)) {
    let mut buyer = Buyer::hired();
    let mut report = buyer.report(outcome).body;
    change(&mut report);
    buyer.hear(ServiceMessage::Report(Box::new(Signed::new(report, &keys(1)))));
    let did = buyer.did();
    assert_eq!(did.first(), Some(&Says { is_accepted: false }));
    assert!(!did.contains(&Takes) && did.last() == Some(&Buys), "{did:?}");
}

#[test]
fn a_report_that_does_not_fit_is_rejected_before_anything_is_taken() {
    let blob = |n: u8, size: u64| Blob { hash: Hash([n; 32]), size: Bytes(size) };
    let checkpoint = |size, base| Outcome::Migrated(Checkpoint { blob: blob(50, size), base });
    check_fault(Outcome::Succeeded, |report| report.outputs.clear());
    check_fault(Outcome::Succeeded, |report| report.outputs[0].blob.size = Bytes::gib(1));
    check_fault(Outcome::Succeeded, |report| {
        report.stdout = Some(Blob { size: Bytes::gib(1), ..report.outputs[0].blob })
    });
    check_fault(Outcome::Succeeded, |report| {
        let twice = report.outputs[0].clone();
        report.outputs.push(twice);
    });
    check_fault(checkpoint((3 << 20) + 1, None), |_| {});
    check_fault(checkpoint(9, Some(blob(51, (3 << 20) + 1))), |_| {});
}

#[test]
fn a_report_of_somebody_else_or_about_another_offer_changes_nothing() {
    let mut buyer = Buyer::hired();
    let right = buyer.report(Outcome::Succeeded).body;
    let other = Report { offer: Hash([0; 32]), ..right.clone() };
    for paper in [Signed::new(right, &keys(3)), Signed::new(other, &keys(1))] {
        buyer.hear(ServiceMessage::Report(Box::new(paper)));
        assert_eq!((buyer.did(), buyer.state()), (vec![], State::Staging));
    }
}
