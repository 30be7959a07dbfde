//! The queue beside a heap, a tree and a radix heap, with the sizes of events that there are: `cargo bench -p sim --bench queue`.
//!
//! So many events wait, each that is taken is put in again up to 16 s later (the hold model of Jones, 1986).

#![expect(clippy::print_stdout, clippy::expect_used, reason = "a measurement to be read")]

use proto::Time;
use sim::queue::Queue;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::hint::black_box;
use std::time::Instant;

/// Something that gives events back by their times.
trait Ahead<T> {
    fn put(&mut self, at: u64, event: T);
    fn take(&mut self) -> (u64, T);
}

impl<T> Ahead<T> for Queue<T> {
    fn put(&mut self, at: u64, event: T) {
        self.push(Time(at), event);
    }

    fn take(&mut self) -> (u64, T) {
        let (Time(at), event) = self.pop().expect("events wait");
        (at, event)
    }
}

/// What the whole-node world had before.
struct Tree<T>(BTreeMap<(u64, u64), T>, u64);

impl<T> Ahead<T> for Tree<T> {
    fn put(&mut self, at: u64, event: T) {
        self.0.insert((at, self.1), event);
        self.1 += 1;
    }

    fn take(&mut self) -> (u64, T) {
        let ((at, _), event) = self.0.pop_first().expect("events wait");
        (at, event)
    }
}

/// An event in a heap: by its time, and then by its number.
struct Entry<T>((u64, u64), T);

impl<T> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<T> Eq for Entry<T> {}

impl<T> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Entry<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}

struct Heap<T>(BinaryHeap<Reverse<Entry<T>>>, u64);

impl<T> Ahead<T> for Heap<T> {
    fn put(&mut self, at: u64, event: T) {
        self.0.push(Reverse(Entry((at, self.1), event)));
        self.1 += 1;
    }

    fn take(&mut self) -> (u64, T) {
        let Reverse(Entry((at, _), event)) = self.0.pop().expect("events wait");
        (at, event)
    }
}

/// A monotone radix heap (Ahuja, Mehlhorn, Orlin and Tarjan 1990).
struct Radix<T> {
    buckets: Vec<Vec<(u64, T)>>,
    last: u64,
}

impl<T> Ahead<T> for Radix<T> {
    fn put(&mut self, at: u64, event: T) {
        let bucket = (at ^ self.last).checked_ilog2().map_or(0, |bit| bit as usize + 1);
        self.buckets.get_mut(bucket).expect("65 of them").push((at, event));
    }

    fn take(&mut self) -> (u64, T) {
        let full = self.buckets.iter().position(|bucket| !bucket.is_empty()).expect("events wait");
        if full > 0 {
            let events = std::mem::take(self.buckets.get_mut(full).expect("it is there"));
            self.last = events.iter().map(|(at, _)| *at).min().expect("it is not empty");
            events.into_iter().for_each(|(at, event)| self.put(at, event));
        }
        self.buckets.first_mut().and_then(Vec::pop).expect("the first ones are there now")
    }
}

/// Million events a second.
fn measure<T: Default>(ahead: &mut dyn Ahead<T>, pending: u64) -> f64 {
    let mut state = 1_u64;
    let mut draw = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 40
    };
    (0..pending).for_each(|_| ahead.put(draw(), T::default()));
    let events = (2 * pending).max(2_000_000);
    let began = Instant::now();
    for _ in 0..events {
        let (now, event) = ahead.take();
        ahead.put(now + 1 + draw(), black_box(event));
    }
    f64::from(u32::try_from(events).unwrap_or(u32::MAX)) / began.elapsed().as_secs_f64() / 1e6
}

fn compare<T: Default>(pending: u64) {
    let wheel = measure::<T>(&mut Queue::default(), pending);
    let tree = measure::<T>(&mut Tree(BTreeMap::new(), 0), pending);
    let heap = measure::<T>(&mut Heap(BinaryHeap::new(), 0), pending);
    let radix = measure::<T>(&mut Radix { buckets: (0..65).map(|_| Vec::new()).collect(), last: 0 }, pending);
    println!(
        "{:>3}-byte events, {pending:>8} pending: wheel {wheel:.2} M/s; tree {tree:.2} (wheel {:.1} ×), heap {heap:.2} ({:.1} ×), radix {radix:.2} ({:.1} ×)",
        size_of::<T>(),
        wheel / tree,
        wheel / heap,
        wheel / radix
    );
}

fn main() {
    for pending in [10_000, 100_000, 1_000_000, 10_000_000] {
        compare::<[u64; 2]>(pending);
        compare::<[u64; 11]>(pending);
    }
}
