//! The bond: first the bank, then the buyer.

use super::*;
use Did::{Accept, Claims, Declined, Fetch, PutsUp, Reports};
use proto::message::bank::BondReceipt;

fn rules() -> Rules {
    Rules { bond_percent: 10, ..Rules::LOCAL }
}

fn receipt() -> BondReceipt {
    BondReceipt { hold: id(1), bank: peer(9).key, seller: peer(1).key, bond: Money(100_000) }
}

/// A seller that was offered contract 1, and what it does at the bank's answer.
fn check(outcome: BankOutcome, expected: &[Did]) -> Seller {
    let mut seller = Seller::under(rules());
    seller.offer(1);
    // Asked again, it has not accepted yet.
    seller.offer(1);
    assert_eq!(seller.did(), [PutsUp(1)]);
    seller.answer(outcome);
    assert_eq!(seller.did(), expected);
    seller
}

#[test]
fn an_offer_is_accepted_when_the_bond_stands() {
    let outcome = BankOutcome::Accepted(Signed::new(receipt(), &keys(9)));
    let mut seller = check(outcome, &[Accept(1), Fetch(1)]);
    let bond = seller.worker.works.get(&id(1)).and_then(|work| work.bond.as_ref()).map(|bond| bond.body);
    assert_eq!((bond, seller.worker.record.hired), (Some(receipt()), 1));
    // What is delivered and never taken is shown to the bank all the same: it keeps the bond.
    seller.worker.fetched(id(1), Ok(()), seller.now);
    seller.worker.executed(id(1), Execution::nothing(Outcome::Succeeded), seller.now);
    seller.did();
    let until = seller.pass(Span(CLOSES.0 - CLAIM_BEFORE_END.0));
    assert_eq!(until.last(), Some(&Claims { n: 1, has_taken: false }));
}

#[test]
fn an_offer_is_declined_when_the_bond_does_not_stand() {
    let forged = |change: fn(&mut BondReceipt)| {
        let mut receipt = receipt();
        change(&mut receipt);
        BankOutcome::Accepted(Signed::new(receipt, &keys(9)))
    };
    let mismatch = || [Declined(1, RefusalCode::Mismatch, false)];
    check(forged(|receipt| receipt.hold = id(2)), &mismatch());
    check(forged(|receipt| receipt.seller = peer(2).key), &mismatch());
    check(forged(|receipt| receipt.bank = peer(2).key), &mismatch());
    check(BankOutcome::Accepted(Signed::new(receipt(), &keys(2))), &mismatch());
    let poor = Refusal::new(RefusalCode::NotEnoughMoney, "0.05 credits are available", "");
    let seller = check(BankOutcome::Refused(poor), &[Declined(1, RefusalCode::NotEnoughMoney, true)]);
    assert_eq!((seller.worker.works.len(), seller.worker.record.hired), (0, 0));
}

#[test]
fn the_banks_sentence_goes_to_the_buyer() {
    let mut seller = Seller::under(rules());
    seller.offer(1);
    seller.did();
    seller.answer(BankOutcome::Refused(Refusal::new(
        RefusalCode::NotEnoughMoney,
        "the account is empty",
        "",
    )));
    let said = seller.worker.effects.iter().find_map(|effect| match effect {
        Effect::Send { message: ServiceMessage::Decline(paper), .. } => Some(&paper.body.refusal.message),
        _ => None,
    });
    assert_eq!(said.unwrap(), "the seller could not put up its bond: the account is empty");
}

#[test]
fn a_bond_that_comes_after_the_buyer_has_gone_begins_nothing() {
    let mut seller = Seller::under(rules());
    seller.offer(1);
    seller.did();
    seller.hear(2, ServiceMessage::Cancel(Cancel { contract: id(1) }));
    assert_eq!(seller.did(), [Reports(1, Outcome::Cancelled)]);
    seller.answer(BankOutcome::Accepted(Signed::new(receipt(), &keys(9))));
    assert_eq!(seller.did(), []);
}
