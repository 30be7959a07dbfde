//! The fingers: shortcuts across the circle (ToN IV-D).

use crate::handle::Handle;
use crate::interval::{distance, log2};
use crate::successors::Successors;
use proto::RingId;

/// Bits of an id.
const BITS: u32 = 160;

/// The distinct fingers beyond the successor list, about log2 N of them.
///
/// Finger `e` is the first node at or after `me + 2^e`. Where several exponents have the same node, only
/// the lowest is kept.
#[derive(Clone, Debug)]
pub(crate) struct Fingers<P> {
    entries: Vec<(u32, P)>,
    next: u32,
}

impl<P: Handle> Fingers<P> {
    pub(crate) const fn new() -> Self {
        Self { entries: Vec::new(), next: 0 }
    }

    /// Fingers by their exponents, ascending and distinct.
    pub(crate) fn from_entries(entries: &[(u32, P)]) -> Self {
        Self { entries: entries.to_vec(), next: 0 }
    }

    /// Bytes on the heap.
    pub(crate) fn footprint(&self) -> usize {
        self.entries.capacity() * size_of::<(u32, P)>()
    }

    /// The fingers, nearest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = P> {
        let before = std::iter::once(None).chain(self.entries.iter().map(|(_, peer)| Some(peer.id())));
        let is_new = |((_, peer), last): &(&(u32, P), Option<RingId>)| Some(peer.id()) != *last;
        self.entries.iter().zip(before).filter(is_new).map(|((_, peer), _)| *peer)
    }

    /// The fingers that lie before a point, the nearest to it first.
    pub(crate) fn before(&self, is_before: impl Fn(P) -> bool) -> impl Iterator<Item = P> {
        let end = self.entries.partition_point(|(_, peer)| is_before(*peer));
        self.entries.iter().take(end).rev().map(|(_, peer)| *peer)
    }

    /// Which finger to refresh now, if the successor list does not name everybody anyway.
    pub(crate) fn due(&mut self, me: RingId, successors: &Successors<P>) -> Option<u32> {
        let covered = distance(me, successors.last().id());
        let lowest = if successors.wraps() { BITS } else { log2(covered).map_or(0, |top| top + 1) };
        self.entries.retain(|(exponent, _)| *exponent >= lowest);
        let exponent = if self.next < BITS { self.next.max(lowest) } else { lowest };
        (exponent < BITS).then_some(exponent)
    }

    /// Takes `owner` as finger `exponent`.
    pub(crate) fn set(&mut self, me: RingId, exponent: u32, owner: P) {
        let reach = log2(distance(me, owner.id())).filter(|reach| *reach >= exponent);
        let Some(reach) = reach else {
            self.entries.retain(|(other, _)| *other < exponent);
            self.next = 0;
            return;
        };
        self.entries.retain(|(other, _)| *other < exponent || *other > reach);
        let place = self.entries.partition_point(|(other, _)| *other < exponent);
        self.entries.reserve_exact(1);
        self.entries.insert(place, (exponent, owner));
        self.next = if reach + 1 < BITS { reach + 1 } else { 0 };
    }

    /// The exponent of a finger.
    pub(crate) fn exponent(&self, peer: P) -> Option<u32> {
        self.entries.iter().find(|(_, finger)| *finger == peer).map(|(exponent, _)| *exponent)
    }

    /// Goes on to the next finger after one that could not be found.
    pub(crate) fn skip(&mut self, exponent: u32) {
        self.next = if exponent + 1 < BITS { exponent + 1 } else { 0 };
    }

    /// Removes a node that is gone.
    pub(crate) fn remove(&mut self, gone: RingId) {
        self.entries.retain(|(_, peer)| peer.id() != gone);
    }
}
