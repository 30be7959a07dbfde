//! What each end of a contract has to give to whom, worked out a second time from the rule in words
//! (`docs/bank/deals.md`), and not with the bank's code.

use proto::message::bank::{How, Shares};
use proto::message::market::Ticket;
use proto::{Cycles, Money, PublicKey};

/// How much of a hold a penalty gives its buyer at most, in percent (`reference/ledger.md` §3, 7 and 9).
const COMPENSATION: i128 = 10;
/// Cycles of a Gc, the unit of prices.
const GIGA: i128 = 1_000_000_000;

/// What stands at stake in a contract when it ends, in micro-credits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Stakes {
    pub(super) amount: i128,
    pub(super) bond: i128,
    pub(super) deposit: i128,
    pub(super) stake: i128,
}

/// What was agreed, and what was metered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bill {
    pub(super) owner: PublicKey,
    clearing: i128,
    fee: i128,
    owner_rate: i128,
    cycles: i128,
}

/// Who gains how much by the end of a contract, what it had set aside for it taken off, in micro-credits: a loss is negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gains {
    /// Who pays for work.
    pub buyer: i128,
    /// Who works.
    pub seller: i128,
    /// Who made the match.
    pub owner: i128,
    /// Who did the work again.
    pub arbiter: i128,
    /// The bank's own account.
    pub pool: i128,
}

impl Gains {
    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            buyer: self.buyer + other.buyer,
            seller: self.seller + other.seller,
            owner: self.owner + other.owner,
            arbiter: self.arbiter + other.arbiter,
            pool: self.pool + other.pool,
        }
    }
}

impl Bill {
    pub(super) fn of(ticket: &Ticket, cycles: Cycles) -> Self {
        Self {
            owner: ticket.owner.key,
            clearing: ticket.clearing.0.into(),
            fee: ticket.fee.0.into(),
            owner_rate: ticket.owner_rate.0.into(),
            cycles: cycles.0.into(),
        }
    }

    /// To seller and owner, as far as `amount` goes: first the fee, then the work, then the owner's part of it.
    pub(super) fn pay(&self, amount: i128) -> (i128, i128) {
        let fee = self.fee.min(amount);
        let seller = (self.clearing * self.cycles / GIGA).min(amount - fee);
        let part = (self.owner_rate * self.cycles / GIGA).min(amount - fee - seller);
        (seller, fee + part)
    }

    /// What the cycles cost: what whoever disputes them puts up, at least one and at most the hold.
    pub(super) fn deposit(&self, amount: i128) -> i128 {
        (self.clearing * self.cycles / GIGA).min(amount).max(1)
    }
}

/// The bond of a hold of `amount`, rounded up.
pub(super) fn bond(amount: i128, percent: u16) -> i128 {
    (amount * i128::from(percent) + 99) / 100
}

/// Who gains what. `None` for an end that needs a bill and has none. Who gives in while an arbiter works pays it.
pub(super) fn gains(how: How, at: &Stakes, bill: Option<&Bill>, has_arbiter: bool) -> Option<Gains> {
    let compensation = at.amount * COMPENSATION / 100;
    let fee = if has_arbiter { at.deposit } else { 0 };
    let gains = match how {
        How::Expired => Gains::default(),
        How::Released => {
            let by_seller = fee.min(at.bond + at.stake);
            Gains { buyer: by_seller - fee, seller: -by_seller, arbiter: fee, ..Gains::default() }
        }
        How::Settled => {
            let gains = paid(at, bill?);
            Gains { buyer: gains.buyer - fee, arbiter: fee, ..gains }
        }
        How::Lapsed | How::Undecided => paid(at, bill?),
        How::NoShow => {
            let buyer = (at.bond / 2).min(compensation);
            Gains { buyer, seller: -at.bond, pool: at.bond - buyer, ..Gains::default() }
        }
        How::Upheld => {
            let gains = paid(at, bill?);
            Gains { buyer: gains.buyer - at.deposit, arbiter: at.deposit, ..gains }
        }
        How::Overturned => {
            let forfeit = at.bond + at.stake;
            let by_seller = forfeit.min(at.deposit);
            let to_buyer = (forfeit - by_seller).min(compensation);
            Gains {
                buyer: to_buyer - (at.deposit - by_seller),
                seller: -forfeit,
                arbiter: at.deposit,
                pool: forfeit - by_seller - to_buyer,
                ..Gains::default()
            }
        }
    };
    Some(gains)
}

