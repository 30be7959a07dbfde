//! The run: timers and messages of all nodes, in the order of their times.

use super::buckets::{Buckets, Event, time_of};
use super::node::{Node, ids, low, perfect_ring, successor};
use super::{Counts, LATENCY, MAX_NODES, Yardstick};

/// The periods of the timers, in microseconds: stabilize, fix a finger, check the predecessor, look up.
const PERIODS: [u32; 4] = [20_000_000, 120_000_000, 120_000_000, 10_000_000];
/// After so long a request counts as lost, in microseconds.
const PATIENCE: u32 = 50_000_000;
/// Events in a batch.
const BATCH: usize = 32;

const _: () = assert!(LATENCY >= Buckets::least_delay() && PERIODS[1] <= Buckets::horizon());

/// The kinds of events. The first four are the timers, in the order of [`PERIODS`].
const STABILIZE: u32 = 0;
const FIX: u32 = 1;
const CHECK: u32 = 2;
const LOOK_UP: u32 = 3;
const GET_PREDECESSOR: u32 = 4;
const PREDECESSOR: u32 = 5;
const NOTIFY: u32 = 6;
const PING: u32 = 7;
const PONG: u32 = 8;
const FIND_FINGER: u32 = 9;
const FIND: u32 = 10;
const FOUND_FINGER: u32 = 11;
const FOUND: u32 = 12;

/// Bits of the number of hops in an event; no lookup takes more.
const HOPS: u32 = 4;

struct World<'a> {
    plan: &'a Yardstick,
    nodes: Vec<Node>,
    ids: Vec<u32>,
    buckets: Buckets,
    end: u32,
    now: u32,
    counts: Counts,
    hops: [u64; 1 << HOPS],
    touched: u32,
}

/// An event after its time: to whom, one word of contents, from whom, after how many hops, and what it is.
struct Content {
    to: u32,
    word: u32,
    from: u32,
    hops: u32,
    kind: u32,
}

impl Content {
    fn at(&self, time: u32) -> Event {
        let last = self.from << (HOPS + 4) | self.hops << 4 | self.kind;
        Event::from(time) << 96
            | Event::from(self.to) << 64
            | Event::from(self.word) << 32
            | Event::from(last)
    }

    #[expect(clippy::cast_possible_truncation, reason = "the quarters of an event")]
    const fn of(event: Event) -> Self {
        let last = event as u32;
        Self {
            to: (event >> 64) as u32,
            word: (event >> 32) as u32,
            from: last >> (HOPS + 4),
            hops: last >> 4 & ((1 << HOPS) - 1),
            kind: last & 15,
        }
    }
}

pub(super) fn run(plan: &Yardstick, progress: &mut dyn FnMut(u64, u64)) -> Counts {
    let ids = ids(plan.nodes.clamp(1, MAX_NODES), plan.seed);
    let end = u32::try_from(plan.duration.0).unwrap_or(u32::MAX).min(u32::MAX - PERIODS[1]);
    let mut world = World {
        plan,
        nodes: perfect_ring(&ids, plan.seed),
        ids,
        buckets: Buckets::new(),
        end,
        now: 0,
        counts: Counts::default(),
        hops: [0; 1 << HOPS],
        touched: 0,
    };
    world.start_timers();
    let mut ready = Vec::new();
    while world.buckets.next_bucket(&mut ready) {
        world.counts.events += ready.len() as u64;
        world.happen_all(&ready);
        progress(u64::from(world.now), u64::from(end));
    }
    for (hops, count) in (0..).zip(world.hops) {
        world.counts.hops.add_many(hops, count);
    }
    std::hint::black_box(world.touched);
    world.counts
}

