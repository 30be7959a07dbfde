//! The run: events by time, nodes by number, and the truth to compare with.

use super::circle::Circle;
use super::distance::Distance;
use super::measured::Measured;
use super::number::{Number, mix};
use super::plan::Plan;
use super::population::Population;
use super::slab::Slab;
use super::watch::Watch;
use crate::dice::{Dice, derive};
use crate::queue::Queue;
use chord::{Chord, Config, Input, LookupFailure, Output};
use proto::message::chord::ChordMessage;
use proto::{RingId, Span, Time};
use std::collections::VecDeque;
use std::hint::black_box;
use std::sync::Arc;

/// How long a node waits before it tries to join once more.
const JOIN_AGAIN: Span = Span::secs(1);
/// Contacts of a newcomer.
const CONTACTS: usize = 3;
/// Events that are looked at together before they happen.
const BATCH: usize = 16;
/// Microseconds after which nothing happens any more, 35 years: no run gets there, and no deadline beyond is kept.
const HORIZON: u64 = 1 << 50;
/// Events between two reports of progress.
const REPORT_EVERY: u64 = 1 << 16;

#[derive(Clone, Copy, Debug)]
enum Event {
    Timer(Number),
    Mail { to: Number, mail: u32 },
    Lookup,
    Join,
    Leave,
    Again(Number),
}

impl Event {
    /// The node that it happens to.
    const fn node(self) -> Option<Number> {
        match self {
            Self::Timer(node) | Self::Mail { to: node, .. } => Some(node),
            Self::Lookup | Self::Join | Self::Leave | Self::Again(_) => None,
        }
    }
}

struct Asked {
    key: RingId,
    at: u64,
}

pub(crate) struct World<'a> {
    plan: &'a Plan,
    config: Arc<Config>,
    now: u64,
    queue: Queue<Event>,
    population: Population,
    /// The number of the first node.
    first: u32,
    mail: Slab<(Number, ChordMessage<Number>)>,
    asked: Slab<Asked>,
    outputs: VecDeque<Output<Number>>,
    dice: Dice,
    watch: Watch,
    measured: Measured,
}

impl<'a> World<'a> {
    pub(crate) fn new(plan: &'a Plan) -> Self {
        let seed = derive(plan.seed, "ring", 0);
        let [a, b, c, d, ..] = seed;
        let mut world = Self {
            plan,
            config: Arc::new(plan.config.clone()),
            now: 0,
            queue: Queue::default(),
            // Another seed has other nodes.
            population: Population::new(u32::from_le_bytes([a, b, c, d])),
            first: 0,
            mail: Slab::new(),
            asked: Slab::new(),
            outputs: VecDeque::new(),
            dice: Dice::new(plan.seed, "ring", 1),
            watch: Watch::new(plan),
            measured: Measured::default(),
        };
        world.settle();
        world
    }

    /// Runs until every lookup has ended.
    pub(crate) fn run(mut self, progress: &mut dyn FnMut(u64, u64)) -> Measured {
        self.fail_at_once();
        if self.plan.churn.is_some() {
            self.schedule_churn(Event::Join);
            self.schedule_churn(Event::Leave);
        }
        if self.plan.lookups > 0 {
            self.queue.push(Time(self.plan.warm_up.0), Event::Lookup);
        }
        let mut touched = 0_usize;
        while let Some((Time(at), event)) = self.queue.pop() {
            if touched == 0 {
                touched = self.touch();
            }
            touched = touched.saturating_sub(1);
            self.now = self.now.max(at);
            self.measured.events += 1;
            self.happen(event);
            if self.measured.events.is_multiple_of(REPORT_EVERY) {
                progress(self.ended(), self.plan.lookups);
            }
            if self.ended() >= self.plan.lookups {
                break;
            }
        }
        // Whoever looks at the memory now sees that of the ring, without what the checker needs for a moment.
        progress(self.ended(), self.plan.lookups);
        self.watch.look(&mut self.measured, &self.population);
        self.measured.lasted = Span(self.now);
        self.measured.nodes = u64::try_from(self.population.members()).unwrap_or(u64::MAX);
        self.measured.footprint = self.population.footprint();
        self.measured
    }

    fn ended(&self) -> u64 {
        let Measured { failed, abandoned, .. } = self.measured;
        self.measured.hops.total() + failed + abandoned
    }

    /// All nodes in a ring that was repaired long ago.
    fn settle(&mut self) {
        let first = self.population.next().0;
        self.first = first;
        let circle = Circle::new((0..self.plan.nodes).map(|node| Number(first.wrapping_add(node))));
        let mut places: Vec<(u32, usize)> =
            circle.nodes().map(|number| number.0.wrapping_sub(first)).zip(0..).collect();
        places.sort_unstable();
        let mut known = circle.known(self.plan.config.routing.view);
        let way = |from: Number, to: Number| self.plan.latency.way(from.prefix(), to.prefix());
        for (_, place) in places {
            let number = self.population.next();
            let neighbours = circle.neighbours(place, &self.plan.config, way, &mut known);
            let seed = seed_of(self.plan.seed, number);
            let node = Chord::settled(Arc::clone(&self.config), number, seed, neighbours, Time(0));
            self.population.add(node);
            self.population.joined(number);
            self.arm(number);
        }
    }

