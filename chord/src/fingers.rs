//! The fingers: shortcuts across the circle (ToN IV-D).

use crate::handle::Handle;
use crate::interval::{distance, log2};
use crate::successors::Successors;
use proto::RingId;

/// Bits of an id.
const BITS: u32 = 160;

/// The distinct fingers beyond the successor list, about log2 N of them, nearest first.
///
/// Finger `e` is the first node at or after `me + 2^e`. Where several exponents have the same node, it is kept once;
/// the highest of them is its *reach*, the exponent of the largest power of two up to which it is away. So no two
/// fingers have the same reach, and the exponents need not be kept.
#[derive(Clone, Debug)]
pub(crate) struct Fingers<P> {
    peers: Vec<P>,
    next: u32,
}

impl<P: Handle> Fingers<P> {
    pub(crate) const fn new() -> Self {
        Self { peers: Vec::new(), next: 0 }
    }

    /// Distinct fingers, nearest first.
    pub(crate) fn from_peers(peers: &[P]) -> Self {
        Self { peers: peers.to_vec(), next: 0 }
    }

    /// Bytes on the heap.
    pub(crate) fn footprint(&self) -> usize {
        self.peers.capacity() * size_of::<P>()
    }

    /// The fingers, nearest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = P> {
        self.peers.iter().copied()
    }

    /// The fingers that lie before a point, the nearest to it first.
    pub(crate) fn before(&self, is_before: impl Fn(P) -> bool) -> impl Iterator<Item = P> {
        let end = self.peers.partition_point(|peer| is_before(*peer));
        self.peers.iter().take(end).rev().copied()
    }

    /// Which finger to refresh now, if the successor list does not name everybody anyway.
    pub(crate) fn due(&mut self, me: RingId, successors: &Successors<P>) -> Option<u32> {
        let covered = distance(me, successors.last().id());
        let lowest = if successors.wraps() { BITS } else { log2(covered).map_or(0, |top| top + 1) };
        self.peers.retain(|peer| reach(me, *peer).is_some_and(|reach| reach >= lowest));
        let exponent = if self.next < BITS { self.next.max(lowest) } else { lowest };
        (exponent < BITS).then_some(exponent)
    }

    /// Takes `owner` as finger `exponent`.
    pub(crate) fn set(&mut self, me: RingId, exponent: u32, owner: P) {
        let far = |peer: &P| reach(me, *peer).unwrap_or(0);
        let Some(top) = reach(me, owner).filter(|top| *top >= exponent) else {
            self.peers.retain(|peer| far(peer) < exponent);
            self.next = 0;
            return;
        };
        self.peers.retain(|peer| far(peer) < exponent || far(peer) > top);
        let place = self.peers.partition_point(|peer| far(peer) < exponent);
        self.peers.reserve_exact(1);
        self.peers.insert(place, owner);
        self.next = if top + 1 < BITS { top + 1 } else { 0 };
    }

    /// Goes on to the next finger after one that could not be found.
    pub(crate) fn skip(&mut self, exponent: u32) {
        self.next = if exponent + 1 < BITS { exponent + 1 } else { 0 };
    }

    /// Removes a node that is gone.
    pub(crate) fn remove(&mut self, gone: RingId) {
        self.peers.retain(|peer| peer.id() != gone);
    }
}

/// The highest exponent that a node is a finger for; none for the node itself.
pub(crate) fn reach<P: Handle>(me: RingId, peer: P) -> Option<u32> {
    log2(distance(me, peer.id()))
}
