//! The fingers: shortcuts across the circle (ToN IV-D).

use crate::interval::{distance, log2};
use crate::successors::Successors;
use proto::{Peer, RingId};

/// Bits of an id.
const BITS: u32 = 160;

/// The distinct fingers beyond the successor list, about log2 N of them.
///
/// Finger `e` is the first node at or after `me + 2^e`. Where several exponents have the same node, only
/// the lowest is kept.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fingers {
    entries: Vec<(u32, Peer)>,
    next: u32,
}

impl Fingers {
    /// The fingers, nearest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Peer> {
        let before = std::iter::once(None).chain(self.entries.iter().map(|(_, peer)| Some(peer.id())));
        let is_new = |((_, peer), last): &(&(u32, Peer), Option<RingId>)| Some(peer.id()) != *last;
        self.entries.iter().zip(before).filter(is_new).map(|((_, peer), _)| *peer)
    }

    /// Which finger to refresh now, if the successor list does not name everybody anyway.
    pub(crate) fn due(&mut self, me: RingId, successors: &Successors) -> Option<u32> {
        let covered = distance(me, successors.last().id());
        let lowest = if successors.wraps() { BITS } else { log2(covered).map_or(0, |top| top + 1) };
        self.entries.retain(|(exponent, _)| *exponent >= lowest);
        let exponent = if self.next < BITS { self.next.max(lowest) } else { lowest };
        (exponent < BITS).then_some(exponent)
    }

    /// Takes `owner` as finger `exponent`.
    pub(crate) fn set(&mut self, me: RingId, exponent: u32, owner: Peer) {
        let reach = log2(distance(me, owner.id())).filter(|reach| *reach >= exponent);
        let Some(reach) = reach else {
            self.entries.retain(|(other, _)| *other < exponent);
            self.next = 0;
            return;
        };
        self.entries.retain(|(other, _)| *other < exponent || *other > reach);
        let place = self.entries.partition_point(|(other, _)| *other < exponent);
        self.entries.insert(place, (exponent, owner));
        self.next = if reach + 1 < BITS { reach + 1 } else { 0 };
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
