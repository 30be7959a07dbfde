//! What waits to be bought: the highest rank first, and of one rank in the order in which it came.

use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Indices of sub-tasks with their ranks. Everything but [`Queue::take`] costs the logarithm of their number.
#[derive(Debug, Default)]
pub(super) struct Queue {
    order: BTreeMap<(Reverse<u64>, u64), u32>,
    places: BTreeMap<u32, (Reverse<u64>, u64)>,
    next: u64,
}

impl Queue {
    /// Puts `index` behind all of its rank, wherever it was.
    pub(super) fn push(&mut self, index: u32, rank: u64) {
        self.remove(index);
        let place = (Reverse(rank), self.next);
        self.next += 1;
        self.order.insert(place, index);
        self.places.insert(index, place);
    }

    pub(super) fn remove(&mut self, index: u32) {
        if let Some(place) = self.places.remove(&index) {
            self.order.remove(&place);
        }
    }

    /// The first `count`.
    pub(super) fn first(&self, count: usize) -> Vec<u32> {
        self.order.values().take(count).copied().collect()
    }

    /// Takes all out that `is_meant`.
    pub(super) fn take(&mut self, is_meant: impl Fn(u32) -> bool) -> Vec<u32> {
        let taken: Vec<u32> = self.order.values().copied().filter(|index| is_meant(*index)).collect();
        taken.iter().for_each(|index| self.remove(*index));
        taken
    }

    pub(super) fn clear(&mut self) {
        self.order.clear();
        self.places.clear();
    }

    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_rank_comes_first_and_equals_keep_their_order() {
        let mut queue = Queue::default();
        for (index, rank) in [(0, 1), (1, 5), (2, 1), (3, 5), (4, 0)] {
            queue.push(index, rank);
        }
        assert_eq!(queue.first(9), [1, 3, 0, 2, 4]);
        queue.push(1, 5);
        queue.remove(2);
        queue.remove(7);
        assert_eq!((queue.first(2), queue.first(9)), (vec![3, 1], vec![3, 1, 0, 4]));
        assert_eq!(queue.take(|index| index % 2 == 1), [3, 1]);
        assert_eq!((queue.first(9), queue.is_empty()), (vec![0, 4], false));
        queue.clear();
        assert!(queue.is_empty() && queue.first(1).is_empty());
    }
}
