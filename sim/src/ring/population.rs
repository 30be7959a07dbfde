//! The nodes of a run: those that live, by number; and who among them is a member, by place.

use super::circle::prefix_of;
use super::number::Number;
use super::slab::{Slab, index};
use crate::dice::Dice;
use chord::Chord;
use chord::check::View;
use proto::RingId;
use std::collections::BTreeMap;

/// Nobody.
const NONE: u32 = u32::MAX;
/// Tries to draw a member before the first one is taken.
const DRAWS: usize = 64;

pub(crate) struct Slot {
    pub(crate) node: Chord<Number>,
    /// When it is to be woken; `u64::MAX` for never.
    pub(crate) wake: u64,
    /// Lookups that it has begun and that have not ended.
    pub(crate) asking: u32,
    /// Its place among the living.
    place: u32,
}

pub(crate) struct Population {
    first: u32,
    slots: Slab<Slot>,
    /// The slot of every node that ever was, by its number less `first`.
    slot_of: Vec<u32>,
    living: Vec<Number>,
    members: BTreeMap<u64, Number>,
}

impl Population {
    /// Nobody yet; numbers start at `first`, and with them the places on the circle.
    pub(crate) const fn new(first: u32) -> Self {
        Self { first, slots: Slab::new(), slot_of: Vec::new(), living: Vec::new(), members: BTreeMap::new() }
    }

    /// The number of the next node that comes.
    pub(crate) fn next(&self) -> Number {
        Number(self.first.wrapping_add(u32::try_from(self.slot_of.len()).unwrap_or(NONE)))
    }

    /// Adds the node with the [`Self::next`] number.
    pub(crate) fn add(&mut self, node: Chord<Number>) {
        let number = self.next();
        let place = u32::try_from(self.living.len()).unwrap_or(NONE);
        self.living.push(number);
        self.slot_of.push(self.slots.keep(Slot { node, wake: u64::MAX, asking: 0, place }));
    }

    pub(crate) fn slot(&self, number: Number) -> Option<&Slot> {
        self.slots.get(self.slot_of.get(self.at(number)).copied()?)
    }

    pub(crate) fn slot_mut(&mut self, number: Number) -> Option<&mut Slot> {
        let slot = self.slot_of.get(self.at(number)).copied()?;
        self.slots.get_mut(slot)
    }

    /// A node is gone, and everything of it.
    pub(crate) fn remove(&mut self, number: Number) -> Option<Slot> {
        let at = self.at(number);
        let slot = std::mem::replace(self.slot_of.get_mut(at)?, NONE);
        let gone = self.slots.take(slot)?;
        self.members.remove(&number.prefix());
        let place = index(gone.place);
        if place < self.living.len() {
            self.living.swap_remove(place);
        }
        if let Some(moved) = self.living.get(place).copied()
            && let Some(slot) = self.slot_mut(moved)
        {
            slot.place = gone.place;
        }
        Some(gone)
    }

    pub(crate) fn living(&self) -> &[Number] {
        &self.living
    }

    pub(crate) fn joined(&mut self, number: Number) {
        self.members.insert(number.prefix(), number);
    }

    pub(crate) fn fell_out(&mut self, number: Number) {
        self.members.remove(&number.prefix());
    }

    pub(crate) fn members(&self) -> usize {
        self.members.len()
    }

    /// A random member.
    pub(crate) fn anybody(&self, dice: &mut Dice) -> Option<Number> {
        let count = u64::try_from(self.living.len()).unwrap_or(0);
        for _ in 0..DRAWS {
            let number = self.living.get(usize::try_from(dice.below(count)).unwrap_or(0)).copied()?;
            if self.members.contains_key(&number.prefix()) {
                return Some(number);
            }
        }
        self.members.values().next().copied()
    }

    /// Who really answers for a key.
    pub(crate) fn owner(&self, key: RingId) -> Option<Number> {
        let mut after = self.members.range(prefix_of(key)..);
        after.next().or_else(|| self.members.iter().next()).map(|(_, number)| *number)
    }

    /// All members, for the checker.
    pub(crate) fn views(&self) -> Vec<View> {
        let slots = self.members.values().filter_map(|number| self.slot(*number));
        slots.filter_map(|slot| slot.node.view()).collect()
    }

    /// Memory of all nodes' state, in bytes.
    pub(crate) fn footprint(&self) -> u64 {
        let slots = self.living.iter().filter_map(|number| self.slot(*number));
        slots.map(|slot| u64::try_from(slot.node.footprint()).unwrap_or(u64::MAX)).sum()
    }

    fn at(&self, number: Number) -> usize {
        index(number.0.wrapping_sub(self.first))
    }
}
