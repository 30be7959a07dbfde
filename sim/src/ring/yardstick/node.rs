//! A node of plain Chord: small, in one piece, and everything it compares lies in it.

use std::collections::BTreeSet;
use std::ops::Range;

/// Bits of an id.
pub(super) const BITS: usize = 32;

/// A finger: how far away the node is, and its number.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Finger {
    pub(super) way: u32,
    pub(super) node: u32,
}

/// One node. Nodes are numbered in the order of their ids.
#[derive(Clone, Debug, Default)]
#[repr(C, align(64))]
pub(super) struct Node {
    pub(super) id: u32,
    pub(super) predecessor: u32,
    /// State of the generator of phases and keys.
    draws: u64,
    /// When the open request of each timer was made, one more than its time; 0 for none.
    pub(super) asked: [u32; 4],
    /// Which finger is fixed now.
    pub(super) fixing: u32,
    /// Finger `k` is the first node at or after `id + 2^k`; the first of them is the successor.
    pub(super) fingers: [Finger; BITS],
}

impl Node {
    /// The next number of the node's own generator.
    pub(super) const fn draw(&mut self) -> u64 {
        splitmix(&mut self.draws)
    }

    pub(super) const fn successor(&self) -> Finger {
        let [successor, ..] = self.fingers;
        successor
    }

    /// The nearest known node before a key that lies `way` ahead, beyond the successor.
    pub(super) fn closest_preceding(&self, way: u32) -> u32 {
        let top = way.wrapping_sub(1).checked_ilog2().map_or(0, |top| top as usize);
        let near = self.fingers.get(..=top).unwrap_or_default();
        let before = near.iter().rev().find(|finger| finger.way < way);
        before.unwrap_or(&self.fingers[0]).node
    }

    /// How far the finger reaches that [`Node::closest_preceding`] looks at first.
    pub(super) fn nearest_below(&self, way: u32) -> u32 {
        let top = way.wrapping_sub(1).checked_ilog2().map_or(0, |top| top as usize);
        self.fingers.get(top).map_or(0, |finger| finger.way)
    }

    /// Takes the answer for the finger that is being fixed.
    pub(super) fn fix(&mut self, owner: u32, owner_id: u32) {
        let way = owner_id.wrapping_sub(self.id);
        if let Some(finger) = self.fingers.get_mut(self.fixing as usize) {
            *finger = Finger { way: if way == 0 { u32::MAX } else { way }, node: owner };
        }
        self.fixing = (self.fixing + 1) % 32;
    }
}

/// The ids of a ring, ascending: the first distinct values of the generator.
pub(super) fn ids(count: u32, seed: u64) -> Vec<u32> {
    let mut state = seed;
    if count > 1 << 20 {
        return many_ids(count, state);
    }
    let mut ids = BTreeSet::new();
    while ids.len() < count as usize {
        ids.insert(low(splitmix(&mut state)));
    }
    ids.into_iter().collect()
}

/// The same, with one bit for every possible id instead of a tree.
fn many_ids(count: u32, mut state: u64) -> Vec<u32> {
    let mut is_taken = vec![0_u64; 1 << 26];
    let mut missing = count;
    while missing > 0 {
        let id = low(splitmix(&mut state));
        let Some(word) = is_taken.get_mut((id >> 6) as usize) else { break };
        let bit = 1 << (id & 63);
        missing -= u32::from(*word & bit == 0);
        *word |= bit;
    }
    let mut ids = Vec::with_capacity(count as usize);
    for (word, high) in is_taken.iter().zip(0_u32..) {
        ids.extend((0..64).filter(|bit| word >> bit & 1 == 1).map(|bit| high << 6 | bit));
    }
    ids
}

/// The nodes of these numbers in the perfect ring of these ids.
pub(super) fn perfect_ring(ids: &[u32], seed: u64, numbers: Range<u32>) -> Vec<Node> {
    let count = u32::try_from(ids.len()).unwrap_or(u32::MAX);
    let node = |(id, number): (&u32, u32)| {
        let mut node = Node { id: *id, predecessor: (number + count - 1) % count, ..Node::default() };
        node.draws = seed ^ 0xD134_2543_DE82_EF95_u64.wrapping_mul(u64::from(number) + 1);
        node.draw();
        for (finger, exponent) in node.fingers.iter_mut().zip(0..) {
            let point = id.wrapping_add(1 << exponent);
            let owner = successor(ids, point);
            let there = ids.get(owner as usize).copied().unwrap_or_default();
            // Once around the circle is no finger of use.
            let way = (1_u64 << exponent) + u64::from(there.wrapping_sub(point));
            *finger = Finger { way: u32::try_from(way).unwrap_or(u32::MAX), node: owner };
        }
        node
    };
    let those = ids.get(numbers.start as usize..numbers.end as usize).unwrap_or_default();
    those.iter().zip(numbers).map(node).collect()
}

/// The number of the first node at or after a point.
pub(super) fn successor(ids: &[u32], point: u32) -> u32 {
    let place = ids.partition_point(|id| *id < point);
    if place == ids.len() { 0 } else { u32::try_from(place).unwrap_or(u32::MAX) }
}

#[expect(clippy::cast_possible_truncation, reason = "the lower half")]
pub(super) const fn low(word: u64) -> u32 {
    word as u32
}

const fn splitmix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let word = *state;
    let word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}
