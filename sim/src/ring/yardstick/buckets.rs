//! The queue: events of 16 bytes in buckets of time, brought into order bucket by bucket when their time comes.
//!
//! A bucket is a chain of chunks that are used again, so memory follows the number of waiting events, and what is
//! written next is what was read last. Order within a bucket comes from a counting sort on the time and one pass
//! of insertion: no comparison of distant events, nothing that grows with their number.

/// Microseconds in a bucket, as a power of two: 33 ms.
const WIDTH: u32 = 15;
/// Buckets on the wheel, as a power of two: 134 s.
const TURN: u32 = 12;
/// Events in a chunk; with its head it takes four cache lines.
const CHUNK: usize = 15;
/// Slots of the counting sort in one bucket, as a power of two.
const MAX_SLOTS: u32 = 12;
/// No chunk.
const NONE: u32 = u32::MAX;

/// An event: the time in the upper 32 bits, whatever else it says below. The order of the numbers is the order of
/// the events, so equal times have an order too, and it does not depend on who was put in first.
pub(super) type Event = u128;

/// When an event happens, in microseconds.
pub(super) const fn time_of(event: Event) -> u32 {
    (event >> 96) as u32
}

#[derive(Clone)]
struct Chunk {
    events: [Event; CHUNK],
    length: u32,
    next: u32,
}

/// The events that lie ahead, at most [`Buckets::horizon`] from now.
pub(super) struct Buckets {
    heads: Vec<u32>,
    chunks: Vec<Chunk>,
    free: u32,
    bucket: u32,
    slots: Vec<u32>,
    unsorted: Vec<Event>,
}

impl Buckets {
    pub(super) fn new() -> Self {
        Self {
            heads: vec![NONE; 1 << TURN],
            chunks: Vec::new(),
            free: NONE,
            bucket: 0,
            slots: Vec::new(),
            unsorted: Vec::new(),
        }
    }

    /// The least delay from one event to another that it causes, in microseconds.
    pub(super) const fn least_delay() -> u32 {
        1 << WIDTH
    }

    /// The largest delay, in microseconds.
    pub(super) const fn horizon() -> u32 {
        ((1 << TURN) - 1) << WIDTH
    }

    /// Adds an event, between [`Buckets::least_delay`] and [`Buckets::horizon`] from now.
    pub(super) fn push(&mut self, event: Event) {
        let place = (time_of(event) >> WIDTH & ((1 << TURN) - 1)) as usize;
        let Some(head) = self.heads.get_mut(place) else { return };
        if let Some(chunk) = self.chunks.get_mut(*head as usize)
            && let Some(free) = chunk.events.get_mut(chunk.length as usize)
        {
            *free = event;
            chunk.length += 1;
            return;
        }
        let next = *head;
        if let Some(reused) = self.chunks.get_mut(self.free as usize) {
            *head = std::mem::replace(&mut self.free, reused.next);
            reused.events[0] = event;
            (reused.length, reused.next) = (1, next);
        } else {
            *head = u32::try_from(self.chunks.len()).unwrap_or(NONE);
            let mut events = [0; CHUNK];
            events[0] = event;
            self.chunks.push(Chunk { events, length: 1, next });
        }
    }

    /// When the next bucket begins, in microseconds.
    pub(super) const fn begins(&self) -> u32 {
        self.bucket << WIDTH
    }

    /// Puts all events of the next bucket, in order, in place of what `ready` held.
    pub(super) fn next_bucket(&mut self, ready: &mut Vec<Event>) {
        ready.clear();
        self.empty_bucket();
        self.bucket += 1;
        self.sort_into(ready);
    }

    fn empty_bucket(&mut self) {
        let place = (self.bucket & ((1 << TURN) - 1)) as usize;
        let Some(head) = self.heads.get_mut(place) else { return };
        let mut at = std::mem::replace(head, NONE);
        while let Some(chunk) = self.chunks.get_mut(at as usize) {
            self.unsorted.extend_from_slice(chunk.events.get(..chunk.length as usize).unwrap_or_default());
            let next = std::mem::replace(&mut chunk.next, self.free);
            self.free = std::mem::replace(&mut at, next);
        }
    }

    fn sort_into(&mut self, ready: &mut Vec<Event>) {
        let count = self.unsorted.len();
        let bits = (count / 2).max(1).ilog2().min(MAX_SLOTS);
        let slot = |event: Event| (time_of(event) >> (WIDTH - bits) & ((1 << bits) - 1)) as usize;
        self.slots.clear();
        self.slots.resize((1 << bits) + 1, 0);
        for event in &self.unsorted {
            if let Some(after) = self.slots.get_mut(slot(*event) + 1) {
                *after += 1;
            }
        }
        let mut sum = 0;
        for start in &mut self.slots {
            sum += *start;
            *start = sum;
        }
        ready.resize(count, 0);
        for event in &self.unsorted {
            if let Some(start) = self.slots.get_mut(slot(*event)) {
                if let Some(place) = ready.get_mut(*start as usize) {
                    *place = *event;
                }
                *start += 1;
            }
        }
        self.unsorted.clear();
        insert_all(ready);
    }
}

/// Insertion sort, for what is nearly in order.
fn insert_all(events: &mut [Event]) {
    for end in 1..events.len() {
        let Some(&event) = events.get(end) else { return };
        let mut place = end;
        while let Some(&before) = events.get(place.wrapping_sub(1)) {
            if before <= event {
                break;
            }
            if let Some(gap) = events.get_mut(place) {
                *gap = before;
            }
            place -= 1;
        }
        if place < end
            && let Some(gap) = events.get_mut(place)
        {
            *gap = event;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::Dice;

    fn check(start: u64, spread: u64) {
        let mut dice = Dice::new(spread, "buckets", start);
        let mut buckets = Buckets::new();
        let mut expected = Vec::new();
        let put = |buckets: &mut Buckets, expected: &mut Vec<Event>, now: u32, dice: &mut Dice| {
            let delay = u32::try_from(dice.between(u64::from(Buckets::least_delay()), spread)).unwrap();
            let event = (Event::from(now + delay) << 96) | Event::from(dice.below(1 << 40));
            buckets.push(event);
            expected.push(event);
        };
        (0..start).for_each(|_| put(&mut buckets, &mut expected, 0, &mut dice));
        let (mut ready, mut seen) = (Vec::new(), Vec::new());
        while seen.len() < expected.len() {
            buckets.next_bucket(&mut ready);
            for event in &ready {
                seen.push(*event);
                if time_of(*event) < 1 << 31 && seen.len() < 20_000 && dice.below(1_000) < 999 {
                    put(&mut buckets, &mut expected, time_of(*event), &mut dice);
                }
            }
        }
        expected.sort_unstable();
        assert_eq!(seen.len(), expected.len());
        assert!(seen == expected, "{start} {spread}");
    }

    #[test]
    fn events_come_in_the_order_of_their_numbers() {
        let least = u64::from(Buckets::least_delay());
        for spread in [least, least + 1, 10 * least, u64::from(Buckets::horizon())] {
            check(1, spread);
            check(1_000, spread);
        }
    }
}
