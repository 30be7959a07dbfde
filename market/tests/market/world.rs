//! A small world: virtual time, a ring that answers lookups, and a network that delays, loses and doubles.
//! The invariants of every node are checked after every event.

use crate::papers::{keys, peer, rules, supply};
use market::{Config, Input, Marketplace, Output, Overview, Shortage, Supply, placement};
use proto::Placement;
use proto::message::market::{Listing, MarketMessage, Requirement, Ticket};
use proto::message::survey::Survey;
use proto::wire::Wire;
use proto::{Hash, Peer, PublicKey, Range, Rate, RingId, Signed, Span, Time};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// What the network does, in per mille of messages.
#[derive(Clone, Copy, Default)]
pub(crate) struct Faults {
    pub(crate) lost: u64,
    pub(crate) doubled: u64,
    /// Whether senders learn that a dead node cannot be reached.
    pub(crate) is_noticed: bool,
}

enum Event {
    Input(u16, Box<Input>),
    Crash(u16),
    /// The ring tells a node what it answers for.
    Arc(u16),
    /// The ring has repaired itself.
    Repaired,
}

impl Event {
    fn input(n: u16, input: Input) -> Self {
        Self::Input(n, Box::new(input))
    }
}

/// What became of a purchase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Bought(Box<Signed<Ticket>>),
    NotBought(Shortage),
}

pub(crate) struct World {
    pub(crate) now: Time,
    pub(crate) nodes: BTreeMap<u16, Marketplace>,
    pub(crate) ends: BTreeMap<u64, (Time, End)>,
    /// How long a contract uses its slice.
    pub(crate) run: Span,
    /// A hash over everything that went out, in order.
    pub(crate) trace: Hash,
    /// The most purchases a node had under way.
    pub(crate) most_purchases: usize,
    pub(crate) lookups: u64,
    pub(crate) messages: u64,
    faults: Faults,
    queue: BTreeMap<(Time, u64), Event>,
    events: u64,
    rng: ChaCha8Rng,
    crashed: BTreeSet<u16>,
    /// What each node was told that it answers for.
    arcs: BTreeMap<u16, Range>,
    leaving: BTreeSet<u16>,
    /// Whether owners hand over: without, the messages of hand-overs are lost.
    pub(crate) hands_over: bool,
    /// Sellers whose confirmed listing was in nobody's books, with the time.
    pub(crate) vanished: BTreeSet<(Time, u16)>,
    tokens: BTreeMap<u64, u16>,
    surveyed: Option<Overview>,
    /// Whether lookups go on to name the dead.
    pub(crate) is_frozen: bool,
}

impl World {
    /// Nodes 0 to `size`, with ranges, and nothing to sell.
    pub(crate) fn new(size: u16, faults: Faults, seed: u8) -> Self {
        let mut world = Self {
            now: Time(0),
            nodes: BTreeMap::new(),
            ends: BTreeMap::new(),
            run: Span::secs(5),
            trace: Hash::default(),
            most_purchases: 0,
            lookups: 0,
            messages: 0,
            faults,
            queue: BTreeMap::new(),
            events: 0,
            rng: ChaCha8Rng::from_seed([seed; 32]),
            crashed: BTreeSet::new(),
            arcs: BTreeMap::new(),
            leaving: BTreeSet::new(),
            hands_over: true,
            vanished: BTreeSet::new(),
            tokens: BTreeMap::new(),
            surveyed: None,
            is_frozen: false,
        };
        for n in 0..size {
            world.join(n);
        }
        world.tell_ranges();
        world
    }

    pub(crate) fn join(&mut self, n: u16) {
        let mut seed = [0; 32];
        self.rng.fill_bytes(&mut seed);
        let node = Marketplace::new(Config { rules: rules(), bank: None }, peer(n), keys(n), seed, self.now);
        self.nodes.insert(n, node);
    }

    /// Tells every node the arc it answers for now: newcomers at once, the others a little later.
    pub(crate) fn tell_ranges(&mut self) {
        let is_first = self.arcs.is_empty();
        let nodes: Vec<u16> = self.nodes.keys().copied().collect();
        for n in nodes {
            let is_new = is_first || !self.arcs.contains_key(&n);
            let delay = if is_new { Span(0) } else { self.delay().times(2) };
            self.push(delay, Event::Arc(n));
        }
        if is_first {
            self.arcs = self.ring().into_iter().map(|(range, near)| (near[0], range)).collect();
        }
    }

