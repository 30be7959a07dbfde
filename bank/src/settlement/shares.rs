//! Who gets how much at the end of a deal. Each of these is a row of the table in [`crate::deal`].
//!
//! What the two have set aside is the hold and the deposit of the buyer, and the bond and the stake of the seller.

use crate::deal::{Claimed, Deal, Price};
use proto::message::bank::{Ending, How, Shares};
use proto::{Cycles, Money, Span};

/// How much of a hold a penalty gives its buyer at most, in percent (`reference/ledger.md` §3, 7 and 9): no more, so that
/// nobody lives on accusing.
pub const COMPENSATION_PERCENT: u64 = 10;

/// The shortest time that buyer or arbiter have to answer, whatever the rules say.
pub(crate) const MIN_ANSWER: Span = Span::secs(1);

/// The bond for a hold of `amount`: so many per cent of it, rounded up; one that cannot be counted is as much as can.
#[must_use]
pub fn bond(amount: Money, percent: u16) -> Money {
    let bond = (u128::from(amount.0) * u128::from(percent)).div_ceil(100);
    Money(u64::try_from(bond).unwrap_or(u64::MAX))
}

/// What a buyer puts up to dispute `claim`: what the reported cycles cost, at least something, and at most as much as
/// the hold, so that a report of absurd cycles cannot make an objection too dear.
pub(crate) fn deposit(deal: &Deal, claim: &Claimed) -> Money {
    claim.price.clearing.cost(claim.cycles).min(deal.hold.amount).max(Money(1))
}

/// What the seller puts up for the same beside its bond, of what it has `available`.
pub(crate) fn stake(deal: &Deal, deposit: Money, available: Money) -> Money {
    Money(deposit.0.saturating_sub(deal.bond.0)).min(available)
}

/// The buyer accepted the work. If it does so while an arbiter works, it pays the arbiter: who objects in vain has the
/// same costs whenever it gives in.
pub(crate) fn settled(deal: &Deal, price: &Price, cycles: Cycles) -> Ending {
    let mut end = paid(deal, How::Settled, price, cycles);
    if deal.arbiter().is_some() {
        paid_by_buyer(deal, &mut end);
    }
    end
}

/// The money goes back to its buyer on the seller's word. If that comes while an arbiter works, the seller pays the
/// arbiter, but nothing beyond: giving in is cheaper than being refuted.
pub(crate) fn released(deal: &Deal) -> Ending {
    let mut end = given_back(deal, How::Released);
    if deal.arbiter().is_some() {
        paid_by_seller(deal, &mut end);
    }
    end
}

/// The money goes back to its buyer because its time is over.
pub(crate) fn expired(deal: &Deal) -> Ending {
    given_back(deal, How::Expired)
}

/// The buyer took the outputs and said nothing more.
pub(crate) fn lapsed(deal: &Deal, claim: &Claimed) -> Ending {
    paid(deal, How::Lapsed, &claim.price, claim.cycles)
}

/// No arbiter answered: as if nobody had objected.
pub(crate) fn undecided(deal: &Deal, claim: &Claimed) -> Ending {
    paid(deal, How::Undecided, &claim.price, claim.cycles)
}

/// The seller put a bond up and delivered nothing: the buyer has half of it, rounded down, and the pool the rest.
pub(crate) fn no_show(deal: &Deal) -> Ending {
    let mut end = given_back(deal, How::NoShow);
    let compensation = Money(deal.bond.0 / 2).min(most_compensation(deal));
    end.shares.buyer.0 = end.shares.buyer.0.saturating_add(compensation.0);
    end.shares.seller.0 = end.shares.seller.0.saturating_sub(deal.bond.0);
    end.shares.pool = Money(deal.bond.0.saturating_sub(compensation.0));
    end
}

/// A second execution came to the same: as if the buyer had accepted, and its deposit is the arbiter's.
pub(crate) fn upheld(deal: &Deal, claim: &Claimed) -> Ending {
    let mut end = paid(deal, How::Upheld, &claim.price, claim.cycles);
    paid_by_buyer(deal, &mut end);
    end
}

/// A second execution came to something else. The arbiter is paid by the seller as far as its stake and bond go, and
/// beyond by the buyer; of what is left of the bond the buyer is compensated, and the pool has the rest.
pub(crate) fn overturned(deal: &Deal) -> Ending {
    let mut end = given_back(deal, How::Overturned);
    paid_by_seller(deal, &mut end);
    let left = end.shares.seller;
    let compensation = left.min(most_compensation(deal));
    end.shares.seller = Money::ZERO;
    end.shares.buyer.0 = end.shares.buyer.0.saturating_add(compensation.0);
    end.shares.pool = Money(left.0.saturating_sub(compensation.0));
    end
}

/// The arbiter gets the buyer's deposit.
fn paid_by_buyer(deal: &Deal, end: &mut Ending) {
    let fee = deal.deposit();
    end.arbiter = deal.arbiter();
    end.shares.arbiter = fee;
    end.shares.buyer.0 = end.shares.buyer.0.saturating_sub(fee.0);
}

/// The arbiter gets the same from what the seller has put up, as far as that goes, and beyond from the buyer.
fn paid_by_seller(deal: &Deal, end: &mut Ending) {
    let fee = deal.deposit();
    let by_seller = fee.min(end.shares.seller);
    end.arbiter = deal.arbiter();
    end.shares.arbiter = fee;
    end.shares.seller.0 = end.shares.seller.0.saturating_sub(by_seller.0);
    end.shares.buyer.0 = end.shares.buyer.0.saturating_sub(fee.0.saturating_sub(by_seller.0));
}

const fn most_compensation(deal: &Deal) -> Money {
    Money(
        deal.hold.amount.0 / 100 * COMPENSATION_PERCENT
            + deal.hold.amount.0 % 100 * COMPENSATION_PERCENT / 100,
    )
}

/// The hold is shared out for `cycles`: first the fee, then the metered cycles at the clearing price, then the same
/// cycles at the owner's rate, as far as the hold goes; the rest goes back. Each of the two costs is rounded down once,
/// in favour of the buyer ([`proto::Rate::cost`]). All else goes back to who put it up.
fn paid(deal: &Deal, how: How, price: &Price, cycles: Cycles) -> Ending {
    let mut end = given_back(deal, how);
    let amount = deal.hold.amount;
    let fee = price.fee.min(amount);
    let after_fee = Money(amount.0 - fee.0);
    let pay = price.clearing.cost(cycles).min(after_fee);
    let after_pay = Money(after_fee.0 - pay.0);
    let share = price.owner_rate.cost(cycles).min(after_pay);
    end.owner = Some(price.owner);
    end.shares.owner = Money(fee.0 + share.0);
    end.shares.seller.0 = end.shares.seller.0.saturating_add(pay.0);
    end.shares.buyer.0 = end.shares.buyer.0.saturating_sub(pay.0 + fee.0 + share.0);
    end
}

fn given_back(deal: &Deal, how: How) -> Ending {
    let hold = &deal.hold;
    let of_buyer = Money(hold.amount.0.saturating_add(deal.deposit().0));
    let of_seller = Money(deal.bond.0.saturating_add(deal.stake().0));
    let shares = Shares {
        buyer_held: of_buyer,
        seller_held: of_seller,
        buyer: of_buyer,
        seller: of_seller,
        ..Shares::default()
    };
    Ending { hold: hold.id, how, buyer: hold.buyer, seller: hold.seller, owner: None, arbiter: None, shares }
}
