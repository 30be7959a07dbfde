//! What there is to sell, and the slices of it that are kept or in use.

use crate::Supply;
use proto::{CommandId, PublicKey, Time};
use std::collections::BTreeMap;

/// A part of a seller's cores that is kept for one ticket or used by its contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slice {
    /// How many cores.
    pub cores: u32,
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
    /// The most cores that may be in slices now: the supply, or what was in slices when it shrank.
    pub(crate) ceiling: u32,
}

impl Slices {
    pub(crate) const fn supply(&self) -> Option<&Supply> {
        self.supply.as_ref()
    }

    /// Cores in slices.
    pub(crate) fn held(&self) -> u32 {
        self.kept.values().fold(0, |sum, slice| sum.saturating_add(slice.cores))
    }

    /// Cores that may be sold: none where the supply has shrunk below what is in slices.
    pub(crate) fn free_cores(&self) -> u32 {
        self.supply.as_ref().map_or(0, |supply| supply.cores).saturating_sub(self.held())
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

    /// Whether exactly these cores are in a slice of this ticket and buyer.
    pub(crate) fn is_kept_for(&self, ticket: CommandId, buyer: PublicKey, cores: u32) -> bool {
        self.kept.get(&ticket).is_some_and(|slice| (slice.buyer, slice.cores) == (buyer, cores))
    }

    /// Keeps `cores` for `ticket`; `false` when they are not free or the ticket has a slice.
    pub(crate) fn reserve(&mut self, ticket: CommandId, buyer: PublicKey, cores: u32, until: Time) -> bool {
        let is_free = cores > 0 && cores <= self.free_cores() && !self.kept.contains_key(&ticket);
        if is_free {
            self.kept.insert(ticket, Slice { cores, buyer, until: Some(until) });
        }
        is_free
    }

    /// Keeps a reserved slice until `until`; `false` when a contract uses it, or none is kept for this buyer.
    pub(crate) fn extend(&mut self, ticket: CommandId, buyer: PublicKey, cores: u32, until: Time) -> bool {
        match self.kept.get_mut(&ticket) {
            Some(Slice { cores: kept, buyer: by, until: Some(end) }) if (*kept, *by) == (cores, buyer) => {
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
        self.ceiling = self.supply.as_ref().map_or(0, |supply| supply.cores).max(self.held());
    }
}
