//! A part of the run: timers and messages of some nodes, in the order of their times.

use super::buckets::{Buckets, Event, time_of};
use super::node::{Node, low, perfect_ring, successor};
use super::{Counts, LATENCY, Yardstick};

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

/// Nodes that follow each other on the circle, with their events, and the counts of what happened to them.
pub(super) struct Part<'a> {
    plan: &'a Yardstick,
    /// The number of the first of them.
    first: u32,
    nodes: Vec<Node>,
    ids: &'a [u32],
    buckets: Buckets,
    end: u32,
    now: u32,
    counts: Counts,
    hops: [u64; 1 << HOPS],
    touched: u32,
    /// How many nodes a part has, but for the last.
    size: u32,
    /// Events for the nodes of other parts, by part.
    away: Vec<Vec<Event>>,
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

/// When a run ends, in microseconds.
fn end_of(plan: &Yardstick) -> u32 {
    u32::try_from(plan.duration.0).unwrap_or(u32::MAX).min(u32::MAX - PERIODS[1])
}

impl<'a> Part<'a> {
    /// The part of this number, where each has `size` nodes.
    pub(super) fn new(plan: &'a Yardstick, ids: &'a [u32], number: u32, size: u32) -> Self {
        let count = u32::try_from(ids.len()).unwrap_or(u32::MAX);
        let first = number.saturating_mul(size).min(count);
        let past = first.saturating_add(size).min(count);
        let mut part = Self {
            plan,
            first,
            nodes: perfect_ring(ids, plan.seed, first..past),
            ids,
            buckets: Buckets::new(),
            end: end_of(plan),
            now: 0,
            counts: Counts::default(),
            hops: [0; 1 << HOPS],
            touched: 0,
            size,
            away: (0..count.div_ceil(size)).map(|_| Vec::new()).collect(),
        };
        part.start_timers();
        part
    }

    /// Runs to the end. After each bucket of time `exchange` gets the events for other parts, and gives those that came
    /// from there: a message takes longer than a bucket lasts, so none of them is late.
    pub(super) fn run(
        mut self,
        exchange: &mut dyn FnMut(&mut [Vec<Event>], &mut Buckets),
        progress: &mut dyn FnMut(u64, u64),
    ) -> Counts {
        let mut ready = Vec::new();
        while self.buckets.begins() < self.end {
            self.buckets.next_bucket(&mut ready);
            self.counts.events += ready.len() as u64;
            self.happen_all(&ready);
            exchange(&mut self.away, &mut self.buckets);
            progress(u64::from(self.now), u64::from(self.end));
        }
        for (hops, count) in (0..).zip(self.hops) {
            self.counts.hops.add_many(hops, count);
        }
        std::hint::black_box(self.touched);
        self.counts
    }

    fn start_timers(&mut self) {
        for (to, place) in (self.first..).zip(0..self.nodes.len()) {
            let Some(node) = self.nodes.get_mut(place) else { return };
            for (kind, period) in (0..).zip(PERIODS) {
                let phase = phase(node.draw(), period);
                if phase < self.end {
                    let event = Content { to, word: 0, from: 0, hops: 0, kind }.at(phase);
                    self.buckets.push(event);
                }
            }
        }
    }

    fn node(&self, number: u32) -> Option<&Node> {
        self.nodes.get(number.wrapping_sub(self.first) as usize)
    }

    fn node_mut(&mut self, number: u32) -> Option<&mut Node> {
        self.nodes.get_mut(number.wrapping_sub(self.first) as usize)
    }

    /// Many events, batch by batch: what a batch will read is read before, first the nodes and then the fingers, so
    /// that the memory delivers all of it at the same time.
    fn happen_all(&mut self, ready: &[Event]) {
        for batch in ready.chunks(BATCH) {
            self.touched ^= batch.iter().fold(0, |sum, event| sum ^ self.touch_node(*event));
            self.touched ^= batch.iter().fold(0, |sum, event| sum ^ self.touch_finger(*event));
            for event in batch {
                self.now = time_of(*event);
                self.counts.trace = self.counts.trace.wrapping_add(trace(*event));
                self.happen(&Content::of(*event));
            }
        }
    }

    fn touch_node(&self, event: Event) -> u32 {
        self.node(Content::of(event).to).map_or(0, |node| node.id)
    }

    fn touch_finger(&self, event: Event) -> u32 {
        let content = Content::of(event);
        let touch = |node: &Node| node.nearest_below(content.word.wrapping_sub(node.id));
        self.node(content.to).map_or(0, touch)
    }

    fn happen(&mut self, event: &Content) {
        let (me, now) = (event.to, self.now);
        let Some(node) = self.node_mut(me) else { return };
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
        if at >= self.end {
            return;
        }
        let event = Content { to, word, from, hops, kind }.at(at);
        if (to.wrapping_sub(self.first) as usize) < self.nodes.len() {
            self.buckets.push(event);
        } else if let Some(away) = self.away.get_mut(to.checked_div(self.size).unwrap_or(0) as usize) {
            away.push(event);
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
        let Some(node) = self.node(me) else { return };
        let way = key.wrapping_sub(node.id);
        let successor_of_me = node.successor();
        if way.wrapping_sub(1) >= successor_of_me.way {
            let next = node.closest_preceding(if way == 0 { u32::MAX } else { way });
            return self.send(next, key, origin, (hops + 1).min((1 << HOPS) - 1), kind);
        }
        let owner = successor_of_me.node;
        if self.plan.is_checked {
            self.counts.wrong += u64::from(successor(self.ids, key) != owner);
        }
        match (me == origin, kind) {
            (true, FIND) => self.found(me, hops),
            (true, _) => self.found_finger(me, owner),
            (false, FIND) => self.send(origin, owner, me, hops, FOUND),
            (false, _) => self.send(origin, owner, me, hops, FOUND_FINGER),
        }
    }

    fn found(&mut self, me: u32, hops: u32) {
        if let Some(node) = self.node_mut(me) {
            answered(node, LOOK_UP);
        }
        if let Some(count) = self.hops.get_mut(hops as usize) {
            *count += 1;
        }
    }

    fn found_finger(&mut self, me: u32, owner: u32) {
        let id = self.ids.get(owner as usize).copied().unwrap_or_default();
        if let Some(node) = self.node_mut(me) {
            answered(node, FIX);
            node.fix(owner, id);
        }
    }

    /// The successor's predecessor is known: it is adopted if it lies between, and the successor is notified.
    fn stabilized(&mut self, me: u32, candidate: u32) {
        let ids = self.ids;
        let Some(node) = self.node_mut(me) else { return };
        let id = node.id;
        if candidate != me {
            let there = ids.get(candidate as usize).copied().unwrap_or_default();
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
        let ids = self.ids;
        let Some(node) = self.node_mut(me) else { return };
        if from == node.predecessor {
            return;
        }
        let known = ids.get(node.predecessor as usize).copied().unwrap_or_default();
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

/// What an event adds to the hash over all: the time and all else is in it, so that the order of adding does not count.
const fn trace(event: Event) -> u64 {
    #[expect(clippy::cast_possible_truncation, reason = "both halves go in")]
    let mixed = (event >> 64) as u64 ^ (event as u64).rotate_left(29);
    let mixed = mixed.wrapping_mul(0x9FB2_1C65_1E98_DF25);
    (mixed ^ (mixed >> 32)).wrapping_mul(0xD6E8_FEB8_6659_FD93).rotate_left(31)
}