impl World<'_> {
    fn start_timers(&mut self) {
        for number in 0..self.nodes.len() {
            let Some(node) = self.nodes.get_mut(number) else { return };
            let to = u32::try_from(number).unwrap_or(u32::MAX);
            for (kind, period) in (0..).zip(PERIODS) {
                let phase = phase(node.draw(), period);
                if phase < self.end {
                    let event = Content { to, word: 0, from: 0, hops: 0, kind }.at(phase);
                    self.buckets.push(event);
                }
            }
        }
    }

    /// Many events, batch by batch: what a batch will read is read before, first the nodes and then the fingers, so
    /// that the memory delivers all of it at the same time.
    fn happen_all(&mut self, ready: &[Event]) {
        for batch in ready.chunks(BATCH) {
            self.touched ^= batch.iter().fold(0, |sum, event| sum ^ self.touch_node(*event));
            self.touched ^= batch.iter().fold(0, |sum, event| sum ^ self.touch_finger(*event));
            for event in batch {
                self.now = time_of(*event);
                self.counts.trace = trace(self.counts.trace, *event);
                self.happen(&Content::of(*event));
            }
        }
    }

    fn touch_node(&self, event: Event) -> u32 {
        self.nodes.get(Content::of(event).to as usize).map_or(0, |node| node.id)
    }

    fn touch_finger(&self, event: Event) -> u32 {
        let content = Content::of(event);
        let touch = |node: &Node| node.nearest_below(content.word.wrapping_sub(node.id));
        self.nodes.get(content.to as usize).map_or(0, touch)
    }

    fn happen(&mut self, event: &Content) {
        let Some(node) = self.nodes.get_mut(event.to as usize) else { return };
        let (me, now) = (event.to, self.now);
        match event.kind {
            STABILIZE => {
                let to = node.successor().node;
                self.counts.timeouts += ask(node, STABILIZE, now);
                self.send(to, 0, me, 0, GET_PREDECESSOR);
                self.timer_again(me, STABILIZE);
            }
            GET_PREDECESSOR => {
                let word = node.predecessor;
                self.send(event.from, word, me, 0, PREDECESSOR);
            }
            PREDECESSOR => {
                answered(node, STABILIZE);
                self.stabilized(me, event.word);
            }
            NOTIFY => self.notified(me, event.from, event.word),
            CHECK => {
                let to = node.predecessor;
                self.counts.timeouts += ask(node, CHECK, now);
                self.send(to, 0, me, 0, PING);
                self.timer_again(me, CHECK);
            }
            PING => self.send(event.from, 0, me, 0, PONG),
            PONG => answered(node, CHECK),
            FIX => {
                let key = node.id.wrapping_add(1_u32.wrapping_shl(node.fixing));
                self.counts.timeouts += ask(node, FIX, now);
                self.find(me, key, me, 0, FIND_FINGER);
                self.timer_again(me, FIX);
            }
            LOOK_UP => {
                let key = low(node.draw());
                self.counts.timeouts += ask(node, LOOK_UP, now);
                self.counts.lookups += 1;
                self.find(me, key, me, 0, FIND);
                self.timer_again(me, LOOK_UP);
            }
            FIND | FIND_FINGER => self.find(me, event.word, event.from, event.hops, event.kind),
            FOUND_FINGER => self.found_finger(me, event.word),
            _ => self.found(me, event.hops),
        }
    }

    /// Sends a message, which is counted if it leaves before the end and kept if it arrives before it.
    fn send(&mut self, to: u32, word: u32, from: u32, hops: u32, kind: u32) {
        self.counts.messages += 1;
        let at = self.now + LATENCY;
        if at < self.end {
            self.buckets.push(Content { to, word, from, hops, kind }.at(at));
        }
    }

    fn timer_again(&mut self, me: u32, kind: u32) {
        self.counts.timers += 1;
        let at = self.now + PERIODS.get(kind as usize).copied().unwrap_or(u32::MAX);
        if at < self.end {
            self.buckets.push(Content { to: me, word: 0, from: 0, hops: 0, kind }.at(at));
        }
    }

    /// The node `me` is asked for a key, on behalf of `origin`.
    fn find(&mut self, me: u32, key: u32, origin: u32, hops: u32, kind: u32) {
        let Some(node) = self.nodes.get(me as usize) else { return };
        let way = key.wrapping_sub(node.id);
        let successor_of_me = node.successor();
        if way.wrapping_sub(1) >= successor_of_me.way {
            let next = node.closest_preceding(if way == 0 { u32::MAX } else { way });
            return self.send(next, key, origin, (hops + 1).min((1 << HOPS) - 1), kind);
        }
        let owner = successor_of_me.node;
        if self.plan.is_checked {
            self.counts.wrong += u64::from(successor(&self.ids, key) != owner);
        }
        match (me == origin, kind) {
            (true, FIND) => self.found(me, hops),
            (true, _) => self.found_finger(me, owner),
            (false, FIND) => self.send(origin, owner, me, hops, FOUND),
            (false, _) => self.send(origin, owner, me, hops, FOUND_FINGER),
        }
    }

    fn found(&mut self, me: u32, hops: u32) {
        if let Some(node) = self.nodes.get_mut(me as usize) {
            answered(node, LOOK_UP);
        }
        if let Some(count) = self.hops.get_mut(hops as usize) {
            *count += 1;
        }
    }

    fn found_finger(&mut self, me: u32, owner: u32) {
        let id = self.ids.get(owner as usize).copied().unwrap_or_default();
        if let Some(node) = self.nodes.get_mut(me as usize) {
            answered(node, FIX);
            node.fix(owner, id);
        }
    }

    /// The successor's predecessor is known: it is adopted if it lies between, and the successor is notified.
    fn stabilized(&mut self, me: u32, candidate: u32) {
        let Some(node) = self.nodes.get_mut(me as usize) else { return };
        let id = node.id;
        if candidate != me {
            let there = self.ids.get(candidate as usize).copied().unwrap_or_default();
            let way = there.wrapping_sub(id);
            if let [successor, ..] = &mut node.fingers
                && way < successor.way
            {
                (successor.way, successor.node) = (way, candidate);
            }
        }
        let to = node.successor().node;
        self.send(to, id, me, 0, NOTIFY);
    }

    /// `from`, whose id is `id`, believes that it is the predecessor.
    fn notified(&mut self, me: u32, from: u32, id: u32) {
        let Some(node) = self.nodes.get_mut(me as usize) else { return };
        if from == node.predecessor {
            return;
        }
        let known = self.ids.get(node.predecessor as usize).copied().unwrap_or_default();
        if node.id.wrapping_sub(id) < node.id.wrapping_sub(known) {
            node.predecessor = from;
        }
    }
}

/// Notes that a request is open; says whether the last one of this timer has been open for too long. So a deadline
/// costs nothing unless it passes.
fn ask(node: &mut Node, timer: u32, now: u32) -> u64 {
    let Some(asked) = node.asked.get_mut(timer as usize) else { return 0 };
    let is_late = *asked != 0 && now + 1 - *asked >= PATIENCE;
    if *asked == 0 || is_late {
        *asked = now + 1;
    }
    u64::from(is_late)
}

fn answered(node: &mut Node, timer: u32) {
    if let Some(asked) = node.asked.get_mut(timer as usize) {
        *asked = 0;
    }
}

/// The part of a period that the 53 upper bits of a draw give.
fn phase(draw: u64, period: u32) -> u32 {
    let part = u128::from(draw >> 11) * u128::from(period);
    u32::try_from(part >> 53).unwrap_or(0)
}

/// One more event in the hash over all.
const fn trace(hash: u64, event: Event) -> u64 {
    #[expect(clippy::cast_possible_truncation, reason = "both halves go in")]
    let mixed = (event >> 64) as u64 ^ (event as u64).rotate_left(29);
    (hash ^ mixed).wrapping_mul(0x9FB2_1C65_1E98_DF25).rotate_left(31)
}
