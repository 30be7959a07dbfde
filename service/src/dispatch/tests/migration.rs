//! Work that was handed over with a checkpoint: the first seller is paid by its cycles, the second goes on with the rest.

use super::*;
use Did::{Buys, Fetches, Opens, Says, Settles, Takes, Tells};
use proto::message::bank::SettledReceipt;

fn checkpoint() -> Checkpoint {
    Blob { hash: Hash([50; 32]), size: Bytes(9) }.into()
}

/// With a checkpoint on its way.
fn handed_over() -> Buyer {
    let mut buyer = Buyer::hired();
    hand_over(&mut buyer);
    buyer
}

fn hand_over(buyer: &mut Buyer) {
    let mut report = buyer.report(Outcome::Migrated(checkpoint())).body;
    report.outputs.clear();
    buyer.hear(ServiceMessage::Report(Box::new(Signed::new(report, &keys(1)))));
    assert_eq!(buyer.did(), [Takes, Fetches(vec![50])]);
}

/// The checkpoint was opened.
fn opened(buyer: &mut Buyer, result: Result<(), &str>) {
    buyer.fetched(Ok(()));
    assert_eq!((buyer.did(), buyer.state()), (vec![Opens(vec![50])], State::Fetching));
    let result = result.map_err(Into::into);
    buyer.dispatch.opened(buyer.contract(), result, buyer.now);
}

fn settled(buyer: &mut Buyer, paid: u64, fee: u64) {
    let hold = buyer.contract();
    let returned = Money(PRICE.0.saturating_sub(paid + fee));
    let (seller_paid, owner_paid) = (Money(paid), Money(fee));
    buyer.answer(BankOutcome::Settled(SettledReceipt { hold, seller_paid, owner_paid, returned }));
}

#[test]
fn another_seller_goes_on_with_what_is_left_of_the_price() {
    let mut buyer = handed_over();
    opened(&mut buyer, Ok(()));
    assert_eq!((buyer.did(), buyer.state()), (vec![Says { is_accepted: true }, Settles], State::Settling));
    settled(&mut buyer, 300_000, 10_000);
    let again = "again: failed: the program was handed over with a checkpoint".into();
    assert_eq!(buyer.did(), [Tells(again), Buys]);
    let tally = buyer.dispatch.tally(TASK).unwrap();
    assert_eq!((tally.spent, tally.held), (Money(310_000), Money::ZERO));
    buyer.buy(Money(690_000));
    let job = buyer.offer.as_ref().map(|offer| &offer.body.job);
    assert_eq!(job.map(|job| job.resume), Some(Some(checkpoint())));
    let wants = buyer.dispatch.wants(TASK, buyer.now);
    // 0.68 credits for the 7.9 Gc that are left.
    assert_eq!(wants.first().map(|want| want.bid), Some(Rate(86_075)));
    assert_eq!(buyer.dispatch.tally(TASK).unwrap().held, Money(690_000));
    // The second one ends it: both are paid, and the price is not exceeded.
    buyer.hear(ServiceMessage::Report(Box::new(buyer.report(Outcome::Succeeded))));
    buyer.fetched(Ok(()));
    buyer.did();
    settled(&mut buyer, 500_000, 10_000);
    assert_eq!(buyer.did(), [Tells("succeeded, 0.8 and 0.02 paid".into())]);
    assert_eq!(buyer.dispatch.tally(TASK).unwrap().spent, Money(820_000));
}

#[test]
fn a_price_that_is_used_up_ends_the_sub_task_and_says_so() {
    let mut buyer = handed_over();
    opened(&mut buyer, Ok(()));
    buyer.did();
    settled(&mut buyer, 980_000, 10_000);
    let end = "not enough money: its sellers handed it over with a checkpoint, and the 0.01 credits that are left of \
               its price do not exceed the market owner's fee, 0.98 and 0.01 paid";
    assert_eq!(buyer.did(), [Tells(end.into())]);
}

#[test]
fn a_checkpoint_that_cannot_be_had_is_not_paid_and_the_work_starts_anew() {
    let mut buyer = handed_over();
    for _ in 0..3 {
        buyer.did();
        buyer.fetched(Err("gone".into()));
        if buyer.state() == State::Fetching {
            buyer.pass(Span::secs(2));
        }
    }
    let again =
        "again: failed: the program was given up by the seller: its checkpoint is of no use: gone".into();
    assert_eq!(buyer.did(), [Says { is_accepted: false }, Tells(again), Buys]);
    assert_eq!(buyer.dispatch.objections.len(), 0);
    buyer.buy(PRICE);
    assert_eq!(buyer.offer.as_ref().map(|offer| offer.body.job.resume), Some(None));
}

/// A checkpoint that is none is not paid, the seller is not asked again, and the work starts anew.
fn check_refused(buyer: &mut Buyer) {
    opened(buyer, Err("torn"));
    let again =
        "again: failed: the program was given up by the seller: its checkpoint is of no use: torn".into();
    assert_eq!(buyer.did(), [Says { is_accepted: false }, Tells(again), Buys]);
    assert_eq!(buyer.dispatch.tally(TASK).unwrap().spent, Money::ZERO);
    assert_eq!(buyer.dispatch.run(TASK, 0).unwrap().shun, [peer(1).key]);
    buyer.orders.clear();
    buyer.buy(PRICE);
    assert_eq!(buyer.offer.as_ref().map(|offer| offer.body.job.resume), Some(None));
}

#[test]
fn a_checkpoint_that_is_none_is_not_paid_and_its_seller_is_not_asked_again() {
    check_refused(&mut handed_over());
}

#[test]
fn a_checkpoint_that_was_being_opened_is_opened_after_a_restart_of_the_buyer() {
    let mut buyer = handed_over();
    buyer.fetched(Ok(()));
    assert_eq!(buyer.did(), [Opens(vec![50])]);
    buyer.restart();
    assert_eq!(buyer.did(), [Takes, Fetches(vec![50])]);
    // What the former process asked is answered late: nothing is here yet that it could be about.
    buyer.dispatch.opened(buyer.contract(), Ok(()), buyer.now);
    assert_eq!(buyer.did(), []);
    opened(&mut buyer, Ok(()));
    assert_eq!(buyer.did(), [Says { is_accepted: true }, Settles]);
}