    fn fail_at_once(&mut self) {
        for number in self.population.living().to_vec() {
            if self.dice.is_hit(self.plan.fail) {
                self.population.remove(number);
            }
        }
    }

    /// A node is gone, and with it who asked for what it was looking up.
    fn remove(&mut self, number: Number) {
        if let Some(gone) = self.population.remove(number) {
            self.measured.left += 1;
            self.measured.abandoned += u64::from(gone.asking);
        }
    }

    /// Reads what the next events will read, so that the memory delivers it all at the same time: a node of a large
    /// ring is in no cache when its turn comes. How many events were looked at.
    fn touch(&self) -> usize {
        let soon = self.queue.soon(BATCH);
        let nodes = || soon.iter().filter_map(|(_, event)| self.population.slot(event.node()?));
        let first = nodes().fold(0, |sum, slot| sum ^ slot.wake);
        let second = nodes().filter_map(|slot| slot.node.poll_timeout()).fold(0, |sum, due| sum ^ due.0);
        let third =
            nodes().filter_map(|slot| slot.node.successors().first()).fold(0, |sum, peer| sum ^ peer.0);
        let fourth = nodes().filter_map(|slot| slot.node.fingers().next()).fold(0, |sum, peer| sum ^ peer.0);
        black_box((first, second, third, fourth));
        soon.len()
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Timer(number) => {
                let now = self.now;
                let is_due = |slot: &mut super::population::Slot| {
                    let is_due = slot.wake == now;
                    if is_due {
                        slot.wake = u64::MAX;
                    }
                    is_due
                };
                if self.population.slot_mut(number).is_some_and(is_due) {
                    self.give(number, Input::Timeout);
                }
            }
            Event::Mail { to, mail } => {
                if let Some((from, message)) = self.mail.take(mail)
                    && self.carries(to, &message)
                {
                    self.give(to, Input::Receive { from, message });
                }
            }
            Event::Lookup => self.look_up(),
            Event::Join => self.join(),
            Event::Leave => self.leave(),
            Event::Again(number) => self.enter(number),
        }
    }

    /// Whether a node takes a message: some drop questions of lookups that end at others.
    fn carries(&mut self, to: Number, message: &ChordMessage<Number>) -> bool {
        let Some(carriers) = &self.plan.carriers else { return true };
        let key = match message {
            ChordMessage::FindNext(question) => question.key,
            ChordMessage::Route(question) => question.key,
            _ => return true,
        };
        if self.population.owner(key) == Some(to) {
            return true;
        }
        // Numbers go round from the first one's on; `next` has given that one to the first node.
        let place = usize::try_from(to.0.wrapping_sub(self.first)).unwrap_or(usize::MAX);
        let does = carriers.get(place).copied().unwrap_or(true);
        self.measured.carried.resize(carriers.len(), 0);
        if does && let Some(count) = self.measured.carried.get_mut(place) {
            *count += 1;
        }
        does
    }

    /// Gives a node an input, and does what it wants done.
    fn give(&mut self, number: Number, input: Input<Number>) {
        let now = Time(self.now);
        let mut outputs = std::mem::take(&mut self.outputs);
        let Some(slot) = self.population.slot_mut(number) else {
            self.outputs = outputs;
            return;
        };
        slot.node.handle_into(input, now, &mut outputs);
        for output in outputs.drain(..) {
            self.carry_out(number, output);
        }
        self.outputs = outputs;
        self.arm(number);
        self.watch.tick(&mut self.measured, &self.population);
    }

    fn carry_out(&mut self, number: Number, output: Output<Number>) {
        match output {
            Output::Send { to, message } => self.post(number, to, message),
            Output::Found { token, owner, hops, timeouts, .. } => {
                let Some(asked) = self.answered(number, token) else { return };
                self.measured.hops.add(hops);
                self.measured.timeouts.add(timeouts);
                self.measured.latency.push(u32::try_from(self.now - asked.at).unwrap_or(u32::MAX));
                if let Distance::Space { .. } = self.plan.latency
                    && owner != number
                {
                    let direct = 2 * self.plan.latency.way(number.prefix(), owner.prefix()).0.max(1);
                    let stretch = (self.now - asked.at).saturating_mul(1_000) / direct;
                    self.measured.stretch.push(u32::try_from(stretch).unwrap_or(u32::MAX));
                }
                let is_right = self.population.owner(asked.key) == Some(owner);
                self.measured.wrong_owner += u64::from(!is_right);
            }
            Output::NotFound { token, reason, .. } => {
                let is_known = u64::from(self.answered(number, token).is_some());
                // Who leaves in order says so of what it was looking up.
                let count = match reason {
                    LookupFailure::NotMember => &mut self.measured.abandoned,
                    _ => &mut self.measured.failed,
                };
                *count += is_known;
            }
            Output::Joined => {
                self.population.joined(number);
                self.measured.joined += 1;
            }
            Output::JoinFailed { .. } | Output::Isolated { .. } => {
                self.population.fell_out(number);
                self.queue.push(Time(self.now).after(JOIN_AGAIN), Event::Again(number));
            }
            Output::RangeChanged { .. } | Output::Left => {}
        }
    }

    /// The lookup that has ended, unless it was abandoned.
    fn answered(&mut self, number: Number, token: u64) -> Option<Asked> {
        let asked = self.asked.take(u32::try_from(token).ok()?)?;
        let slot = self.population.slot_mut(number)?;
        slot.asking = slot.asking.checked_sub(1)?;
        Some(asked)
    }

    fn post(&mut self, from: Number, to: Number, message: ChordMessage<Number>) {
        self.measured.messages += 1;
        self.measured.bytes += size_of(&message);
        if self.dice.is_hit(self.plan.loss) {
            return;
        }
        let way = self.plan.latency.draw(&mut self.dice, (from.prefix(), to.prefix()));
        let at = self.now.saturating_add(way.0);
        let mail = self.mail.keep((from, message));
        self.queue.push(Time(at), Event::Mail { to, mail });
    }

    /// Has a node woken at its next deadline. A later wake-up than one that is due already is not needed.
    fn arm(&mut self, number: Number) {
        let now = self.now;
        let Some(slot) = self.population.slot_mut(number) else { return };
        let Some(Time(due)) = slot.node.poll_timeout() else { return };
        let due = due.max(now + 1);
        if due < slot.wake.min(HORIZON) {
            slot.wake = due;
            self.queue.push(Time(due), Event::Timer(number));
        }
    }

    fn look_up(&mut self) {
        self.measured.begun += 1;
        if self.measured.begun < self.plan.lookups {
            let gap = self.dice.exponential(self.plan.lookup_every);
            self.queue.push(Time(self.now.saturating_add(gap.0)), Event::Lookup);
        }
        let Some(origin) = self.population.anybody(&mut self.dice) else {
            self.measured.failed += 1;
            return;
        };
        let key = self.key();
        let token = u64::from(self.asked.keep(Asked { key, at: self.now }));
        if let Some(slot) = self.population.slot_mut(origin) {
            slot.asking += 1;
        }
        self.give(origin, Input::Lookup { token, key });
    }

    fn key(&mut self) -> RingId {
        if let Some(keys) = self.plan.keys {
            let number = self.dice.below(u64::from(keys.max(1)));
            return RingId::hash(&number.to_be_bytes());
        }
        let mut key = [0; 20];
        for place in &mut key {
            *place = u8::try_from(self.dice.below(256)).unwrap_or(0);
        }
        RingId(key)
    }

    fn join(&mut self) {
        self.schedule_churn(Event::Join);
        let number = self.population.next();
        let node =
            Chord::new(Arc::clone(&self.config), number, seed_of(self.plan.seed, number), Time(self.now));
        self.population.add(node);
        self.enter(number);
    }

    fn enter(&mut self, number: Number) {
        let via = (0..CONTACTS).filter_map(|_| self.population.anybody(&mut self.dice)).collect();
        self.give(number, Input::Join { via });
    }

    fn leave(&mut self) {
        self.schedule_churn(Event::Leave);
        let Some(number) = self.population.anybody(&mut self.dice) else { return };
        self.watch.departs(number, &self.population);
        // It does not want to know any more what it was looking up.
        if let Some(slot) = self.population.slot_mut(number) {
            self.measured.abandoned += u64::from(std::mem::take(&mut slot.asking));
        }
        if !self.plan.is_crash {
            self.give(number, Input::Leave);
        }
        self.remove(number);
    }

    fn schedule_churn(&mut self, event: Event) {
        if let Some(gap) = self.plan.churn {
            let gap = self.dice.exponential(gap);
            self.queue.push(Time(self.now.saturating_add(gap.0)), event);
        }
    }
}

fn seed_of(seed: u64, number: Number) -> [u8; 32] {
    let mut bytes = [0; 32];
    let words = [seed, u64::from(number.0)].map(mix);
    for (place, byte) in bytes.iter_mut().zip(words.iter().flat_map(|word| word.to_le_bytes())) {
        *place = byte;
    }
    bytes
}

fn size_of(message: &ChordMessage<Number>) -> u64 {
    let named = match message {
        ChordMessage::FindNext(_)
        | ChordMessage::FoundNode(_)
        | ChordMessage::Routed(_)
        | ChordMessage::Nearer(_) => 1,
        ChordMessage::Route(_) | ChordMessage::ArcReply(_) => 2,
        ChordMessage::Announce(_) => 3,
        ChordMessage::Compare(question) => 1 + 2 * question.digests.len(),
        ChordMessage::Compared(answer) => 2 * answer.places.len(),
        ChordMessage::CloserNodes(answer) => answer.peers.len(),
        ChordMessage::StateReply(answer) => answer.successors.len() + 1,
        ChordMessage::Leaving(message) => message.successors.len() + 1,
        _ => 0,
    };
    20 + 4 * u64::try_from(named).unwrap_or(u64::MAX)
}
