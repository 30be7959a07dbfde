//! Whom a node of a repaired ring knows.

use chord::Neighbours;
use chord::interval::{distance, log2};
use proto::message::chord::Place;
use proto::{Peer, RingId};

/// Bits of an id.
const BITS: u32 = 160;

/// The nodes in the order of their ids.
pub(crate) struct Circle {
    sorted: Vec<Peer>,
    places: Vec<Place<Peer>>,
}

impl Circle {
    /// A circle of `peers`; if they are at most `view`, each knows all.
    pub(crate) fn new(mut peers: Vec<Peer>, view: usize) -> Self {
        peers.sort_unstable_by_key(|peer| peer.id());
        let before = peers.last().into_iter().chain(&peers);
        let places = peers.iter().zip(before).map(|(node, before)| Place { node: *node, after: before.id() });
        let places = if peers.len() <= view { places.collect() } else { Vec::new() };
        Self { sorted: peers, places }
    }

    pub(crate) fn len(&self) -> usize {
        self.sorted.len()
    }

    /// The node at `place`, counted around the circle.
    pub(crate) fn at(&self, place: usize) -> Option<Peer> {
        self.sorted.get(place.checked_rem(self.sorted.len())?).copied()
    }

    /// The first node at or after a point.
    fn owner(&self, point: RingId) -> Option<Peer> {
        self.at(self.sorted.partition_point(|peer| peer.id() < point))
    }

    /// The successors of the node at `place`, and its fingers beyond them.
    pub(crate) fn known(&self, place: usize, count: usize) -> Option<(Vec<Peer>, Vec<Peer>)> {
        let me = self.at(place)?;
        let others = self.sorted.len().saturating_sub(1);
        let successors: Vec<Peer> =
            (1..=count.min(others).max(1)).filter_map(|step| self.at(place + step)).collect();
        let last = successors.last().copied().unwrap_or(me);
        let first = log2(distance(me.id(), last.id())).filter(|_| successors.len() == count);
        let mut fingers = Vec::new();
        let mut exponent = first.map_or(BITS, |top| top + 1);
        while exponent < BITS
            && let Some(owner) = self.owner(me.id().plus_power(exponent))
            && let Some(reach) = log2(distance(me.id(), owner.id())).filter(|reach| *reach >= exponent)
        {
            fingers.push(owner);
            exponent = reach + 1;
        }
        Some((successors, fingers))
    }

    /// The same with all that goes along.
    pub(crate) fn neighbours<'a>(
        &'a self,
        place: usize,
        known: &'a (Vec<Peer>, Vec<Peer>),
    ) -> Option<Neighbours<'a>> {
        let predecessor = self.at(place + self.sorted.len().saturating_sub(1))?;
        let (successors, fingers) = known;
        Some(Neighbours { predecessor, successors, fingers, places: &self.places, alternates: &[] })
    }
}