    /// The arcs of the nodes, each with its node and those that follow.
    fn ring(&self) -> Vec<(Range, [u16; 4])> {
        let mut ring: Vec<(RingId, u16)> = self.nodes.keys().map(|n| (peer_cached(*n).id(), *n)).collect();
        ring.sort_unstable();
        let at = |place: usize| ring[place % ring.len()];
        let arc = |place: usize| Range { after: at(place + ring.len() - 1).0, until: at(place).0 };
        (0..ring.len()).map(|place| (arc(place), [0, 1, 2, 3].map(|ahead| at(place + ahead).1))).collect()
    }

    fn tell_arc(&mut self, n: u16) {
        let ring = self.ring();
        let Some((range, near)) = ring.iter().find(|(_, near)| near[0] == n) else { return };
        let predecessor = ring.iter().find(|(_, other)| other[1] == n).map(|(_, other)| peer(other[0]));
        let former = self.arcs.insert(n, *range);
        let heir = predecessor.filter(|_| former.is_some_and(|former| former != *range));
        let donor = former.is_none().then(|| peer(near[1]));
        self.give(n, Input::RangeChanged { range: *range, heir, donor });
        self.give(n, Input::Successors { peers: near[1..].iter().map(|n| peer(*n)).collect() });
    }

    /// The node behind `n`.
    pub(crate) fn next_of(&self, n: u16) -> u16 {
        self.ring().iter().find(|(_, near)| near[0] == n).map(|(_, near)| near[1]).unwrap()
    }

    /// Whether node `n` was there and is not any more.
    pub(crate) fn is_gone(&self, n: u16) -> bool {
        self.crashed.contains(&n)
    }

    /// A node leaves in order.
    pub(crate) fn leave(&mut self, n: u16) {
        self.leaving.insert(n);
        self.push(Span(0), Event::input(n, Input::Supply { supply: None }));
        self.push(Span(0), Event::input(n, Input::Leave));
    }

    /// Sellers that believe to be listed, and are in no books although who answers for their market as the ring has
    /// it would tell a buyer what is listed there; or that nobody knows at all any more.
    fn find_vanished(&mut self) {
        if self.is_frozen {
            return;
        }
        let keys = |listing: Listing| listing.seller.key;
        let listed: BTreeSet<PublicKey> =
            self.nodes.values().flat_map(Marketplace::listings).map(keys).collect();
        let kept: BTreeSet<PublicKey> = self.nodes.values().flat_map(Marketplace::kept).map(keys).collect();
        let is_lost = |(n, node): &(&u16, &Marketplace)| {
            let key = peer_cached(**n).key;
            let Some((market, _)) = node.listed().next().filter(|_| !listed.contains(&key)) else {
                return false;
            };
            let owner = &self.nodes[&self.owner_of(placement::key(Placement::Single, market))];
            owner.answers_for(market) || !kept.contains(&key)
        };
        let lost: Vec<_> = self.nodes.iter().filter(is_lost).map(|(n, _)| (self.now, *n)).collect();
        self.vanished.extend(lost);
    }

    pub(crate) fn sell(&mut self, n: u16, cores: u32, per_core: u64, ask: u64) {
        self.offer(n, supply(cores, per_core, ask));
    }

    pub(crate) fn offer(&mut self, n: u16, supply: Supply) {
        let supply = Some(supply);
        self.push(Span(0), Event::input(n, Input::Supply { supply }));
    }

    pub(crate) fn buy(&mut self, n: u16, token: u64, requirement: Requirement, bid: u64) {
        self.buy_together(n, &[token], requirement, bid);
    }

    /// Buys a slice for each of `tokens` in one batch.
    pub(crate) fn buy_together(&mut self, n: u16, tokens: &[u64], requirement: Requirement, bid: u64) {
        let id = |token: &u64| {
            let mut id = [0; 16];
            id[..8].copy_from_slice(&token.to_be_bytes());
            proto::CommandId(id)
        };
        self.tokens.extend(tokens.iter().map(|token| (*token, n)));
        let (token, tickets) = (tokens[0], tokens.iter().map(id).collect());
        let input = Input::Buy { token, tickets, requirement, bid: Rate(bid), avoid: vec![] };
        self.push(Span(0), Event::input(n, input));
    }

