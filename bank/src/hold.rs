//! Holds: money of a buyer set aside for one attempt of one seller, until it is settled, released or expires.

use crate::check::Violation;
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

/// What one buyer has set aside, counted from the holds and not from the account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// How many holds.
    pub(crate) count: u64,
    /// Their sum in micro-credits.
    pub(crate) sum: i128,
}

/// The open holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Holds {
    open: BTreeMap<CommandId, Hold>,
    by_expiry: BTreeSet<(Time, CommandId)>,
    by_buyer: BTreeMap<PublicKey, Tally>,
    sum: i128,
}

impl Holds {
    /// The open hold with this id.
    pub(crate) fn find(&self, id: CommandId) -> Option<&Hold> {
        self.open.get(&id)
    }

    /// All open holds by id.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Hold> {
        self.open.values()
    }

    /// How many are open.
    pub(crate) fn count(&self) -> usize {
        self.open.len()
    }

    /// The sum of all that are open, in micro-credits.
    pub(crate) const fn sum(&self) -> i128 {
        self.sum
    }

    /// What `buyer` has set aside.
    pub(crate) fn tally(&self, buyer: PublicKey) -> Tally {
        self.by_buyer.get(&buyer).copied().unwrap_or_default()
    }

    /// The hold that expires first, with its moment; of several the one with the smallest id.
    pub(crate) fn first_expiry(&self) -> Option<(Time, CommandId)> {
        self.by_expiry.first().copied()
    }

    /// Opens a hold.
    pub(crate) fn place(&mut self, hold: Hold) -> Result<(), Violation> {
        if self.open.insert(hold.id, hold).is_some() {
            return Err(Violation::HoldTwice { hold: hold.id });
        }
        self.by_expiry.insert((hold.expires, hold.id));
        let tally = self.by_buyer.entry(hold.buyer).or_default();
        tally.count += 1;
        tally.sum += i128::from(hold.amount.0);
        self.sum += i128::from(hold.amount.0);
        Ok(())
    }

    /// Closes an open hold.
    pub(crate) fn close(&mut self, id: CommandId) -> Result<Hold, Violation> {
        let hold = self.open.remove(&id).ok_or(Violation::NoOpenHold { hold: id })?;
        self.by_expiry.remove(&(hold.expires, id));
        self.sum -= i128::from(hold.amount.0);
        if let Some(tally) = self.by_buyer.get_mut(&hold.buyer) {
            tally.count -= 1;
            tally.sum -= i128::from(hold.amount.0);
            if tally.count == 0 {
                self.by_buyer.remove(&hold.buyer);
            }
        }
        Ok(hold)
    }
}
