//! The processor overlay (CompuP2P paper, IV-A2): the markets in which somebody is listed form a second ring for each
//! commodity, in the order of their capacities, and one look-up there finds the asked or the nearest larger one.
//!
//! A node runs one virtual node for each market of its own in which somebody is listed (`stand`). The base ring stays
//! the authority on who owns a market: the overlay only says *which* market to ask for, and nobody is heard in it who
//! does not own, by the base ring, the market that it speaks for (`gate`). Buyers are not members: they ask one
//! (`search`), whom they know from the meeting point of the commodity, the node that is responsible for the hash of its
//! name (`call`, `roster`). In a network of the single overlay scheme nothing of this is used.

mod call;
mod gate;
mod roster;
mod search;
mod stand;

use call::Call;
use chord::{At, Host};
use gate::Gate;
use proto::message::chord::ChordMessage;
use proto::message::overlay::{Gone, OverlayMessage, Stand, Talk};
use proto::{Commodity, Market, Peer, Placement, Range, RequestId, RingId, Rules, Span, Time};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use roster::Roster;
use search::{Inner, Search};
use stand::Life;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Numbers of look-ups and requests stay below this, so that whoever carries them can mark them.
const NUMBERS: u64 = 1 << 62;

/// What the overlay wants done.
#[derive(Clone, Debug)]
pub(super) enum Effect {
    /// Send a message.
    Send { to: Peer, message: OverlayMessage },
    /// Look a key up in the base ring.
    Lookup { token: u64, key: RingId },
    /// A search has ended with a market, and with its owner by the base ring.
    Found { token: u64, market: Market, owner: Peer },
    /// A search has ended: nobody is listed at or above the market.
    Nobody { token: u64 },
    /// A search has failed.
    Failed { token: u64 },
}

/// How often what is done.
#[derive(Clone, Copy, Debug)]
struct Periods {
    /// How often a member tells the meeting point that it is there: eight stabilize periods.
    enrol: Span,
    /// How long a member, or a meeting point, has to have been one before it says that there is nothing: by then who
    /// formed a ring apart has met it.
    settle: Span,
    /// After how long a new member is taken to be known to those around it: half of the time after which somebody counts
    /// as dead, which is more than a round trip and a half.
    open: Span,
    /// How long a question may stay without an answer.
    answer: Span,
    /// How long a word of the base ring on the owner of a market holds: three renewals.
    trust: Span,
    /// After how long an owner is asked for again because somebody else claims its market: a stabilize period.
    doubt: Span,
    /// How long a market without listings stays in the overlay, and at most how long a former owner is heard: a renewal.
    quiet: Span,
}

/// What a look-up in the base ring is for.
#[derive(Clone, Copy, Debug)]
enum Purpose {
    /// Who owns the market, of which somebody speaks.
    Gate(Market),
    /// Where the commodity's meeting point is.
    Call(Commodity),
    /// Who owns the market that the search has found.
    Owner { search: u64, market: Market },
}

/// A node's part of the overlay.
pub(super) struct Overlay {
    me: Peer,
    placement: Placement,
    periods: Periods,
    chord: Arc<chord::Config>,
    rng: ChaCha8Rng,
    host: Host<Commodity, Stand>,
    stands: BTreeMap<Market, Life>,
    gate: Gate,
    roster: Roster,
    calls: BTreeMap<Commodity, Call>,
    searches: BTreeMap<u64, Search>,
    inner: BTreeMap<u64, Inner>,
    lookups: BTreeMap<u64, Purpose>,
    next: u64,
    /// What own virtual nodes say to each other.
    inbox: VecDeque<(Stand, Market, ChordMessage<Stand>)>,
    /// What this node answers for in the base ring.
    range: Option<Range>,
    departing: Option<Time>,
    pub(super) effects: VecDeque<Effect>,
}

