//! Holds: money of a buyer set aside for one attempt of one seller, until it is settled, released or expires.

use crate::check::Violation;
use crate::deal::Deal;
use proto::{CommandId, Hash, Money, PublicKey, Span, Time};
use std::collections::{BTreeMap, BTreeSet};

/// The shortest time a hold may be placed for.
pub const MIN_HOLD: Span = Span::secs(1);
/// The longest time a hold may be placed for.
pub const MAX_HOLD: Span = Span::secs(30 * 24 * 60 * 60);
/// How many holds of one account may be open at once.
pub const MAX_OPEN_HOLDS: u64 = 100_000;

/// A hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hold {
    /// Its id: that of the command which placed it.
    pub(crate) id: CommandId,
    /// Whose money.
    pub(crate) buyer: PublicKey,
    /// For whom.
    pub(crate) seller: PublicKey,
    /// Hash of the signed ticket.
    pub(crate) ticket: Hash,
    /// How much.
    pub(crate) amount: Money,
    /// From this moment on it is expired.
    pub(crate) expires: Time,
}

/// What one account has set aside, counted from the deals and not from the account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// How many holds it has placed.
    pub(crate) count: u64,
    /// How many of them it disputes.
    pub(crate) disputes: u64,
    /// Its holds and deposits as a buyer and its bonds and stakes as a seller, in micro-credits.
    pub(crate) sum: i128,
}

/// The open holds, with what was done about each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Holds {
    open: BTreeMap<CommandId, Deal>,
    by_deadline: BTreeSet<(Time, CommandId)>,
    by_account: BTreeMap<PublicKey, Tally>,
    /// Whom the bank waits for, the first deadline first.
    awaited: BTreeSet<(PublicKey, Time, CommandId)>,
    /// What is disputed.
    disputed: BTreeSet<(Named, CommandId)>,
    sum: i128,
}

/// Whether a dispute has an arbiter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Named {
    Nobody,
    Somebody,
}

impl Named {
    fn of(deal: &Deal) -> Option<Self> {
        deal.dispute().map(|dispute| if dispute.named.is_empty() { Self::Nobody } else { Self::Somebody })
    }
}

impl Holds {
    /// The open deal with this id.
    pub(crate) fn find(&self, id: CommandId) -> Option<&Deal> {
        self.open.get(&id)
    }

    /// All open deals by id.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Deal> {
        self.open.values()
    }

    /// How many are open.
    pub(crate) fn count(&self) -> usize {
        self.open.len()
    }

    /// The sum of all that is set aside in them, in micro-credits.
    pub(crate) const fn sum(&self) -> i128 {
        self.sum
    }

    /// What `account` has set aside.
    pub(crate) fn tally(&self, account: PublicKey) -> Tally {
        self.by_account.get(&account).copied().unwrap_or_default()
    }

    /// The deal that ends first, with its moment; of several the one with the smallest id.
    pub(crate) fn first_deadline(&self) -> Option<(Time, CommandId)> {
        self.by_deadline.first().copied()
    }

    /// The deals in which `account` is to move, the first deadline first ([`Deal::awaited`]).
    pub(crate) fn awaiting(&self, account: PublicKey) -> impl Iterator<Item = &Deal> {
        let (first, last) = (CommandId([0; 16]), CommandId([u8::MAX; 16]));
        let range = (account, Time(0), first)..=(account, Time(u64::MAX), last);
        self.awaited.range(range).filter_map(|(_, _, id)| self.open.get(id))
    }

    /// Whether anything is disputed.
    pub(crate) fn has_disputes(&self) -> bool {
        !self.disputed.is_empty()
    }

    /// The first `count` disputes for which no arbiter was found yet, by id.
    pub(crate) fn without_arbiter(&self, count: usize) -> Vec<CommandId> {
        let unnamed = self
            .disputed
            .range((Named::Nobody, CommandId([0; 16]))..=(Named::Nobody, CommandId([u8::MAX; 16])));
        unnamed.take(count).map(|(_, id)| *id).collect()
    }

    /// Opens a hold.
    pub(crate) fn place(&mut self, hold: Hold) -> Result<(), Violation> {
        self.insert(Deal::placed(hold))
    }

    /// Opens a deal that has come as far as it says.
    pub(crate) fn insert(&mut self, deal: Deal) -> Result<(), Violation> {
        let id = deal.hold.id;
        if self.open.contains_key(&id) {
            return Err(Violation::HoldTwice { hold: id });
        }
        self.by_deadline.insert((deal.deadline(), id));
        self.awaited.extend(deal.awaited().map(|account| (account, deal.deadline(), id)));
        self.disputed.extend(Named::of(&deal).map(|named| (named, id)));
        self.count_in(&deal, 1);
        self.open.insert(id, deal);
        Ok(())
    }

    /// Puts a deal in the place of what it was before.
    pub(crate) fn change(&mut self, deal: Deal) -> Result<(), Violation> {
        self.close(deal.hold.id)?;
        self.insert(deal)
    }

    /// Closes an open hold.
    pub(crate) fn close(&mut self, id: CommandId) -> Result<Hold, Violation> {
        let deal = self.open.remove(&id).ok_or(Violation::NoOpenHold { hold: id })?;
        self.by_deadline.remove(&(deal.deadline(), id));
        if let Some(account) = deal.awaited() {
            self.awaited.remove(&(account, deal.deadline(), id));
        }
        if let Some(named) = Named::of(&deal) {
            self.disputed.remove(&(named, id));
        }
        self.count_in(&deal, -1);
        Ok(deal.hold)
    }

    /// Counts a deal in its parties' tallies, or out of them.
    fn count_in(&mut self, deal: &Deal, sign: i8) {
        let (buyer, seller) = (deal.held_of_buyer(), deal.held_of_seller());
        let disputes = u64::from(deal.dispute().is_some());
        self.sum += i128::from(sign) * (buyer + seller);
        for (account, sum, count, disputes) in
            [(deal.hold.buyer, buyer, 1, disputes), (deal.hold.seller, seller, 0, 0)]
        {
            if (sum, count) == (0, 0) {
                continue;
            }
            let tally = self.by_account.entry(account).or_default();
            tally.sum += i128::from(sign) * sum;
            if sign > 0 {
                tally.count += count;
                tally.disputes += disputes;
            } else {
                tally.count -= count;
                tally.disputes -= disputes;
            }
            if *tally == Tally::default() {
                self.by_account.remove(&account);
            }
        }
    }
}
