//! Every end of a contract, with who gets how much to the micro-credit.
//!
//! The contract is of 5 credits; the report of 2 Gc at 2 credits each, so that a paid seller gets 4, the market owner
//! 0.01, the buyer 0.99 back, and a second execution costs 4.

use super::{AMOUNT, Act, Court, GRANT, OWNER};
use crate::papers::Deal;
use crate::world::{BANK, key};
use proto::message::bank::{BankOutcome, How, Shares};
use proto::{Cycles, Money};

/// Shares without an arbiter: held of buyer and seller, then to buyer, seller, owner and pool.
const fn shares(held: (u64, u64), buyer: u64, seller: u64, owner: u64, pool: u64) -> Shares {
    Shares {
        buyer_held: Money(held.0),
        seller_held: Money(held.1),
        buyer: Money(buyer),
        seller: Money(seller),
        owner: Money(owner),
        arbiter: Money(0),
        pool: Money(pool),
    }
}

/// The same, with an arbiter that is paid.
const fn judged(arbiter: u64, shares: Shares) -> Shares {
    Shares { arbiter: Money(arbiter), ..shares }
}

/// Lets a contract with bonds of so many percent go this way, and checks how it ends, who gets what, what everybody has
/// then, that a replayed ledger and an auditor come to the same, and what is said of the seller.
fn check(bond_percent: u16, acts: &[Act], how: How, expected: Shares) {
    check_over(Deal::default(), bond_percent, acts, how, expected);
}

fn check_over(deal: Deal, bond_percent: u16, acts: &[Act], how: How, expected: Shares) {
    let mut court = Court::over(bond_percent, deal);
    court.acts(acts);
    let ending = court.ending().unwrap_or_else(|| panic!("{acts:?}: it has not ended"));
    assert_eq!((ending.how, ending.shares), (how, expected), "{acts:?}");
    assert!(ending.shares.is_balanced(), "{acts:?}");
    let gains = [
        (1, i128::from(expected.buyer.0) - i128::from(expected.buyer_held.0)),
        (2, i128::from(expected.seller.0) - i128::from(expected.seller_held.0)),
        (5, i128::from(expected.arbiter.0)),
    ];
    for (who, gain) in gains {
        let has = court.world.money(who).map(|(available, held)| (i128::from(available), held));
        assert_eq!(has, Some((i128::from(GRANT) + gain, 0)), "{acts:?}: person {who}");
    }
    for (who, gain) in [(OWNER, expected.owner.0), (BANK, expected.pool.0)] {
        assert_eq!(court.world.money(who).unwrap_or_default(), (gain, 0), "{acts:?}: person {who}");
    }
    let journal = court.world.journal.clone();
    let same = (court.world.bank.totals(), court.world.bank.head());
    assert_eq!(bank::audit(key(BANK), journal), Ok(same), "{acts:?}");
}

use Act::{Accept, Claim, Confirm, Deliver, Dispute, Enter, Refute, Release, Settle, Unfetched, Wait};

#[test]
fn a_settlement_pays_in_every_state_and_gives_back_what_was_put_up() {
    let paid = shares((AMOUNT, 0), 990_000, 4_000_000, 10_000, 0);
    let bonded = shares((AMOUNT, 2_000_000), 990_000, 6_000_000, 10_000, 0);
    let disputed = shares((9_000_000, 4_000_000), 4_990_000, 8_000_000, 10_000, 0);
    for who in [1, 2] {
        check(0, &[Settle(who)], How::Settled, paid);
        check(40, &[Settle(who)], How::Settled, paid);
        check(40, &[Accept, Settle(who)], How::Settled, bonded);
        check(40, &[Accept, Deliver, Settle(who)], How::Settled, bonded);
        check(40, &[Accept, Deliver, Claim, Settle(who)], How::Settled, bonded);
        check(0, &[Claim, Dispute, Settle(who)], How::Settled, disputed);
        check(40, &[Accept, Claim, Dispute, Settle(who)], How::Settled, disputed);
    }
}

#[test]
fn a_release_gives_everything_back_in_every_state() {
    for who in [1, 2] {
        check(0, &[Release(who)], How::Released, shares((AMOUNT, 0), AMOUNT, 0, 0, 0));
        let bonded = shares((AMOUNT, 2_000_000), AMOUNT, 2_000_000, 0, 0);
        check(40, &[Accept, Release(who)], How::Released, bonded);
        check(40, &[Accept, Deliver, Release(who)], How::Released, bonded);
        let disputed = shares((9_000_000, 4_000_000), 9_000_000, 4_000_000, 0, 0);
        check(40, &[Accept, Claim, Dispute, Release(who)], How::Released, disputed);
    }
}