impl Overlay {
    pub(super) fn new(me: Peer, rules: &Rules, chord: &chord::Config, seed: [u8; 32]) -> Self {
        let mut rng = ChaCha8Rng::from_seed(seed);
        let routing = chord::Routing { patience: chord::Patience::Adaptive, ..chord::Routing::PLAIN };
        let periods = Periods {
            enrol: chord.stabilize_every.times(8),
            settle: chord.stabilize_every.times(16),
            open: Span(chord.request_timeout.0 / 2),
            answer: chord.request_timeout,
            trust: rules.renewal.times(3),
            doubt: chord.stabilize_every,
            quiet: rules.renewal,
        };
        Self {
            me,
            placement: rules.placement,
            periods,
            chord: Arc::new(chord::Config { routing, ..chord.clone() }),
            next: rng.next_u64() % NUMBERS,
            rng,
            host: Host::default(),
            stands: BTreeMap::new(),
            gate: Gate::default(),
            roster: Roster::default(),
            calls: BTreeMap::new(),
            searches: BTreeMap::new(),
            inner: BTreeMap::new(),
            lookups: BTreeMap::new(),
            inbox: VecDeque::new(),
            range: None,
            departing: None,
            effects: VecDeque::new(),
        }
    }

    /// A message has come from `from`, for whom the channel vouches.
    pub(super) fn receive(&mut self, from: Peer, message: OverlayMessage, now: Time) {
        if self.placement == Placement::Single {
            return;
        }
        match message {
            OverlayMessage::Talk(talk) => self.talked(from, *talk, now),
            OverlayMessage::Gone(gone) => self.lost(Stand { market: gone.market, owner: from }, now),
            OverlayMessage::Seek(seek) => self.serve(from, seek, now),
            OverlayMessage::Sought(sought) => self.sought(from, sought, now),
            OverlayMessage::Unsure(unsure) => self.guide_failed(from, unsure.request, now),
            OverlayMessage::Enrol(enrol) => self.enrolled(from, enrol, now),
            OverlayMessage::AskMembers(ask) => self.tell_members(from, ask.request, ask.commodity, now),
            OverlayMessage::Members(members) => self.members_told(from, members, now),
        }
        self.settle(now);
    }

    /// A look-up in the base ring has ended.
    pub(super) fn found(&mut self, token: u64, owner: Option<Peer>, now: Time) {
        match self.lookups.remove(&token) {
            Some(Purpose::Gate(market)) => self.verified(market, owner, now),
            Some(Purpose::Call(commodity)) => self.meeting_point(commodity, owner, now),
            Some(Purpose::Owner { search, market }) => self.owner_found(search, market, owner, now),
            None => {}
        }
        self.settle(now);
    }

    /// A message to `peer` could not be delivered.
    pub(super) fn unreachable(&mut self, peer: Peer, now: Time) {
        let mut lost: Vec<Stand> = Vec::new();
        for node in Commodity::ALL.into_iter().flat_map(|ring| self.host.places(ring)).map(|(_, node)| node) {
            let known = node.successors().iter().copied().chain(node.predecessor()).chain(node.fingers());
            lost.extend(known.filter(|stand| stand.owner == peer));
        }
        lost.sort_unstable();
        lost.dedup();
        for stand in lost {
            self.lost(stand, now);
        }
        self.gate.forget(peer);
        self.calls.values_mut().for_each(|call| call.forget(peer));
        self.call_unreachable(peer, now);
        self.search_unreachable(peer, now);
        self.settle(now);
    }

    /// The arc that this node answers for in the base ring.
    pub(super) fn range_changed(&mut self, range: Range, now: Time) {
        self.range = Some(range);
        self.roster.range_changed(range, now);
        self.settle(now);
    }

    pub(super) fn handle_timeouts(&mut self, now: Time) {
        self.host.handle_timeouts(now);
        self.roster.purge(now);
        self.searches_due(now);
        self.calls_due(now);
        self.settle(now);
    }

