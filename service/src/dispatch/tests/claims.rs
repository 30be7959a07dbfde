//! What a buyer does when a seller claims its price, and what its user is told.

use super::delivery::{fetching, rejected};
use super::*;
use Did::{Disputes, Keeps, Says, Settles, Tells, Warns};
use proto::message::bank::{ClaimReceipt, DisputeReceipt, Ending, How, Shares};

const UNTIL: Time = Time(600_000_000);

fn claim(buyer: &Buyer) -> ClaimReceipt {
    let report = buyer.report(Outcome::Succeeded).hash();
    ClaimReceipt { hold: buyer.contract(), report, is_taken: true, until: UNTIL }
}

/// With a rejected result whose price the seller claims.
fn disputing() -> Buyer {
    let mut buyer = rejected();
    let claim = claim(&buyer);
    buyer.dispatch.claimed(claim);
    // What the arbiter will fetch is kept.
    assert_eq!(buyer.did(), [Keeps(vec![30]), Disputes]);
    assert!(buyer.dispatch.has_contract(claim.hold) && buyer.dispatch.is_busy());
    buyer
}

fn disputed() -> Buyer {
    let mut buyer = disputing();
    let hold = buyer.contract();
    let receipt = DisputeReceipt { hold, deposit: Money(70), stake: Money(0) };
    buyer.answer(BankOutcome::Disputed(receipt));
    assert_eq!(buyer.did(), [Tells("disputed for 0.00007".into())]);
    buyer
}

fn ending(hold: ContractId, how: How, held: u64, back: u64) -> Ending {
    let (all, back) = (Money(held), Money(back));
    let seller = Money(all.0.saturating_sub(back.0));
    let shares = Shares { buyer_held: all, buyer: back, seller, ..Shares::default() };
    let parties = (peer(2).key, peer(1).key);
    Ending { hold, how, buyer: parties.0, seller: parties.1, owner: None, arbiter: None, shares }
}

#[test]
fn the_claim_of_a_rejected_result_is_disputed_once() {
    let mut buyer = disputed();
    let claim = claim(&buyer);
    // The bank gives notice again and again while the contract is open.
    buyer.dispatch.claimed(claim);
    assert_eq!(buyer.did(), []);
}

/// What a buyer does at a notice like this one.
fn check_notice(mut buyer: Buyer, change: fn(&mut ClaimReceipt), expected: &[Did]) {
    let mut notice = claim(&buyer);
    change(&mut notice);
    buyer.dispatch.claimed(notice);
    assert_eq!(buyer.did(), expected);
}

#[test]
fn a_notice_that_costs_nothing_or_is_about_something_else_is_not_disputed() {
    check_notice(rejected(), |claim| claim.is_taken = false, &[]);
    check_notice(rejected(), |claim| claim.report = Hash([0; 32]), &[]);
    // Its outputs are on their way, and it will be paid or rejected then.
    check_notice(fetching(), |_| {}, &[]);
    // The user hears of what the node knows nothing of.
    check_notice(rejected(), |claim| claim.hold = id(9), &[Warns]);
}

#[test]
fn an_unknown_claim_is_told_once() {
    let mut buyer = rejected();
    let notice = ClaimReceipt { hold: id(9), ..claim(&buyer) };
    buyer.dispatch.claimed(notice);
    assert_eq!(buyer.did(), [Warns]);
    buyer.dispatch.claimed(notice);
    assert_eq!(buyer.did(), []);
}

#[test]
fn what_is_claimed_while_it_is_fetched_is_paid_or_disputed_when_that_has_ended() {
    let mut paid = fetching();
    let notice = claim(&paid);
    paid.dispatch.claimed(notice);
    paid.fetched(Ok(()));
    assert_eq!(paid.did(), [Says { is_accepted: true }, Settles]);
    let mut lost = fetching();
    lost.dispatch.claimed(notice);
    for _ in 0..2 {
        lost.fetched(Err("gone".into()));
        lost.pass(Span::secs(2));
    }
    lost.fetched(Err("gone".into()));
    assert!(lost.did().contains(&Disputes));
    assert!(lost.dispatch.has_contract(notice.hold));
}

#[test]
fn a_dispute_that_lacks_money_is_tried_at_each_notice_and_told_once() {
    let mut buyer = disputing();
    buyer.refuse(RefusalCode::NotEnoughMoney);
    assert_eq!(buyer.did(), [Tells("not disputed: no".into())]);
    for _ in 0..2 {
        let notice = claim(&buyer);
        buyer.dispatch.claimed(notice);
        assert_eq!(buyer.did(), [Keeps(vec![30]), Disputes]);
        buyer.refuse(RefusalCode::NotEnoughMoney);
        assert_eq!(buyer.did(), []);
    }
}

#[test]
fn a_dispute_that_is_refused_for_good_is_over() {
    for code in [RefusalCode::HoldClosed, RefusalCode::WrongState, RefusalCode::Malformed] {
        let mut buyer = disputing();
        let contract = buyer.contract();
        buyer.refuse(code);
        assert_eq!(buyer.did(), [Tells("not disputed: no".into())]);
        assert!(!buyer.dispatch.has_contract(contract));
    }
}

/// What the user is told of the end of a dispute, and what the task has cost then.
fn check_ended(how: How, back: u64, expected: &str, spent: u64) {
    let mut buyer = disputed();
    let contract = buyer.contract();
    buyer.dispatch.ended(&ending(contract, how, 1_000_070, back), buyer.now);
    assert_eq!(buyer.did(), [Tells(expected.into())]);
    assert_eq!(buyer.dispatch.tally(TASK).unwrap().spent, Money(spent));
    assert!(!buyer.dispatch.has_contract(contract));
    // It is told once.
    buyer.dispatch.ended(&ending(contract, how, 1_000_070, back), buyer.now);
    assert_eq!(buyer.did(), []);
}

#[test]
fn the_user_is_told_how_a_dispute_has_ended_and_what_it_has_cost() {
    check_ended(How::Upheld, 989_990, "upheld, 0.01008 lost", 10_080);
    check_ended(How::Overturned, 1_000_070, "overturned, 0 lost", 0);
    // A bond compensates.
    check_ended(How::Overturned, 1_100_000, "overturned, 0 lost", 0);
    check_ended(How::Undecided, 990_070, "undecided, 0.01 lost", 10_000);
}

#[test]
fn an_end_of_somebody_elses_contract_changes_nothing() {
    let mut buyer = disputed();
    let contract = buyer.contract();
    let strange = Ending { buyer: peer(5).key, ..ending(contract, How::Upheld, 5, 0) };
    buyer.dispatch.ended(&strange, buyer.now);
    assert_eq!(buyer.did(), []);
    assert!(buyer.dispatch.has_contract(contract));
}

#[test]
fn a_rejected_result_is_forgotten_when_nobody_can_claim_for_it_any_more() {
    let mut buyer = rejected();
    let contract = buyer.contract();
    buyer.dispatch.cancel(TASK, buyer.now);
    buyer.pass(CLOSES.since(buyer.now).plus(Span::secs(3_599)));
    assert_eq!(buyer.dispatch.objections.len(), 1);
    assert!(!buyer.dispatch.has_contract(contract), "it is remembered, and not open");
    buyer.pass(Span::secs(2));
    assert_eq!(buyer.dispatch.objections.len(), 0);
}