#[test]
fn whoever_gives_in_while_an_arbiter_works_pays_it() {
    let way = |end: Act| [Accept, Claim, Dispute, Enter(5), end];
    for who in [1, 2] {
        let settled = shares((9_000_000, 4_000_000), 990_000, 8_000_000, 10_000, 0);
        check(40, &way(Settle(who)), How::Settled, judged(4_000_000, settled));
        let released = shares((9_000_000, 4_000_000), 9_000_000, 0, 0, 0);
        check(40, &way(Release(who)), How::Released, judged(4_000_000, released));
        let large = shares((9_000_000, 10_000_000), 9_000_000, 6_000_000, 0, 0);
        check(200, &way(Release(who)), How::Released, judged(4_000_000, large));
    }
}

#[test]
fn silence_costs_whoever_should_have_moved() {
    check(0, &[Wait(61)], How::Expired, shares((AMOUNT, 0), AMOUNT, 0, 0, 0));
    check(40, &[Wait(61)], How::Expired, shares((AMOUNT, 0), AMOUNT, 0, 0, 0));
    check(0, &[Deliver, Wait(61)], How::Expired, shares((AMOUNT, 0), AMOUNT, 0, 0, 0));
    let kept = shares((AMOUNT, 2_000_000), AMOUNT, 2_000_000, 0, 0);
    check(40, &[Accept, Deliver, Wait(61)], How::Expired, kept);
    let lapsed = shares((AMOUNT, 2_000_000), 990_000, 6_000_000, 10_000, 0);
    check(40, &[Accept, Claim, Wait(601)], How::Lapsed, lapsed);
    check(40, &[Accept, Deliver, Wait(59), Claim, Wait(601)], How::Lapsed, lapsed);
    check(0, &[Claim, Wait(601)], How::Lapsed, shares((AMOUNT, 0), 990_000, 4_000_000, 10_000, 0));
}

#[test]
fn a_seller_that_does_not_show_up_loses_its_bond_and_the_buyer_gets_a_tenth_of_the_hold_at_most() {
    // Half of a bond of 0.1 is less than a tenth of the hold, half of 2 more.
    let small = shares((AMOUNT, 100_000), 5_050_000, 0, 0, 50_000);
    check(2, &[Accept, Wait(61)], How::NoShow, small);
    let large = shares((AMOUNT, 2_000_000), 5_500_000, 0, 0, 1_500_000);
    check(40, &[Accept, Wait(61)], How::NoShow, large);
    let twofold = shares((AMOUNT, 10_000_000), 5_500_000, 0, 0, 9_500_000);
    check(200, &[Accept, Wait(61)], How::NoShow, twofold);
}

#[test]
fn a_dispute_is_paid_by_the_loser() {
    let dispute = |end: Act| [Enter(5), Claim, Dispute, end];
    let bonded = |end: Act| [Enter(5), Accept, Claim, Dispute, end];
    // Without a bond the seller's stake is all of the fee, with one the rest of it, and with a large one nothing.
    let upheld = shares((9_000_000, 4_000_000), 990_000, 8_000_000, 10_000, 0);
    for end in [Confirm(5), Unfetched(5)] {
        check(0, &dispute(end.clone()), How::Upheld, judged(4_000_000, upheld));
        check(40, &bonded(end.clone()), How::Upheld, judged(4_000_000, upheld));
        let large = shares((9_000_000, 5_000_000), 990_000, 9_000_000, 10_000, 0);
        check(100, &bonded(end), How::Upheld, judged(4_000_000, large));
    }
    let overturned = shares((9_000_000, 4_000_000), 9_000_000, 0, 0, 0);
    check(0, &dispute(Refute(5)), How::Overturned, judged(4_000_000, overturned));
    check(40, &bonded(Refute(5)), How::Overturned, judged(4_000_000, overturned));
    // Of a bond of 4.25 there are 0.25 left for the buyer; of one of 10 six, of which it gets a tenth of the hold.
    let rest = shares((9_000_000, 4_250_000), 9_250_000, 0, 0, 0);
    check(85, &bonded(Refute(5)), How::Overturned, judged(4_000_000, rest));
    let large = shares((9_000_000, 10_000_000), 9_500_000, 0, 0, 5_500_000);
    check(200, &bonded(Refute(5)), How::Overturned, judged(4_000_000, large));
}