    pub(super) fn poll_timeout(&self) -> Option<Time> {
        let searches = self.searches.values().filter_map(Search::due);
        let calls = self.calls.iter().filter_map(|(commodity, call)| call.due(self.has_stand(*commodity)));
        let others = [self.host.poll_timeout(), self.roster.due(), self.stands_due()];
        others.into_iter().flatten().chain(searches).chain(calls).min()
    }

    /// The virtual nodes that this node runs.
    pub(super) fn nodes(&self) -> impl Iterator<Item = &chord::Chord<Stand>> {
        Commodity::ALL.into_iter().flat_map(|ring| self.host.places(ring)).map(|(_, node)| node)
    }

    /// A node of the overlay says something to one that is said to be here.
    fn talked(&mut self, from: Peer, talk: Talk, now: Time) {
        if talk.from.commodity != talk.to.commodity {
            return;
        }
        if !self.stands.contains_key(&talk.to) {
            return self.send(from, OverlayMessage::Gone(Gone { market: talk.to }));
        }
        if self.admits(talk.from, from, now) {
            self.hear(from, talk, now);
        } else {
            self.hold(talk.from, gate::Held::Talk(from, Box::new(talk)), now);
        }
    }

    fn hear(&mut self, from: Peer, talk: Talk, now: Time) {
        let stand = Stand { market: talk.from, owner: from };
        self.host.handle(self.at(talk.to), chord::Input::Receive { from: stand, message: talk.message }, now);
    }

    /// A node of the overlay is gone.
    fn lost(&mut self, stand: Stand, now: Time) {
        let ring = stand.market.commodity;
        let places: Vec<At<Commodity>> = self.host.places(ring).map(|(at, _)| at).collect();
        for at in places {
            self.host.handle(at, chord::Input::Unreachable { peer: stand }, now);
        }
        if let Some(call) = self.calls.get_mut(&ring) {
            call.guides.retain(|guide| *guide != stand);
        }
    }

    /// Carries out what the virtual nodes want, until they are quiet.
    fn settle(&mut self, now: Time) {
        loop {
            if let Some((at, output)) = self.host.poll_output() {
                self.carry_out(at, output, now);
            } else if let Some((from, to, message)) = self.inbox.pop_front() {
                self.host.handle(self.at(to), chord::Input::Receive { from, message }, now);
            } else if !self.tidy(now) {
                return;
            }
        }
    }

    fn carry_out(&mut self, at: At<Commodity>, output: chord::Output<Stand>, now: Time) {
        let Some(from) = self.host.node(at).map(chord::Chord::me) else { return };
        match output {
            chord::Output::Send { to, message } if to.owner == self.me => {
                self.inbox.push_back((from, to.market, message));
            }
            chord::Output::Send { to, message } => {
                let talk = Talk { from: from.market, to: to.market, message };
                self.send(to.owner, OverlayMessage::Talk(Box::new(talk)));
            }
            chord::Output::Joined => self.joined(from.market, now),
            chord::Output::JoinFailed { .. } => self.join_failed(from.market, now),
            chord::Output::Isolated { known } => self.isolated(from.market, known, now),
            chord::Output::Found { token, owner, wraps, .. } => {
                self.looked_up(token, Some((owner.market, wraps)), now);
            }
            chord::Output::NotFound { token, .. } => self.looked_up(token, None, now),
            chord::Output::RangeChanged { .. } | chord::Output::Left => {}
        }
    }

    fn send(&mut self, to: Peer, message: OverlayMessage) {
        self.effects.push_back(Effect::Send { to, message });
    }

    fn look_up(&mut self, purpose: Purpose, key: RingId) {
        let token = self.number();
        self.lookups.insert(token, purpose);
        self.effects.push_back(Effect::Lookup { token, key });
    }

    fn number(&mut self) -> u64 {
        self.next = (self.next + 1) % NUMBERS;
        self.next
    }

    fn request(&mut self) -> RequestId {
        RequestId(self.number())
    }

    /// Where the own virtual node of `market` is, or would be.
    fn at(&self, market: Market) -> At<Commodity> {
        At { ring: market.commodity, id: Stand { market, owner: self.me }.point() }
    }
}
