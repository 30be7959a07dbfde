//! A world of chord cores that can be repeated: one queue of events, a network with delay, loss and
//! duplication, crashes and restarts. After every event the invariants are checked.

use crate::manner::Manner;
use chord::check::{Assumptions, Blame, RingReport, RingViolation, View, breaks_assumptions, check_ring};
use chord::{Chord, Config, Input, Output, Routing};
use proto::key::PublicKey;
use proto::message::chord::{self as message, Announce, ChordMessage};
use proto::wire::Wire;
use proto::{Hash, Peer, RingId, Span, Time};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::collections::BTreeMap;

/// What the network does to messages.
#[derive(Clone, Copy)]
pub(crate) struct Net {
    /// Delay is drawn evenly from this range, so messages overtake each other.
    pub(crate) delay: (Span, Span),
    /// Lost ones in a thousand.
    pub(crate) lost: u64,
    /// Doubled ones in a thousand.
    pub(crate) doubled: u64,
    /// Whether a message to a dead node comes back as unreachable.
    pub(crate) refuses: bool,
}

impl Net {
    pub(crate) const LAN: Self =
        Self { delay: (Span::millis(1), Span::millis(20)), lost: 0, doubled: 0, refuses: false };
    pub(crate) const REFUSING: Self = Self { refuses: true, ..Self::LAN };
    pub(crate) const LOSSY: Self =
        Self { delay: (Span::millis(1), Span::millis(80)), lost: 50, doubled: 30, refuses: false };
}

#[derive(Debug)]
enum Event {
    Deliver { from: Peer, to: usize, message: ChordMessage },
    Unreachable { at: usize, peer: Peer },
    Timer { at: usize, life: u32 },
}

/// One place of the ring, and who lives there.
struct Place {
    peer: Peer,
    life: u32,
    core: Option<Chord>,
    timer: Option<Time>,
    manner: Option<Manner>,
    /// How far its clock is ahead of the world's.
    ahead: Span,
}

/// How a lookup ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) key: RingId,
    pub(crate) owner: Option<Peer>,
    pub(crate) hops: u32,
}

pub(crate) struct World {
    pub(crate) now: Time,
    pub(crate) rng: ChaCha8Rng,
    pub(crate) assumptions: Assumptions,
    /// What happened besides messages and lookups, by place.
    pub(crate) news: Vec<(usize, Output)>,
    pub(crate) outcomes: BTreeMap<u64, Outcome>,
    /// Whether the whole ring is checked after every event, or only the nodes themselves.
    pub(crate) is_watched: bool,
    /// Violations that a broken assumption explains.
    pub(crate) excused: u64,
    pub(crate) trace: Hash,
    /// How many messages were sent, and how many of them were hints that somebody lies nearer.
    pub(crate) sent: (u64, u64),
    config: Config,
    net: Net,
    places: Vec<Place>,
    queue: BTreeMap<(Time, u64), Event>,
    serial: u64,
}

impl World {
    /// `count` places, all of them empty.
    pub(crate) fn new(count: usize, config: Config, net: Net, seed: u64) -> Self {
        let place = |index: usize| {
            let number = u16::try_from(index).unwrap();
            let [high, low] = number.to_be_bytes();
            let addr = format!("10.1.{high}.{low}:7000").parse().unwrap();
            let key = PublicKey([low; 32]);
            Place {
                peer: Peer::new(addr, number, key),
                life: 0,
                core: None,
                timer: None,
                manner: None,
                ahead: Span(0),
            }
        };
        let assumptions =
            Assumptions { successors: config.successors, is_formed: false, hold: net.lost == 0 };
        Self {
            now: Time(1_000_000),
            rng: ChaCha8Rng::seed_from_u64(seed),
            assumptions,
            news: Vec::new(),
            outcomes: BTreeMap::new(),
            is_watched: true,
            excused: 0,
            trace: Hash::default(),
            sent: (0, 0),
            config,
            net,
            places: (0..count).map(place).collect(),
            queue: BTreeMap::new(),
            serial: 0,
        }
    }

