//! What a seller checks on the receipt of a hold.

use crate::world::{BANK, id, key, keys, refusal};
use bank::client::{Wanted, verify_receipt};
use proto::message::bank::HoldReceipt;
use proto::{Hash, Money, RefusalCode, Signed, Time};

fn receipt() -> HoldReceipt {
    HoldReceipt {
        hold: id(4),
        bank: key(BANK),
        buyer: key(1),
        seller: key(2),
        ticket: Hash([5; 32]),
        amount: Money(700),
        expires: Time(61_000_000),
    }
}

fn wanted() -> Wanted {
    Wanted {
        bank: key(BANK),
        buyer: key(1),
        seller: key(2),
        contract: id(4),
        ticket: Hash([5; 32]),
        amount: Money(700),
        until: Time(60_999_999),
    }
}

#[test]
fn a_receipt_that_fits_is_taken() {
    assert_eq!(verify_receipt(&Signed::new(receipt(), &keys(BANK)), &wanted()), Ok(()));
}

#[test]
fn a_receipt_that_does_not_fit_is_refused_with_the_reason() {
    let by_bank = |body| Signed::new(body, &keys(BANK));
    let (mismatch, not_yours) = (RefusalCode::Mismatch, RefusalCode::NotYours);
    let unsigned = format!("the hold is not signed by the bank {}", key(BANK));
    let mut forged = by_bank(receipt());
    forged.body.amount = Money(701);
    let table = [
        (Signed::new(receipt(), &keys(1)), not_yours, unsigned.clone()),
        (forged, not_yours, unsigned.clone()),
        (by_bank(HoldReceipt { bank: key(9), ..receipt() }), not_yours, unsigned),
        (
            by_bank(HoldReceipt { hold: id(5), ..receipt() }),
            mismatch,
            "the hold is 00000005, the contract 00000004".into(),
        ),
        (
            by_bank(HoldReceipt { buyer: key(9), ..receipt() }),
            mismatch,
            format!("the hold is of buyer {}, the offer of {}", key(9), key(1)),
        ),
        (
            by_bank(HoldReceipt { seller: key(9), ..receipt() }),
            mismatch,
            format!("the hold is for seller {}, this is {}", key(9), key(2)),
        ),
        (
            by_bank(HoldReceipt { ticket: Hash([6; 32]), ..receipt() }),
            mismatch,
            "the hold was placed for another ticket".into(),
        ),
        (
            by_bank(HoldReceipt { amount: Money(699), ..receipt() }),
            RefusalCode::NotEnoughMoney,
            "the hold is of 0.000699 credits, 0.0007 are needed".into(),
        ),
        (
            by_bank(HoldReceipt { expires: Time(58_999_999), ..receipt() }),
            RefusalCode::Expired,
            "the hold ends too early by 2.00 s".into(),
        ),
    ];
    for (receipt, code, message) in table {
        let error = verify_receipt(&receipt, &wanted()).unwrap_err();
        assert_eq!((error.code, error.message), refusal(code, &message));
    }
}
