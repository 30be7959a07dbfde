//! What is going to happen: by time, and at the same time in the order in which it was put in.
//!
//! A wheel: buckets of time that are sorted only when their time has come, so that putting in and taking out cost
//! about the same however many events wait. `sim/benches/queue.rs` has it beside heaps and a tree.

use proto::Time;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Microseconds in a bucket, as a power of two: 4 ms.
const WIDTH: u32 = 12;
/// Buckets in a turn of the wheel, as a power of two: 67 s.
const TURN: u32 = 14;

/// The events that lie ahead.
#[derive(Clone, Debug)]
pub struct Queue<T> {
    /// The bucket whose events are being taken.
    bucket: u64,
    /// Its events, the next one last.
    current: Vec<(Time, T)>,
    buckets: Vec<Vec<(Time, T)>>,
    /// Events of later turns, by turn.
    far: BTreeMap<u64, Vec<(Time, T)>>,
    /// Events in `buckets`.
    near: usize,
    length: usize,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self {
            bucket: 0,
            current: Vec::new(),
            buckets: (0..1_u32 << TURN).map(|_| Vec::new()).collect(),
            far: BTreeMap::new(),
            near: 0,
            length: 0,
        }
    }
}

impl<T> Queue<T> {
    /// How many events lie ahead.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.length
    }

    /// Whether nothing is going to happen any more.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Puts `event` in for the moment `at`; one of the past happens now.
    pub fn push(&mut self, at: Time, event: T) {
        self.length += 1;
        let bucket = at.0 >> WIDTH;
        if bucket <= self.bucket {
            let place = self.current.partition_point(|(time, _)| *time > at);
            return self.current.insert(place, (at, event));
        }
        let turn = bucket >> TURN;
        if turn == self.bucket >> TURN {
            self.put(at, event);
        } else {
            self.far.entry(turn).or_default().push((at, event));
        }
    }

    /// The next event with its moment.
    pub fn pop(&mut self) -> Option<(Time, T)> {
        while self.current.is_empty() {
            if self.length == 0 {
                return None;
            }
            self.turn_on();
        }
        self.length -= 1;
        self.current.pop()
    }

    /// Those of the next events that are in order already, the next one last, at most `count`; others may still come
    /// between.
    #[must_use]
    pub fn soon(&self, count: usize) -> &[(Time, T)] {
        let from = self.current.len().saturating_sub(count);
        self.current.get(from..).unwrap_or_default()
    }

    fn put(&mut self, at: Time, event: T) {
        let place = usize::try_from(at.0 >> WIDTH & ((1 << TURN) - 1)).unwrap_or(0);
        if let Some(bucket) = self.buckets.get_mut(place) {
            bucket.push((at, event));
            self.near += 1;
        }
    }

    /// Goes on to the next bucket with events.
    fn turn_on(&mut self) {
        self.bucket += 1;
        if self.near == 0
            && let Some(turn) = self.far.keys().next()
        {
            // Nothing in this turn any more.
            self.bucket = self.bucket.max(turn << TURN);
        }
        if let Some(events) = self.far.remove(&(self.bucket >> TURN)) {
            for (at, event) in events {
                self.put(at, event);
            }
        }
        let place = usize::try_from(self.bucket & ((1 << TURN) - 1)).unwrap_or(0);
        self.current = self.buckets.get_mut(place).map(std::mem::take).unwrap_or_default();
        self.near -= self.current.len();
        // Equal moments keep their order: turned round, they are taken from the end.
        self.current.reverse();
        self.current.sort_by_key(|(at, _)| Reverse(*at));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::Dice;

    #[test]
    fn events_come_by_time_and_then_by_the_order_in_which_they_were_put_in() {
        let mut queue = Queue::default();
        for (at, name) in [(5, 'a'), (3, 'b'), (5, 'c'), (9_003, 'f'), (3, 'd'), (4, 'e'), (9_003, 'g')] {
            queue.push(Time(at), name);
        }
        let order: Vec<(u64, char)> =
            std::iter::from_fn(|| queue.pop()).map(|(at, name)| (at.0, name)).collect();
        let expected = [(3, 'b'), (3, 'd'), (4, 'e'), (5, 'a'), (5, 'c'), (9_003, 'f'), (9_003, 'g')];
        assert_eq!(order, expected);
        assert_eq!(queue.pop(), None);
    }

    #[test]
    fn it_agrees_with_a_sorted_map() {
        let mut dice = Dice::new(7, "queue", 0);
        let (mut queue, mut model) = (Queue::default(), BTreeMap::new());
        let (mut now, mut number) = (0, 0_u32);
        for _ in 0..20_000 {
            if dice.below(2) == 0 || model.is_empty() {
                let span = [1, 10, 5_000, 3_000_000, 400_000_000][usize::try_from(dice.below(5)).unwrap()];
                let at = Time(now + dice.below(span));
                queue.push(at, number);
                model.insert((at, number), ());
                number += 1;
            } else {
                let ((at, event), ()) = model.pop_first().unwrap();
                assert_eq!(queue.soon(2).last().copied().unwrap_or((at, event)), (at, event));
                assert_eq!(queue.pop(), Some((at, event)));
                now = at.0;
            }
            assert_eq!((queue.len(), queue.is_empty()), (model.len(), model.is_empty()));
        }
        while let Some(((at, event), ())) = model.pop_first() {
            assert_eq!(queue.pop(), Some((at, event)));
        }
        assert_eq!(queue.pop(), None);
    }
}
