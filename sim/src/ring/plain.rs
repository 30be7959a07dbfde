//! Workload W2: the protocol of 2001 in steady state, as other simulators run it (reference: sim-peer).
//!
//! Ids of 32 bits, a perfect ring, nobody comes or goes, 50 ms a message. Every count is prescribed, so that the kernel
//! can be compared with that of others, message for message. It is also the mutant of the ring: the protocol that
//! Zave found wrong.

use super::measured::Measured;
use super::slab::index;
use super::wheel::Wheel;
use proto::Span;

/// How long a message takes, in microseconds.
const LATENCY: u64 = 50_000;
/// Fingers of a node.
const FINGERS: usize = 32;
/// The periods of stabilize, fix fingers, check predecessor and lookup, in microseconds.
const PERIODS: [u64; 4] = [20_000_000, 120_000_000, 120_000_000, 10_000_000];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Stabilize,
    FixFinger,
    CheckPredecessor,
    Lookup,
    /// A key on its way; for a finger or for the caller.
    Find,
    Found,
    AskPredecessor,
    Predecessor,
    Notify,
    Alive,
    IsAlive,
}

/// What happens at a node.
#[derive(Clone, Copy, Debug)]
struct Event {
    at: u32,
    origin: u32,
    key: u32,
    kind: Kind,
    hops: u8,
    /// The finger that is looked for, or `FINGERS` for a lookup of the caller.
    finger: u8,
}

struct Node {
    id: u32,
    predecessor: u32,
    next_finger: u8,
    random: u64,
    fingers: [u32; FINGERS],
}

/// What a run has shown, besides [`Measured`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plain {
    /// Messages, hops, lookups and events. Hops are the messages of a lookup until it was answered.
    pub measured: Measured,
    /// Deadlines that came.
    pub timers: u64,
    /// Lookups that had ended when the time was over.
    pub completed: u64,
}

/// Runs W2 with `nodes` for `lasting`. Messages count that are sent before the end.
#[must_use]
pub fn run_plain(nodes: u32, seed: u64, lasting: Span) -> Plain {
    let mut run = Run::new(nodes, seed, lasting);
    while let Some((now, event)) = run.wheel.pop() {
        if now >= lasting.0 {
            break;
        }
        run.now = now;
        run.result.measured.events += 1;
        run.happen(event);
    }
    run.result.measured.lasted = lasting;
    run.result.measured.nodes = u64::from(nodes);
    run.result
}

struct Run {
    now: u64,
    lasting: u64,
    ids: Vec<u32>,
    nodes: Vec<Node>,
    wheel: Wheel<Event>,
    result: Plain,
}

impl Run {
    fn new(count: u32, seed: u64, lasting: Span) -> Self {
        let ids = ids(count, seed);
        let nodes = (0..).zip(&ids).map(|(rank, id)| Node::new(rank, *id, &ids, seed)).collect();
        let (wheel, result) = (Wheel::new(), Plain::default());
        let mut run = Self { now: 0, lasting: lasting.0, ids, nodes, wheel, result };
        for at in 0..count {
            for (kind, period) in [Kind::Stabilize, Kind::FixFinger, Kind::CheckPredecessor, Kind::Lookup]
                .into_iter()
                .zip(PERIODS)
            {
                let draw = run.node_mut(at).map_or(0, |node| split_mix(&mut node.random));
                // u · T with u = (draw >> 11) / 2^53, in whole microseconds.
                let phase = u64::try_from((u128::from(draw >> 11) * u128::from(period)) >> 53).unwrap_or(0);
                run.timer(phase, at, kind);
            }
        }
        run
    }

    fn happen(&mut self, event: Event) {
        let Event { at, origin, key, kind, hops, finger } = event;
        match kind {
            Kind::Stabilize | Kind::FixFinger | Kind::CheckPredecessor | Kind::Lookup => {
                self.result.timers += 1;
                self.timer_is_due(at, kind);
            }
            Kind::Find => self.find(at, origin, key, hops, finger),
            Kind::Found => self.found(origin, key, at, hops, finger),
            Kind::AskPredecessor => self.send(origin, at, Kind::Predecessor),
            Kind::Predecessor => {
                // The ring is perfect: the successor's predecessor is the node itself.
                self.send(origin, at, Kind::Notify);
            }
            Kind::Alive => self.send(origin, at, Kind::IsAlive),
            Kind::Notify | Kind::IsAlive => {}
        }
    }

