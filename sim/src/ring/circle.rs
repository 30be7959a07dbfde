//! All nodes in the order of the circle: who really answers for a key, and whom a node of a repaired ring knows.

use super::number::Number;
use chord::interval::{distance, log2};
use chord::{Config, Handle as _, Neighbours};
use proto::message::chord::Place;
use proto::{RingId, Span};

/// Bits of an id.
const BITS: u32 = 160;

/// Nodes sorted by their places.
pub(crate) struct Circle {
    sorted: Vec<(u64, Number)>,
}

/// The neighbours of one node; buffers that are used again.
pub(crate) struct Known {
    places: Vec<Place<Number>>,
    successors: Vec<Number>,
    fingers: Vec<Number>,
    alternates: Vec<Vec<(Number, Span)>>,
}

impl Circle {
    pub(crate) fn new(nodes: impl IntoIterator<Item = Number>) -> Self {
        let mut sorted: Vec<(u64, Number)> = nodes.into_iter().map(|node| (node.prefix(), node)).collect();
        sorted.sort_unstable();
        Self { sorted }
    }

    pub(crate) fn nodes(&self) -> impl Iterator<Item = Number> {
        self.sorted.iter().map(|(_, node)| *node)
    }

    /// Whom the node at `place` knows in a repaired ring whose nodes work in this way. `way` is how long a message
    /// takes from one to the other.
    pub(crate) fn neighbours<'a>(
        &self,
        place: usize,
        config: &Config,
        way: impl Fn(Number, Number) -> Span,
        known: &'a mut Known,
    ) -> Neighbours<'a, Number> {
        let (r, proximity) = (config.successors, config.routing.proximity);
        let me = self.at(place);
        let count = self.sorted.len();
        known.successors.clear();
        known
            .successors
            .extend((1..=r.min(count.saturating_sub(1)).max(1)).map(|step| self.at(place + step)));
        known.fingers.clear();
        known.alternates.clear();
        let last = known.successors.last().copied().unwrap_or(me);
        let mut exponent = match log2(distance(me.id(), last.id())) {
            Some(top) if known.successors.len() == r => top + 1,
            _ => BITS,
        };
        while exponent < BITS {
            let owner = self.owner(me.id().plus_power(exponent));
            let Some(reach) = log2(distance(me.id(), owner.id())).filter(|reach| *reach >= exponent) else {
                break;
            };
            known.fingers.push(owner);
            if proximity > 0 {
                let first = self.place_of(owner.id());
                let near = (first..=first + proximity).map(|place| self.at(place));
                let near = near.take_while(|peer| *peer != me);
                let round_trip = |peer: Number| (peer, way(me, peer).times(2));
                known.alternates.push(near.map(round_trip).collect());
            }
            exponent = reach + 1;
        }
        let predecessor = self.at(place + count.saturating_sub(1));
        Neighbours {
            predecessor,
            successors: &known.successors,
            fingers: &known.fingers,
            alternates: &known.alternates,
            places: &known.places,
        }
    }

    /// A buffer for the neighbours of nodes that know all members, if they are at most `view`.
    pub(crate) fn known(&self, view: usize) -> Known {
        let is_seen = self.sorted.len() <= view;
        let before = self.nodes().last().into_iter().chain(self.nodes());
        let places = self.nodes().zip(before).map(|(node, before)| Place { node, after: before.id() });
        let places = places.take(if is_seen { usize::MAX } else { 0 });
        Known {
            successors: Vec::new(),
            fingers: Vec::new(),
            alternates: Vec::new(),
            places: places.collect(),
        }
    }

    /// Each node with the length of the arc that it answers for, in units of the first 64 bits.
    pub(crate) fn arcs(&self) -> impl Iterator<Item = (Number, u64)> {
        let last = self.sorted.last().map(|(prefix, _)| *prefix);
        let before = last.into_iter().chain(self.sorted.iter().map(|(prefix, _)| *prefix));
        self.sorted.iter().zip(before).map(|((prefix, node), before)| (*node, prefix.wrapping_sub(before)))
    }

    /// How many nodes are asked for `key` until its predecessor is reached, when every finger is right and there is
    /// no successor list.
    pub(crate) fn hops(&self, origin: Number, key: RingId) -> u32 {
        let owner = self.owner(key);
        let (mut here, mut hops) = (origin, 0);
        while self.owner(here.id().plus_power(0)) != owner && hops < BITS {
            let way = distance(here.id(), key);
            let is_before = |peer: &Number| *peer != here && distance(here.id(), peer.id()) < way;
            let mut exponents = (0..=log2(way).unwrap_or(0)).rev();
            let next = exponents
                .find_map(|exponent| Some(self.owner(here.id().plus_power(exponent))).filter(is_before));
            let Some(next) = next else { break };
            (here, hops) = (next, hops + 1);
        }
        hops
    }

    /// The first node at or after a point.
    pub(crate) fn owner(&self, point: RingId) -> Number {
        self.at(self.place_of(point))
    }

    fn place_of(&self, point: RingId) -> usize {
        // Places are even, so that the number is known but for its chance: within four deviations almost always.
        let prefix = prefix_of(point);
        let count = self.sorted.len();
        let guess = (u128::from(prefix) * count as u128) >> 64;
        let guess = usize::try_from(guess).unwrap_or(0);
        let margin = 2 * count.isqrt() + 2;
        let (from, to) = (guess.saturating_sub(margin), (guess + margin).min(count));
        let is_before = |(other, _): &(u64, Number)| *other < prefix;
        let window = self.sorted.get(from..to).unwrap_or_default();
        let within = window.partition_point(is_before);
        let is_inside = (within > 0 || from == 0) && (within < window.len() || to == count);
        if is_inside { from + within } else { self.sorted.partition_point(is_before) }
    }

    /// The node at `place`, counted around the circle.
    fn at(&self, place: usize) -> Number {
        let place = place.checked_rem(self.sorted.len()).unwrap_or(0);
        self.sorted.get(place).map_or(Number(0), |(_, node)| *node)
    }
}

/// The first 64 bits of a point: no two nodes share theirs, and a key lies on a node's with a chance of 2^-64.
pub(crate) fn prefix_of(point: RingId) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = point.0;
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}
