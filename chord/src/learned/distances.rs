//! How far other nodes are: round-trip times and how much they vary.

use crate::dice::Dice;
use proto::{RingId, Span};
use std::collections::BTreeMap;

/// How many nodes are measured at a time; one at random makes room for another.
const MAX_DISTANCES: usize = 512;
/// Nobody is asked for less patience than this.
const MIN_PATIENCE: Span = Span::millis(10);

/// Round-trip times by node.
#[derive(Clone, Debug, Default)]
pub(crate) struct Distances {
    nodes: BTreeMap<RingId, Distance>,
    /// Of anybody: what is expected of a node that has not been measured.
    anybody: Option<Distance>,
}

/// Smoothed mean and mean deviation, in µs (RFC 6298, 2).
#[derive(Clone, Copy, Debug)]
struct Distance {
    mean: u64,
    deviation: u64,
}

impl Distance {
    const fn new(sample: u64) -> Self {
        Self { mean: sample, deviation: sample / 2 }
    }

    const fn add(&mut self, sample: u64) {
        let off = self.mean.abs_diff(sample);
        self.deviation = self.deviation - self.deviation / 4 + off / 4;
        self.mean = self.mean - self.mean / 8 + sample / 8;
    }

    /// The mean and four deviations.
    fn patience(self) -> Span {
        let likely = self.mean.saturating_add(self.deviation.saturating_mul(4));
        Span(likely).max(MIN_PATIENCE)
    }
}

impl Distances {
    /// Takes one measurement.
    pub(crate) fn note(&mut self, node: RingId, round_trip: Span, dice: &mut Dice) {
        let Span(sample) = round_trip;
        self.anybody.get_or_insert(Distance::new(sample)).add(sample);
        if let Some(known) = self.nodes.get_mut(&node) {
            return known.add(sample);
        }
        if self.nodes.len() >= MAX_DISTANCES
            && let Some(victim) = any_key(&self.nodes, dice)
        {
            self.nodes.remove(&victim);
        }
        self.nodes.insert(node, Distance::new(sample));
    }

    /// The smoothed round-trip time.
    pub(crate) fn mean(&self, node: RingId) -> Option<Span> {
        self.nodes.get(&node).map(|known| Span(known.mean))
    }

    /// The time within which an answer is likely; none if nobody has been measured.
    pub(crate) fn patience(&self, node: RingId) -> Option<Span> {
        self.nodes.get(&node).copied().or(self.anybody).map(Distance::patience)
    }

    pub(crate) fn forget(&mut self, node: RingId) {
        self.nodes.remove(&node);
    }

    /// Bytes on the heap; the tree's own are estimated as half as much again.
    pub(crate) fn footprint(&self) -> usize {
        self.nodes.len() * size_of::<(RingId, Distance)>() * 3 / 2
    }
}

/// A key near a random point.
pub(super) fn any_key<V>(map: &BTreeMap<RingId, V>, dice: &mut Dice) -> Option<RingId> {
    let mut point = [0; 20];
    for (place, byte) in point.iter_mut().zip(dice.roll().to_be_bytes()) {
        *place = byte;
    }
    map.range(RingId(point)..).next().or_else(|| map.first_key_value()).map(|(key, _)| *key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(samples: &[u64], mean: u64, patience: u64) {
        let (node, mut dice) = (RingId([1; 20]), Dice::new([0; 32]));
        let mut distances = Distances::default();
        for sample in samples {
            distances.note(node, Span(*sample), &mut dice);
        }
        assert_eq!(distances.mean(node), Some(Span(mean)), "{samples:?}");
        assert_eq!(distances.patience(node), Some(Span(patience)), "{samples:?}");
    }

    #[test]
    fn patience_is_the_mean_and_four_deviations_but_never_below_ten_milliseconds() {
        check(&[80_000], 80_000, 240_000);
        check(&[80_000, 80_000], 80_000, 200_000);
        check(&[80_000, 160_000], 90_000, 290_000);
        check(&[100], 104 - 4, 10_000);
    }

    #[test]
    fn no_more_nodes_are_measured_than_there_is_room_for() {
        let mut dice = Dice::new([0; 32]);
        let mut distances = Distances::default();
        for n in 0..2_000_u32 {
            distances.note(RingId::hash(&n.to_be_bytes()), Span(1), &mut dice);
        }
        assert_eq!(distances.nodes.len(), MAX_DISTANCES);
    }
}