    /// What node `n` learns by a survey.
    pub(crate) fn survey(&mut self, n: u16, survey: Survey) -> Overview {
        self.push(Span(0), Event::input(n, Input::Survey { token: 1, survey: Box::new(survey) }));
        self.run_for(market::surveyor::SURVEY_DEADLINE);
        self.surveyed.take().expect("a survey ends by its deadline")
    }

    pub(crate) fn crash_in(&mut self, n: u16, delay: Span) {
        self.push(delay, Event::Crash(n));
    }

    /// Lets `span` pass.
    pub(crate) fn run_for(&mut self, span: Span) {
        let until = self.now.after(span);
        loop {
            let timer = self.nodes.iter().filter_map(|(n, node)| Some((node.poll_timeout()?, *n))).min();
            let event = self.queue.first_key_value().map(|((time, _), _)| *time);
            match (event, timer) {
                (Some(time), _) if time <= until && timer.is_none_or(|(due, _)| time <= due) => {
                    self.now = self.now.max(time);
                    let (_, event) = self.queue.pop_first().unwrap();
                    self.happen(event);
                }
                (_, Some((due, n))) if due <= until => {
                    self.now = self.now.max(due);
                    self.give(n, Input::Timeout);
                    let next = self.nodes.get(&n).and_then(Marketplace::poll_timeout);
                    assert!(next.is_none_or(|next| next > self.now), "node {n} does not meet its deadline");
                }
                _ => break,
            }
        }
        self.now = until;
    }

    /// Listings of living sellers in the books of their living owner, by seller.
    pub(crate) fn listed(&self) -> BTreeSet<u16> {
        let owned = self.nodes.values().flat_map(Marketplace::listings);
        owned.filter_map(|listing| self.number(&listing.seller)).collect()
    }

    pub(crate) fn sales(&self) -> usize {
        self.ends.values().filter(|(_, end)| matches!(end, End::Bought(_))).count()
    }

    /// The price of a purchase.
    pub(crate) fn price(&self, token: u64) -> Option<u64> {
        match &self.ends.get(&token)?.1 {
            End::Bought(ticket) => Some(ticket.body.clearing.0),
            End::NotBought(_) => None,
        }
    }

