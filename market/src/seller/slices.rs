//! What there is to sell, and the slices of it that are kept or in use.

use crate::Supply;
use proto::{Bundle, CommandId, Commodity, PublicKey, Time};
use std::collections::BTreeMap;

/// A part of a seller's machine that is kept for one ticket or used by its contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slice {
    /// What of it.
    pub part: Bundle,
    /// For whom.
    pub buyer: PublicKey,
    /// When the reservation ends; `None` once a contract uses the slice.
    pub until: Option<Time>,
}

/// The supply and its slices.
#[derive(Debug, Default)]
pub(crate) struct Slices {
    supply: Option<Supply>,
    pub(crate) kept: BTreeMap<CommandId, Slice>,
    /// The most that may be in slices now: the supply, or what was in slices when it shrank.
    pub(crate) ceiling: Bundle,
}

impl Slices {
    pub(crate) const fn supply(&self) -> Option<&Supply> {
        self.supply.as_ref()
    }

    /// What is in slices.
    pub(crate) fn held(&self) -> Bundle {
        self.kept.values().fold(Bundle::default(), |sum, slice| sum.plus(slice.part))
    }

    /// All that there is, in slices or not.
    pub(crate) fn whole(&self) -> Bundle {
        self.supply.as_ref().map_or_else(Bundle::default, Supply::whole)
    }

    /// What may be sold: nothing where the supply has shrunk below what is in slices.
    pub(crate) fn free_part(&self) -> Bundle {
        self.whole().minus(self.held())
    }

    /// What of that is offered in the market of `commodity`.
    pub(crate) fn offered(&self, commodity: Commodity) -> Bundle {
        let offered = |supply: &Supply| supply.offered(commodity, self.free_part());
        self.supply.as_ref().map_or_else(Bundle::default, offered)
    }

    /// Takes over what there is to sell. Whose owner sells nothing any more keeps only what contracts use: nobody
    /// comes in on a reservation.
    pub(crate) fn set_supply(&mut self, supply: Option<Supply>) {
        if supply.is_none() {
            self.kept.retain(|_, slice| slice.until.is_none());
        }
        self.supply = supply;
        self.lower_ceiling();
    }

    /// Whether exactly this part is in a slice of this ticket and buyer.
    pub(crate) fn is_kept_for(&self, ticket: CommandId, buyer: PublicKey, part: Bundle) -> bool {
        self.kept.get(&ticket).is_some_and(|slice| (slice.buyer, slice.part) == (buyer, part))
    }

    /// Keeps `part` for `ticket`; `false` when it is empty or not free, or the ticket has a slice.
    pub(crate) fn reserve(&mut self, ticket: CommandId, buyer: PublicKey, part: Bundle, until: Time) -> bool {
        let is_some = part != Bundle::default();
        let is_free = is_some && self.free_part().holds(part) && !self.kept.contains_key(&ticket);
        if is_free {
            self.kept.insert(ticket, Slice { part, buyer, until: Some(until) });
        }
        is_free
    }

    /// Keeps a reserved slice until `until`; `false` when a contract uses it, or none is kept for this buyer.
    pub(crate) fn extend(&mut self, ticket: CommandId, buyer: PublicKey, part: Bundle, until: Time) -> bool {
        match self.kept.get_mut(&ticket) {
            Some(Slice { part: kept, buyer: by, until: Some(end) }) if (*kept, *by) == (part, buyer) => {
                *end = until.max(*end);
                true
            }
            _ => false,
        }
    }

    pub(crate) fn take(&mut self, ticket: CommandId) {
        if let Some(slice) = self.kept.get_mut(&ticket) {
            slice.until = None;
        }
    }

    /// A contract of a former run uses `part`, whatever is for sale by now.
    pub(crate) fn retake(&mut self, ticket: CommandId, buyer: PublicKey, part: Bundle) {
        self.kept.insert(ticket, Slice { part, buyer, until: None });
        self.lower_ceiling();
    }

    /// Whether there was a slice to free.
    pub(crate) fn free(&mut self, ticket: CommandId) -> bool {
        let is_freed = self.kept.remove(&ticket).is_some();
        self.lower_ceiling();
        is_freed
    }

    /// The buyers whose reservations end at `now` without having been taken.
    pub(crate) fn lapsed(&self, now: Time) -> Vec<PublicKey> {
        let has_lapsed = |slice: &&Slice| slice.until.is_some_and(|until| until <= now);
        self.kept.values().filter(has_lapsed).map(|slice| slice.buyer).collect()
    }

    /// Frees what was reserved and not taken in time; whether there was any.
    pub(crate) fn purge(&mut self, now: Time) -> bool {
        let before = self.kept.len();
        self.kept.retain(|_, slice| slice.until.is_none_or(|until| until > now));
        let is_purged = self.kept.len() < before;
        if is_purged {
            self.lower_ceiling();
        }
        is_purged
    }

    pub(crate) fn next_due(&self) -> Option<Time> {
        self.kept.values().filter_map(|slice| slice.until).min()
    }

    fn lower_ceiling(&mut self) {
        let (whole, held) = (self.whole(), self.held());
        self.ceiling = Bundle {
            cores: whole.cores.max(held.cores),
            memory: whole.memory.max(held.memory),
            disk: whole.disk.max(held.disk),
        };
    }
}