    fn timer_is_due(&mut self, at: u32, kind: Kind) {
        let place = match kind {
            Kind::Stabilize => 0,
            Kind::FixFinger => 1,
            Kind::CheckPredecessor => 2,
            _ => 3,
        };
        let period = PERIODS.get(place).copied().unwrap_or(1);
        self.timer(self.now + period, at, kind);
        let Some(node) = self.node_mut(at) else { return };
        match kind {
            Kind::Stabilize => {
                let successor = node.fingers[0];
                self.send(successor, at, Kind::AskPredecessor);
            }
            Kind::CheckPredecessor => {
                let predecessor = node.predecessor;
                self.send(predecessor, at, Kind::Alive);
            }
            Kind::FixFinger => {
                let finger = node.next_finger;
                node.next_finger = (finger + 1) % 32;
                let key = node.id.wrapping_add(1 << finger);
                self.find(at, at, key, 0, finger);
            }
            _ => {
                let [.., a, b, c, d] = split_mix(&mut node.random).to_be_bytes();
                self.result.measured.begun += 1;
                self.find(at, at, u32::from_be_bytes([a, b, c, d]), 0, 32);
            }
        }
    }

    /// The node `at` has to answer for `key`, or to send it on.
    fn find(&mut self, at: u32, origin: u32, key: u32, hops: u8, finger: u8) {
        let Some(node) = self.nodes.get(index(at)) else { return };
        let way = key.wrapping_sub(node.id);
        let successor = node.fingers[0];
        let reach = self.ids.get(index(successor)).map_or(0, |id| id.wrapping_sub(node.id));
        // (me, successor]; a key at the node itself lies a whole turn away.
        if way != 0 && way <= reach {
            if at == origin {
                self.found(origin, key, successor, hops, finger);
            } else {
                let kind = Kind::Found;
                self.post(Event { at: successor, origin, key, kind, hops, finger });
            }
            return;
        }
        let last = if way == 0 { 31 } else { 31 - way.saturating_sub(1).leading_zeros().min(31) };
        let ids = &self.ids;
        let is_before = |other: &u32| {
            let there = ids.get(index(*other)).map_or(0, |id| id.wrapping_sub(node.id));
            there != 0 && (way == 0 || there < way)
        };
        let fingers = node.fingers.iter().take(index(last) + 1).rev();
        let next = fingers.copied().find(is_before).unwrap_or(successor);
        let hops = hops.saturating_add(1);
        self.post(Event { at: next, origin, key, kind: Kind::Find, hops, finger });
    }

    fn found(&mut self, origin: u32, key: u32, owner: u32, hops: u8, finger: u8) {
        if index(u32::from(finger)) < FINGERS {
            if let Some(place) =
                self.node_mut(origin).and_then(|node| node.fingers.get_mut(usize::from(finger)))
            {
                *place = owner;
            }
            return;
        }
        self.result.completed += 1;
        self.result.measured.hops.add(u32::from(hops));
        self.result.measured.wrong_owner += u64::from(owner_of(&self.ids, key) != owner);
    }

    fn send(&mut self, to: u32, from: u32, kind: Kind) {
        self.post(Event { at: to, origin: from, key: 0, kind, hops: 0, finger: 0 });
    }

    fn post(&mut self, event: Event) {
        self.result.measured.messages += 1;
        self.result.measured.bytes += 10;
        self.wheel.push(self.now + LATENCY, event);
    }

    fn timer(&mut self, time: u64, at: u32, kind: Kind) {
        if time < self.lasting {
            self.wheel.push(time, Event { at, origin: at, key: 0, kind, hops: 0, finger: 0 });
        }
    }

    fn node_mut(&mut self, at: u32) -> Option<&mut Node> {
        self.nodes.get_mut(index(at))
    }
}

impl Node {
    fn new(rank: u32, id: u32, ids: &[u32], seed: u64) -> Self {
        let count = u32::try_from(ids.len()).unwrap_or(u32::MAX);
        let mut random = seed ^ 0xD134_2543_DE82_EF95_u64.wrapping_mul(u64::from(rank) + 1);
        let _thrown_away = split_mix(&mut random);
        let mut fingers = [0; FINGERS];
        for (exponent, finger) in (0..).zip(&mut fingers) {
            *finger = owner_of(ids, id.wrapping_add(1 << exponent));
        }
        let predecessor = rank.checked_sub(1).unwrap_or(count.saturating_sub(1));
        Self { id, predecessor, next_finger: 0, random, fingers }
    }
}

/// The rank of the first node at or after a point.
fn owner_of(ids: &[u32], point: u32) -> u32 {
    let rank = ids.partition_point(|id| *id < point);
    u32::try_from(if rank == ids.len() { 0 } else { rank }).unwrap_or(0)
}

/// The first `count` distinct ids, sorted.
fn ids(count: u32, seed: u64) -> Vec<u32> {
    let mut state = seed;
    let mut ids = std::collections::BTreeSet::new();
    while ids.len() < index(count) {
        let [.., a, b, c, d] = split_mix(&mut state).to_be_bytes();
        ids.insert(u32::from_be_bytes([a, b, c, d]));
    }
    ids.into_iter().collect()
}

/// The next number of SplitMix64 (Steele, Lea, Flood 2014).
const fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let word = (*state ^ (*state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}