fn paid(at: &Stakes, bill: &Bill) -> Gains {
    let (seller, owner) = bill.pay(at.amount);
    Gains { buyer: -(seller + owner), seller, owner, ..Gains::default() }
}

/// What a record says that each gains.
pub(super) fn told(shares: &Shares) -> Gains {
    let money = |amount: Money| i128::from(amount.0);
    Gains {
        buyer: money(shares.buyer) - money(shares.buyer_held),
        seller: money(shares.seller) - money(shares.seller_held),
        owner: money(shares.owner),
        arbiter: money(shares.arbiter),
        pool: money(shares.pool),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A hold of 1,000 with a bond of 200, disputed for 300, which takes 100 beside the bond.
    const AT: Stakes = Stakes { amount: 1_000, bond: 200, deposit: 300, stake: 100 };
    const BILL: Bill =
        Bill { owner: PublicKey([3; 32]), clearing: 150, fee: 7, owner_rate: 10, cycles: 2 * GIGA };

    fn check(how: How, at: Stakes, [buyer, seller, owner, arbiter, pool]: [i128; 5]) {
        let gains = Gains { buyer, seller, owner, arbiter, pool };
        assert_eq!(gains_of(how, at), gains, "{how:?}");
        assert_eq!(buyer + seller + owner + arbiter + pool, 0, "{how:?}");
    }

    fn gains_of(how: How, at: Stakes) -> Gains {
        gains(how, &at, Some(&BILL), false).unwrap()
    }

    #[test]
    fn each_end_moves_exactly_this() {
        check(How::Settled, AT, [-327, 300, 27, 0, 0]);
        check(How::Lapsed, AT, [-327, 300, 27, 0, 0]);
        check(How::Undecided, AT, [-327, 300, 27, 0, 0]);
        check(How::Released, AT, [0; 5]);
        check(How::Expired, AT, [0; 5]);
        check(How::NoShow, AT, [100, -200, 0, 0, 100]);
        check(How::NoShow, Stakes { bond: 301, ..AT }, [100, -301, 0, 0, 201]);
        check(How::NoShow, Stakes { bond: 101, ..AT }, [50, -101, 0, 0, 51]);
        check(How::Upheld, AT, [-627, 300, 27, 300, 0]);
        check(How::Overturned, AT, [0, -300, 0, 300, 0]);
        check(How::Overturned, Stakes { bond: 500, stake: 0, ..AT }, [100, -500, 0, 300, 100]);
        check(How::Overturned, Stakes { bond: 0, stake: 40, ..AT }, [-260, -40, 0, 300, 0]);
    }

    #[test]
    fn who_gives_in_while_an_arbiter_works_pays_it() {
        let given_in = |how, at: Stakes| gains(how, &at, Some(&BILL), true).unwrap();
        let settled = Gains { buyer: -627, seller: 300, owner: 27, arbiter: 300, pool: 0 };
        assert_eq!(given_in(How::Settled, AT), settled);
        let released = Gains { seller: -300, arbiter: 300, ..Gains::default() };
        assert_eq!(given_in(How::Released, AT), released);
        let poor = Gains { buyer: -260, seller: -40, arbiter: 300, ..Gains::default() };
        assert_eq!(given_in(How::Released, Stakes { bond: 0, stake: 40, ..AT }), poor);
    }

    #[test]
    fn a_hold_bounds_what_is_paid_from_it() {
        check(How::Settled, Stakes { amount: 310, ..AT }, [-310, 300, 10, 0, 0]);
        check(How::Settled, Stakes { amount: 5, ..AT }, [-5, 0, 5, 0, 0]);
        assert_eq!([AT.amount, 250, 0].map(|amount| BILL.deposit(amount)), [300, 250, 1]);
        assert_eq!([1_000, 1_001, 1].map(|amount| bond(amount, 10)), [100, 101, 1]);
        assert_eq!(gains(How::Lapsed, &AT, None, false), None);
    }
}