    pub(crate) fn owner_of(&self, key: RingId) -> u16 {
        let place = |n: &u16| peer(*n).id();
        let dead = self.crashed.iter().filter(|_| self.is_frozen);
        let all: BTreeSet<u16> = self.nodes.keys().chain(dead).copied().collect();
        let after = all.iter().filter(|n| place(n) >= key).min_by_key(|n| place(n));
        *after.or_else(|| all.iter().min_by_key(|n| place(n))).unwrap()
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Input(n, input) => self.give(n, *input),
            Event::Crash(n) => {
                self.nodes.remove(&n);
                self.crashed.insert(n);
                self.push(Span::millis(1_500), Event::Repaired);
            }
            Event::Repaired => self.tell_ranges(),
            Event::Arc(n) => self.tell_arc(n),
        }
    }

    fn give(&mut self, n: u16, input: Input) {
        let Some(node) = self.nodes.get_mut(&n) else { return self.bounce(n, input) };
        node.handle(input, self.now);
        assert_eq!(node.check(), Ok(()), "node {n} at {:?}", self.now);
        self.most_purchases = self.most_purchases.max(node.purchases().0);
        let outputs: Vec<Output> = std::iter::from_fn(|| node.poll_output()).collect();
        for output in outputs {
            self.record(n, &output);
            self.perform(n, output);
        }
        self.find_vanished();
    }

    /// A message to a dead node.
    fn bounce(&mut self, dead: u16, input: Input) {
        if let Input::Receive { from, .. } = input
            && self.faults.is_noticed
            && let Some(sender) = self.number(&from)
        {
            let event = Event::input(sender, Input::Unreachable { peer: peer(dead) });
            self.push(Span::millis(50), event);
        }
    }

    fn record(&mut self, n: u16, output: &Output) {
        let mut text = self.trace.0.to_vec();
        text.extend(self.now.0.to_be_bytes());
        text.extend(n.to_be_bytes());
        match output {
            Output::Send { to, message } => text.extend([to.id().0.to_vec(), message.encode()].concat()),
            other => text.extend(format!("{other:?}").into_bytes()),
        }
        self.trace = Hash::of(&text);
    }

    fn perform(&mut self, n: u16, output: Output) {
        match output {
            Output::Send { to, message } => self.send(n, to, message),
            Output::Lookup { token, key } => {
                self.lookups += 1;
                let delay = self.delay().times(3);
                let owner = peer(self.owner_of(key));
                let input = if self.is_struck(self.faults.lost) {
                    Input::NotFound { token }
                } else {
                    Input::Found { token, owner }
                };
                self.push(delay, Event::input(n, input));
            }
            Output::LookupMarket { .. } => unreachable!("these rules know no second ring"),
            Output::Bought { ticket, .. } => {
                self.use_slice(&ticket);
                self.end(n, token_of(ticket.body.id), End::Bought(ticket));
            }
            Output::HandedOver => {
                assert!(self.leaving.remove(&n), "only who leaves has handed all over, and says so once");
                self.nodes.remove(&n);
                self.crashed.insert(n);
                self.tell_ranges();
            }
            Output::Surveyed { overview, .. } => {
                let before = self.surveyed.replace(*overview);
                assert_eq!(before, None, "a survey ends once");
            }
            Output::NotBought { tickets, shortage, .. } => {
                tickets.into_iter().for_each(|id| self.end(n, token_of(id), End::NotBought(shortage)));
            }
        }
    }

    fn send(&mut self, from: u16, to: Peer, message: MarketMessage) {
        assert_ne!(to, peer(from), "nobody sends to itself");
        self.messages += 1;
        let to = self.number(&to).unwrap();
        if !self.hands_over && matches!(message, MarketMessage::HandOver(_)) {
            return;
        }
        let copies =
            u64::from(!self.is_struck(self.faults.lost)) + u64::from(self.is_struck(self.faults.doubled));
        for _ in 0..copies {
            let delay = self.delay();
            let input = Input::Receive { from: peer(from), message: message.clone() };
            self.push(delay, Event::input(to, input));
        }
    }

    /// Whoever holds a ticket that has not ended finds its slice at the seller, if that lives.
    fn use_slice(&mut self, ticket: &Signed<Ticket>) {
        let seller = self.number(&ticket.body.winner.body.seller).unwrap();
        let Some(node) = self.nodes.get(&seller) else { return };
        assert_eq!(node.verify_offer(ticket, self.now), Ok(()));
        let ticket = ticket.body.id;
        self.push(Span::millis(500), Event::input(seller, Input::Take { ticket }));
        self.push(self.run, Event::input(seller, Input::Free { ticket }));
    }

    fn end(&mut self, n: u16, token: u64, end: End) {
        assert_eq!(self.tokens.get(&token), Some(&n), "the answer goes to who asked");
        let before = self.ends.insert(token, (self.now, end));
        assert_eq!(before, None, "a purchase ends once");
    }

    fn number(&self, of: &Peer) -> Option<u16> {
        let known = self.nodes.keys().chain(&self.crashed);
        known.copied().find(|n| peer_cached(*n) == *of)
    }

    fn is_struck(&mut self, per_mille: u64) -> bool {
        per_mille > 0 && self.rng.next_u64() % 1_000 < per_mille
    }

    fn delay(&mut self) -> Span {
        Span::millis(5 + self.rng.next_u64() % 95)
    }

    fn push(&mut self, delay: Span, event: Event) {
        self.events += 1;
        self.queue.insert((self.now.after(delay), self.events), event);
    }
}

/// The purchase that a ticket is for.
fn token_of(ticket: proto::CommandId) -> u64 {
    u64::from_be_bytes(*ticket.0.first_chunk().unwrap())
}

/// [`peer`] without computing the key again.
fn peer_cached(n: u16) -> Peer {
    type Peers = RefCell<BTreeMap<u16, Peer>>;
    thread_local! {
        static PEERS: Peers = const { RefCell::new(BTreeMap::new()) };
    }
    PEERS.with_borrow_mut(|peers| *peers.entry(n).or_insert_with(|| peer(n)))
}