    /// A converged ring of all `count` places.
    pub(crate) fn ideal(count: usize, config: Config, net: Net, seed: u64) -> Self {
        let mut world = Self::new(count, config, net, seed);
        world.is_watched = count <= 32;
        world.start(0);
        world.give(0, Input::Create);
        for index in 1..count {
            world.join(index, &[0]);
            world.run(Span::millis(40));
        }
        world.settle(Span::secs(120));
        world.assumptions.hold = net.lost == 0;
        world
    }

    pub(crate) fn peer(&self, index: usize) -> Peer {
        self.places[index].peer
    }

    pub(crate) fn core(&self, index: usize) -> &Chord {
        self.places[index].core.as_ref().unwrap()
    }

    pub(crate) fn is_running(&self, index: usize) -> bool {
        self.places[index].core.is_some()
    }

    /// The places whose node is a member.
    pub(crate) fn members(&self) -> Vec<usize> {
        let is_member = |place: &Place| place.core.as_ref().is_some_and(Chord::is_member);
        (0..self.places.len()).filter(|index| is_member(&self.places[*index])).collect()
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.rng.next_u64() % u64::try_from(bound).unwrap()).unwrap()
    }

    pub(crate) fn random_key(&mut self) -> RingId {
        RingId::hash(&self.rng.next_u64().to_be_bytes())
    }

    /// Starts a fresh node that has forgotten everything.
    pub(crate) fn start(&mut self, index: usize) {
        let mut seed = [0; 32];
        self.rng.fill_bytes(&mut seed);
        let place = &mut self.places[index];
        place.life += 1;
        place.core = Some(Chord::new(self.config.clone(), place.peer, seed, self.now));
        place.timer = None;
    }

    pub(crate) fn join(&mut self, index: usize, via: &[usize]) {
        self.start(index);
        let via = via.iter().map(|other| self.peer(*other)).collect();
        self.give(index, Input::Join { via });
    }

    /// From now on a node answers in this manner. Others take it for dead, which the proof excludes.
    pub(crate) fn behave(&mut self, index: usize, manner: Manner) {
        self.assumptions.hold = false;
        self.places[index].manner = Some(manner);
    }

    /// A node's clock jumps ahead.
    pub(crate) fn skip(&mut self, index: usize, span: Span) {
        let place = &mut self.places[index];
        place.ahead = place.ahead.plus(span);
        self.give(index, Input::Timeout);
    }

    /// A node tells everybody that the whole circle is its arc.
    pub(crate) fn boast(&mut self, index: usize) {
        let node = self.peer(index);
        let place = message::Place { node, after: node.id() };
        for other in self.members() {
            let message = ChordMessage::Announce(Announce { place, until: self.peer(other).id() });
            self.give(other, Input::Receive { from: node, message });
        }
    }

    /// Whether the failure of this node would break the assumptions of Zave's proof.
    pub(crate) fn is_needed(&self, index: usize) -> bool {
        breaks_assumptions(&self.views(), self.assumptions, self.peer(index).id())
    }

    pub(crate) fn kill(&mut self, index: usize) {
        self.assumptions.hold &= !self.is_needed(index);
        self.places[index].core = None;
        self.places[index].timer = None;
        self.check();
    }

    /// Lets a member leave in order.
    pub(crate) fn leave(&mut self, index: usize) {
        self.assumptions.hold &= !self.is_needed(index);
        self.give(index, Input::Leave);
        self.places[index].core = None;
        self.check();
    }

    /// Gives an input, and executes what comes out.
    pub(crate) fn give(&mut self, index: usize, input: Input) {
        let ahead = self.places[index].ahead;
        let now = self.now.after(ahead);
        let Some(core) = self.places[index].core.as_mut() else { return };
        let before = core.view();
        core.handle(input, now);
        core.check().unwrap_or_else(|violation| panic!("{violation} at {index}, {now:?}"));
        let is_changed = before != core.view();
        let outputs: Vec<Output> = std::iter::from_fn(|| core.poll_output()).collect();
        let timer = core.poll_timeout().map(|due| Time(due.0.saturating_sub(ahead.0)));
        for output in outputs {
            self.execute(index, output);
        }
        let place = &mut self.places[index];
        if let Some(at) = timer.filter(|_| place.timer != timer) {
            place.timer = timer;
            let life = place.life;
            self.schedule(at, Event::Timer { at: index, life });
        }
        if is_changed {
            self.check();
        }
    }

    fn execute(&mut self, index: usize, output: Output) {
        match output {
            Output::Send { to, message } => self.post(index, to, message),
            Output::Found { token, key, owner, hops, .. } => {
                let doubled = self.outcomes.insert(token, Outcome { key, owner: Some(owner), hops });
                assert_eq!(doubled, None, "two outcomes of one lookup");
            }
            Output::NotFound { token, key, .. } => {
                let doubled = self.outcomes.insert(token, Outcome { key, owner: None, hops: 0 });
                assert_eq!(doubled, None, "two outcomes of one lookup");
            }
            other => self.news.push((index, other)),
        }
    }

    /// From now on the network is another one.
    pub(crate) fn disturb(&mut self, net: Net) {
        self.net = net;
        self.is_watched = false;
    }

    fn post(&mut self, index: usize, to: Peer, message: ChordMessage) {
        let from = self.peer(index);
        let spoilt = match self.places[index].manner {
            Some(manner) => manner.of(from, to, message),
            None => Some((to, message, Span(0))),
        };
        let Some((to, message, late)) = spoilt else { return };
        let Some(target) = self.places.iter().position(|place| place.peer == to) else { return };
        self.sent.0 += 1;
        self.sent.1 += u64::from(matches!(message, ChordMessage::Nearer(_)));
        let copies = 1 + u64::from(self.rng.next_u64() % 1_000 < self.net.doubled);
        for _ in 0..copies {
            if self.rng.next_u64() % 1_000 < self.net.lost {
                continue;
            }
            let at = self.now.after(late.plus(self.delay()));
            self.schedule(at, Event::Deliver { from, to: target, message: message.clone() });
        }
    }

    fn delay(&mut self) -> Span {
        let (least, most) = self.net.delay;
        Span(least.0 + self.rng.next_u64() % (most.0 - least.0 + 1))
    }

    fn schedule(&mut self, at: Time, event: Event) {
        self.serial += 1;
        self.queue.insert((at.max(self.now), self.serial), event);
    }

    /// Runs the world for `span`.
    pub(crate) fn run(&mut self, span: Span) {
        let end = self.now.after(span);
        while let Some(entry) = self.queue.first_entry().filter(|entry| entry.key().0 <= end) {
            let ((at, _), event) = entry.remove_entry();
            self.now = at;
            self.happen(event);
        }
        self.now = end;
    }

    fn happen(&mut self, event: Event) {
        self.remember(&event);
        match event {
            Event::Deliver { from, to, message } if self.is_running(to) => {
                self.give(to, Input::Receive { from, message });
            }
            Event::Deliver { from, to, .. } => {
                let sender = self.places.iter().position(|place| place.peer == from).unwrap();
                if self.net.refuses {
                    let at = self.now.after(self.delay());
                    let peer = self.peer(to);
                    self.schedule(at, Event::Unreachable { at: sender, peer });
                }
            }
            Event::Unreachable { at, peer } => self.give(at, Input::Unreachable { peer }),
            Event::Timer { at, life } => {
                let place = &mut self.places[at];
                if place.life == life && place.timer == Some(self.now) {
                    place.timer = None;
                    self.give(at, Input::Timeout);
                    let (core, ahead) = (self.places[at].core.as_ref(), self.places[at].ahead);
                    let next = core.and_then(Chord::poll_timeout);
                    assert!(
                        next.is_none_or(|next| next > self.now.after(ahead)),
                        "a deadline that has passed"
                    );
                }
            }
        }
    }

    fn is_joining(&self) -> bool {
        let mut cores = self.places.iter().filter_map(|place| place.core.as_ref());
        cores.any(|core| !core.is_member() && core.poll_timeout().is_some())
    }

    fn remember(&mut self, event: &Event) {
        let mut line = self.trace.0.to_vec();
        line.extend(self.now.0.to_be_bytes());
        match event {
            Event::Deliver { from, to, message } => {
                line.extend(from.id().0);
                line.extend(to.to_be_bytes());
                line.extend(message.encode());
            }
            Event::Unreachable { at, peer } => {
                line.extend(peer.id().0);
                line.extend(at.to_be_bytes());
            }
            Event::Timer { at, life } => {
                line.extend(at.to_be_bytes());
                line.extend(life.to_be_bytes());
            }
        }
        self.trace = Hash::of(&line);
    }

    fn views(&self) -> Vec<View> {
        self.places.iter().filter_map(|place| place.core.as_ref().and_then(Chord::view)).collect()
    }

    pub(crate) fn report(&self) -> Result<RingReport, RingViolation> {
        check_ring(&self.views(), self.assumptions)
    }

    fn check(&mut self) {
        if !self.is_watched {
            return;
        }
        match self.report() {
            Err(violation) if violation.blame == Blame::ProtocolBug => {
                panic!("{violation} at {:?}: {:?}", self.now, self.views());
            }
            Err(_) => self.excused += 1,
            Ok(report) => self.assumptions.is_formed |= report.is_formed,
        }
    }

    /// Runs until every pointer is right, and returns how long that took; panics after `most`.
    pub(crate) fn settle(&mut self, most: Span) -> Span {
        let start = self.now;
        while self.is_joining() || !self.report().is_ok_and(|report| report.is_ideal) {
            assert!(self.now.since(start) < most, "not settled: {:?} {:?}", self.report(), self.views());
            self.run(Span::millis(50));
        }
        self.now.since(start)
    }

    /// The member that answers for `key` in truth.
    pub(crate) fn owner(&self, key: RingId) -> Peer {
        let members = self.members().into_iter().map(|index| self.peer(index));
        members.min_by_key(|peer| chord::interval::distance(key, peer.id())).unwrap()
    }

    /// Looks `keys` random keys up from every member, and asserts that all find the true owner. Returns the
    /// mean hops.
    pub(crate) fn assert_lookups(&mut self, keys: usize) -> f64 {
        let first = self.outcomes.keys().next_back().map_or(0, |last| last + 1);
        let mut token = first;
        for index in self.members() {
            for _ in 0..keys {
                let key = self.random_key();
                self.give(index, Input::Lookup { token, key });
                token += 1;
            }
        }
        self.run(self.config.lookup_timeout);
        let outcomes: Vec<Outcome> = self.outcomes.range(first..).map(|(_, outcome)| *outcome).collect();
        assert_eq!(u64::try_from(outcomes.len()).unwrap(), token - first);
        for outcome in &outcomes {
            assert_eq!(
                outcome.owner,
                Some(self.owner(outcome.key)),
                "{:?} {:?}",
                outcome.key,
                self.config.routing
            );
        }
        let hops: u32 = outcomes.iter().map(|outcome| outcome.hops).sum();
        f64::from(hops) / f64::from(u32::try_from(outcomes.len()).unwrap())
    }
}

/// The periods of a local network, with lists of `successors` and lookups as in the paper.
pub(crate) fn plain(successors: usize) -> Config {
    Config { routing: Routing::PLAIN, ..local(successors) }
}

/// The periods of a local network, with lists of `successors`.
pub(crate) fn local(successors: usize) -> Config {
    Config { successors, ..Config::LOCAL }
}
