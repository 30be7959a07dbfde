//! `bounds`: what the end of a contract may cost whoever follows the protocol (`docs/bank/deals.md`, who can lose what).
//!
//! An honest buyer that gets what it ordered pays its price; one that does not gets its money back, but for an arbiter
//! whom the seller cannot pay; where nobody judges, or judges falsely, it loses what the seller claimed, and its deposit
//! at most. An honest seller loses nothing, unless an arbiter judges falsely. Owners, arbiters and the pool only gain.

use super::case::{Buyer, Roles, Seller};
use super::docket::Closed;
use super::shares::{self, Bill, Gains};
use crate::invariant::{Breach, Checked};
use proto::message::bank::How;

/// What is known of a contract beside what the bank knows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts<'a> {
    pub(super) roles: Roles,
    /// What work that is right costs; `None` if what was reported is not.
    pub(super) right: Option<&'a Bill>,
    /// Whether who judged it is honest, if anybody has.
    pub(super) is_judge_honest: bool,
}

/// Checks the end of a contract.
pub(super) fn check(facts: &Facts<'_>, closed: &Closed) -> Checked {
    let gains = shares::told(&closed.ending.shares);
    let how = closed.ending.how;
    let fail = |who: &str, limit: i128| {
        let (contract, how) = (closed.ending.hold, how.name());
        Breach::new(
            "bounds",
            format!("contract {contract} was {how}, and costs {who} more than {limit}: {gains:?}"),
        )
    };
    let hold = |is_kept: bool, who: &str, limit: i128| if is_kept { Ok(()) } else { Err(fail(who, limit)) };
    hold(sum(&gains) == 0, "nobody knows whom", 0)?;
    hold(gains.owner >= 0 && gains.arbiter >= 0 && gains.pool >= 0, "an owner, an arbiter or the pool", 0)?;
    if facts.roles.buyer == Buyer::OwnSeller {
        hold(gains.buyer + gains.seller <= 0, "others than who trades with itself", 0)?;
    }
    if facts.roles.seller.is_honest() && is_seller_safe(how, facts) {
        hold(gains.seller >= 0 && how != How::NoShow, "an honest seller", 0)?;
        let price = closed.entry.bill.as_ref().map_or(0, |bill| bill.pay(closed.entry.at.amount).0);
        hold(!how.is_paid() || gains.seller >= price, "an honest seller its price, which is", price)?;
    }
    if facts.roles.buyer.is_honest() {
        let limit = buyer_limit(how, facts, closed);
        hold(-gains.buyer <= limit, "an honest buyer", limit)?;
    }
    Ok(())
}

const fn sum(gains: &Gains) -> i128 {
    gains.buyer + gains.seller + gains.owner + gains.arbiter + gains.pool
}

/// Whether a seller that follows the protocol cannot lose by this end.
const fn is_seller_safe(how: How, facts: &Facts<'_>) -> bool {
    facts.is_judge_honest || !matches!(how, How::Overturned)
}

/// The most that an honest buyer may lose, in micro-credits.
fn buyer_limit(how: How, facts: &Facts<'_>, closed: &Closed) -> i128 {
    let at = &closed.entry.at;
    let price = |bill: &Bill| {
        let (seller, owner) = bill.pay(at.amount);
        seller + owner
    };
    let claimed = closed.entry.bill.as_ref().map_or(0, price);
    match how {
        How::Expired | How::Released | How::NoShow => 0,
        How::Overturned => (at.deposit - at.bond - at.stake).max(0),
        // Nobody but the seller sees that right outputs are withheld: an arbiter comes to the same.
        How::Upheld if facts.roles.seller == Seller::Withholding || !facts.is_judge_honest => {
            claimed + at.deposit
        }
        How::Settled | How::Upheld => facts.right.map_or(0, price),
        How::Lapsed if facts.roles.buyer == Buyer::Broke => claimed,
        How::Lapsed => facts.right.map_or(0, price),
        How::Undecided => claimed,
    }
}
