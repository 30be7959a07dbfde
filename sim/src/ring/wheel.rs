//! A queue for very many small events: buckets of time, sorted only when their time has come.
//!
//! Pushing and taking cost about the same however many events wait. Events of one moment come in the order in which
//! they were pushed.

use std::collections::BTreeMap;

/// Microseconds in a bucket, as a power of two.
const WIDTH: u32 = 12;
/// Buckets in a turn of the wheel, as a power of two: 67 s with buckets of 4 ms.
const TURN: u32 = 14;

#[derive(Debug)]
pub(crate) struct Wheel<T> {
    /// The bucket whose events are being taken.
    bucket: u64,
    /// Its events, sorted; those before `taken` have been taken.
    current: Vec<(u64, T)>,
    taken: usize,
    buckets: Vec<Vec<(u64, T)>>,
    /// Events of later turns, by turn.
    far: BTreeMap<u64, Vec<(u64, T)>>,
    /// Events in `buckets`.
    near: usize,
    length: usize,
}

impl<T: Copy> Wheel<T> {
    pub(crate) fn new() -> Self {
        Self {
            bucket: 0,
            current: Vec::new(),
            taken: 0,
            buckets: (0..1_u32 << TURN).map(|_| Vec::new()).collect(),
            far: BTreeMap::new(),
            near: 0,
            length: 0,
        }
    }

    #[cfg(test)]
    pub(crate) const fn len(&self) -> usize {
        self.length
    }

    /// Adds an event; one of the past happens now.
    pub(crate) fn push(&mut self, at: u64, event: T) {
        self.length += 1;
        let bucket = at >> WIDTH;
        if bucket <= self.bucket {
            let rest = self.current.get(self.taken..).unwrap_or_default();
            let place = self.taken + rest.partition_point(|(time, _)| *time <= at);
            return self.current.insert(place, (at, event));
        }
        let turn = bucket >> TURN;
        if turn == self.bucket >> TURN {
            self.put(bucket, at, event);
        } else {
            self.far.entry(turn).or_default().push((at, event));
        }
    }

    /// The next event, with its time.
    pub(crate) fn pop(&mut self) -> Option<(u64, T)> {
        while self.taken >= self.current.len() {
            if self.length == 0 {
                return None;
            }
            self.turn_on();
        }
        let next = self.current.get(self.taken).copied();
        self.taken += 1;
        self.length -= 1;
        next
    }

    /// The next events that are in order already, at most `count` of them; others may still come between.
    pub(crate) fn soon(&self, count: usize) -> &[(u64, T)] {
        let rest = self.current.get(self.taken..).unwrap_or_default();
        rest.get(..count).unwrap_or(rest)
    }

    fn put(&mut self, bucket: u64, at: u64, event: T) {
        let place = usize::try_from(bucket & ((1 << TURN) - 1)).unwrap_or(0);
        if let Some(bucket) = self.buckets.get_mut(place) {
            bucket.push((at, event));
            self.near += 1;
        }
    }

    /// Goes on to the next bucket with events.
    fn turn_on(&mut self) {
        self.taken = 0;
        self.bucket += 1;
        if self.near == 0
            && let Some(turn) = self.far.keys().next()
        {
            // Nothing in this turn any more.
            self.bucket = self.bucket.max(turn << TURN);
        }
        if let Some(events) = self.far.remove(&(self.bucket >> TURN)) {
            for (at, event) in events {
                self.put(at >> WIDTH, at, event);
            }
        }
        let place = usize::try_from(self.bucket & ((1 << TURN) - 1)).unwrap_or(0);
        self.current = self.buckets.get_mut(place).map(std::mem::take).unwrap_or_default();
        self.near -= self.current.len();
        self.current.sort_by_key(|(at, _)| *at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::Dice;
    use std::collections::BTreeMap;

    #[test]
    fn it_agrees_with_a_sorted_map() {
        let mut dice = Dice::new(7, "wheel", 0);
        let (mut wheel, mut model) = (Wheel::new(), BTreeMap::new());
        let (mut now, mut number) = (0, 0_u32);
        for _ in 0..20_000 {
            if dice.below(2) == 0 || model.is_empty() {
                let span = [10, 5_000, 3_000_000, 400_000_000][usize::try_from(dice.below(4)).unwrap()];
                let at = now + dice.below(span);
                wheel.push(at, number);
                model.insert((at, number), ());
                number += 1;
            } else {
                let ((at, event), ()) = model.pop_first().unwrap();
                assert_eq!(wheel.pop(), Some((at, event)));
                now = at;
            }
            assert_eq!(wheel.len(), model.len());
        }
        while let Some(((at, event), ())) = model.pop_first() {
            assert_eq!(wheel.pop(), Some((at, event)));
        }
        assert_eq!(wheel.pop(), None);
    }
}