#[test]
fn a_dispute_that_nobody_decides_is_paid_as_claimed_and_costs_nothing() {
    let undecided = shares((9_000_000, 4_000_000), 4_990_000, 8_000_000, 10_000, 0);
    check(0, &[Claim, Dispute, Wait(31)], How::Undecided, undecided);
    check(40, &[Accept, Claim, Dispute, Wait(31)], How::Undecided, undecided);
    check(40, &[Enter(5), Accept, Claim, Dispute, Wait(601)], How::Undecided, undecided);
    check(0, &[Enter(1), Enter(2), Claim, Dispute, Wait(31)], How::Undecided, undecided);
    // The arbiter may be found as long as the bank looks for one.
    let upheld = shares((9_000_000, 4_000_000), 990_000, 8_000_000, 10_000, 0);
    check(0, &[Claim, Dispute, Wait(29), Enter(5), Confirm(5)], How::Upheld, judged(4_000_000, upheld));
}

#[test]
fn a_buyer_whose_seller_is_broke_pays_the_second_execution() {
    for (left, stake, bond_percent) in [(0, 0, 0), (1_500_000, 1_500_000, 0), (3_000_000, 1_000_000, 40)] {
        let mut court = Court::new(bond_percent);
        let bond = u64::from(bond_percent) * AMOUNT / 100;
        court.acts(&[Enter(5)]);
        let spent = GRANT - left;
        court.world.held(2, 60, crate::world::hold(6, proto::Hash([9; 32]), spent, 9_000));
        if bond > 0 {
            court.acts(&[Accept]);
        }
        court.acts(&[Claim, Dispute, Refute(5)]);
        let paid = stake + bond;
        let expected = shares((9_000_000, paid), 5_000_000 + paid, 0, 0, 0);
        let ending = court.ending().unwrap();
        assert_eq!((ending.how, ending.shares), (How::Overturned, judged(4_000_000, expected)), "{left}");
        assert_eq!(court.world.money(2), Some((left - paid, spent)), "{left}");
    }
}

#[test]
fn a_second_execution_costs_something_and_never_more_than_the_hold() {
    let dispute = [Enter(5), Claim, Dispute, Confirm(5)];
    let nothing = Deal { cycles: Cycles(0), ..Deal::default() };
    let expected = shares((AMOUNT + 1, 1), 4_990_000, 1, 10_000, 0);
    check_over(nothing, 0, &dispute, How::Upheld, judged(1, expected));
    let absurd = Deal { cycles: Cycles(u64::MAX), ..Deal::default() };
    let expected = shares((2 * AMOUNT, AMOUNT), 0, 2 * AMOUNT - 10_000, 10_000, 0);
    check_over(absurd, 0, &dispute, How::Upheld, judged(AMOUNT, expected));
}

#[test]
fn a_checkpoint_keeps_the_bond_and_is_paid_on_the_buyers_word_only() {
    let blob = proto::message::service::Blob { hash: proto::Hash([3; 32]), size: proto::Bytes(7) };
    let migrated =
        || Deal { outcome: proto::message::service::Outcome::Migrated(blob.into()), ..Deal::default() };
    let kept = shares((AMOUNT, 2_000_000), AMOUNT, 2_000_000, 0, 0);
    check_over(migrated(), 40, &[Accept, Claim, Wait(61)], How::Expired, kept);
    let paid = shares((AMOUNT, 2_000_000), 990_000, 6_000_000, 10_000, 0);
    check_over(migrated(), 40, &[Accept, Claim, Settle(2)], How::Settled, paid);
}

#[test]
fn a_settlement_says_what_it_moved_of_the_hold_itself() {
    for way in [vec![Accept], vec![Accept, Claim, Dispute], vec![Enter(5), Accept, Claim, Dispute]] {
        let mut court = Court::new(40);
        court.acts(&way);
        let Some(BankOutcome::Settled(receipt)) = court.act(&Settle(2)) else { panic!("not settled") };
        let moved = (receipt.seller_paid.0, receipt.owner_paid.0, receipt.returned.0);
        assert_eq!(moved, (4_000_000, 10_000, 990_000), "{way:?}");
    }
}
