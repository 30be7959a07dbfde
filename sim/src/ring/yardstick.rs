//! The yardstick: Chord as it was published in 2001, in steady state, as other simulators run it.
//!
//! SimGrid and PeerSim agree on this program to the message (reference `sim-peer.md`, workload W2), so its counts
//! say whether the kernel is right, and its speed how good it is. The protocol here is the *plain* one: no successor
//! list, no corrected operations. Nothing ships with it.

mod buckets;
mod node;
mod run;
mod threads;

use super::measured::{Histogram, Measured};
use super::number::mix;
use node::low;
use proto::Span;

/// How many nodes an event can name.
pub const MAX_NODES: u32 = 1 << 24;
/// The most threads of a run.
pub const MAX_THREADS: u8 = 64;

/// A run of the yardstick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Yardstick {
    /// Nodes; at most [`MAX_NODES`].
    pub nodes: u32,
    /// The seed of places, phases and keys; 1 in the published counts.
    pub seed: u64,
    /// Virtual time; 1,000 s in the published counts.
    pub duration: Span,
    /// How many threads work, at most [`MAX_THREADS`]; they change nothing but the time that it takes.
    pub threads: u8,
    /// Whether every answer is compared with the true successor; takes time.
    pub is_checked: bool,
}

/// What a run of the yardstick has counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Messages sent.
    pub messages: u64,
    /// Timers that have fired.
    pub timers: u64,
    /// Lookups begun.
    pub lookups: u64,
    /// Messages by which a completed lookup reached the key's predecessor.
    pub hops: Histogram,
    /// Requests that were not answered within 50 s.
    pub timeouts: u64,
    /// Answers that were not the true successor, where they were compared.
    pub wrong: u64,
    /// Events: timers and deliveries before the end.
    pub events: u64,
    /// A hash over all events with their times.
    pub trace: u64,
}

impl Yardstick {
    /// The published run with `nodes` nodes.
    #[must_use]
    pub const fn new(nodes: u32) -> Self {
        Self { nodes, seed: 1, duration: Span::secs(1_000), threads: 1, is_checked: false }
    }

    /// Runs it; `progress` hears how many of how many virtual microseconds have passed.
    #[must_use]
    pub fn run(&self, progress: &mut dyn FnMut(u64, u64)) -> Counts {
        threads::run(self, progress)
    }
}

/// The yardstick's queue alone: `events` events of its size pass through it while `pending` wait, each again up to 20 s
/// later. What comes back says nothing, but has to be computed.
#[must_use]
pub fn bare_queue(pending: u32, events: u64) -> u64 {
    let spread = |word: u64| buckets::Buckets::least_delay() + low(word >> 40);
    let at = |time: u32, word: u64| buckets::Event::from(time) << 96 | buckets::Event::from(word);
    let mut queue = buckets::Buckets::new();
    for number in 0..u64::from(pending) {
        let word = mix(number);
        queue.push(at(spread(word), word));
    }
    let (mut ready, mut passed, mut sum) = (Vec::new(), 0, 0_u64);
    while passed < events {
        queue.next_bucket(&mut ready);
        for event in &ready {
            let word = mix(low(u64::try_from(*event & buckets::Event::from(u32::MAX)).unwrap_or(0)).into());
            queue.push(at(buckets::time_of(*event).wrapping_add(spread(word)), word));
            sum ^= word;
        }
        passed += ready.len() as u64;
    }
    sum
}

/// Bytes of a message; the published program has 10 for all.
const MESSAGE: u64 = 10;
/// The way of a message, in microseconds.
const LATENCY: u32 = 50_000;

impl Counts {
    /// Adds what was counted in another part of the same run.
    fn add(&mut self, other: &Self) {
        self.messages += other.messages;
        self.timers += other.timers;
        self.lookups += other.lookups;
        self.hops.merge(&other.hops);
        self.timeouts += other.timeouts;
        self.wrong += other.wrong;
        self.events += other.events;
        self.trace = self.trace.wrapping_add(other.trace);
    }

    /// The same in the form of other measurements. Lookups that had not ended at the end count as abandoned.
    #[must_use]
    pub fn measured(&self, plan: &Yardstick) -> Measured {
        // An answer goes straight to who asked: one way more than there were hops, and none for what it knew itself.
        let shares = self.hops.counts().iter().zip(0_u32..);
        let ways = shares.flat_map(|(count, hops)| {
            let micros = if hops == 0 { 0 } else { (hops + 1) * LATENCY };
            std::iter::repeat_n(micros, usize::try_from(*count).unwrap_or(0))
        });
        Measured {
            latency: ways.collect(),
            hops: self.hops.clone(),
            begun: self.lookups,
            abandoned: self.lookups.saturating_sub(self.hops.total()),
            wrong_owner: self.wrong,
            messages: self.messages,
            bytes: self.messages.saturating_mul(MESSAGE),
            events: self.events,
            lasted: plan.duration,
            nodes: u64::from(plan.nodes),
            ..Measured::default()
        }
    }
}
