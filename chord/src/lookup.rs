//! Lookups: which node answers for a key?
//!
//! Iterative (ToN IV-D): the asker goes from node to node itself, asks several at a time if it is told to, and takes
//! another way around those that do not answer, or not soon. Recursive (ToN VI): the question goes, from node to node,
//! and the asker goes itself only when no answer comes. Before either, the asker looks whether it has heard who
//! answers for the key.

mod confirm;
mod hop;
mod relay;

pub use relay::MAX_RELAYS;

use crate::config::Style;
use crate::face::{LookupFailure, Output};
use crate::handle::Handle;
use crate::interval::{between, distance};
use crate::node::Chord;
use crate::requests::Purpose;
use crate::small::SmallMap;
use proto::{RequestId, RingId, Time};

/// How many lookups of the caller run at a time.
pub const MAX_LOOKUPS: usize = 1_024;
/// How many answers a lookup takes before it gives up; log2 N is usual, N / r without any finger.
pub const MAX_HOPS: u32 = 128;
/// How many nodes one answer names, so that there is another way around a dead one.
pub const MAX_CLOSER: usize = 4;
/// How many nodes one lookup asks at a time on purpose (α).
pub const MAX_PARALLEL: usize = 4;
/// How many nodes one lookup may have asked that have not answered yet, the slow ones among them.
pub(crate) const MAX_ASKED: usize = 8;
/// How many nodes a lookup keeps in reserve.
const MAX_CANDIDATES: usize = 16;

/// What a lookup is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Goal {
    /// The caller wants to know.
    Caller { token: u64 },
    /// A finger.
    Finger { exponent: u32 },
    /// The own place in the ring.
    Join,
    /// The own place in a ring that may be another one.
    Meet,
    /// Somebody to take over a recursive lookup of another node.
    Relay,
}

/// One lookup under way.
#[derive(Clone, Debug)]
pub(crate) struct Lookup<P> {
    goal: Goal,
    key: RingId,
    deadline: Time,
    hops: u32,
    timeouts: u32,
    /// Whom to ask, the nearest to the key first.
    candidates: Vec<P>,
    tried: Vec<P>,
    /// Whose word on the owner turned out wrong.
    refuted: Vec<P>,
    /// When to start again from the own tables, if nobody is left to ask.
    retry: Option<Time>,
    /// The node nearest before the key that has answered.
    nearest: Option<P>,
    /// The node whose list has been asked for.
    listed: Option<P>,
    /// Who is said to answer for the key.
    claim: Option<confirm::Claim<P>>,
    /// The owner by hearsay, asked before the key's predecessor has spoken; and whether it has answered that it is.
    early: Option<(P, bool)>,
    /// Whether the question has gone by itself.
    is_sent: bool,
    /// A recursive lookup, the own one or another's.
    errand: Option<relay::Errand<P>>,
}

/// All lookups under way.
#[derive(Clone, Debug)]
pub(crate) struct Lookups<P> {
    next: u64,
    active: SmallMap<u64, Box<Lookup<P>>>,
}

/// The node that answers for the key, and the one before it that said so.
struct Answer<P> {
    owner: P,
    predecessor: P,
}

impl<P: Handle> Lookups<P> {
    pub(crate) const fn new() -> Self {
        Self { next: 0, active: SmallMap::new() }
    }

    pub(crate) fn next_due(&self) -> Option<Time> {
        let due = |lookup: &Lookup<P>| {
            let waits = [lookup.retry, lookup.errand.as_ref().and_then(|errand| errand.patience)];
            waits.into_iter().flatten().fold(lookup.deadline, Time::min)
        };
        self.active.values().map(|lookup| due(lookup)).min()
    }

    pub(crate) fn has_finger(&self) -> bool {
        self.active.values().any(|lookup| matches!(lookup.goal, Goal::Finger { .. }))
    }

    pub(crate) fn is_meeting(&self) -> bool {
        self.active.values().any(|lookup| lookup.goal == Goal::Meet)
    }

    pub(crate) fn len(&self) -> usize {
        self.active.len()
    }

    /// The numbers of the lookups that wait for an answer.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = u64> {
        let is_asking = |lookup: &Lookup<P>| {
            lookup.retry.is_none() && lookup.errand.as_ref().is_none_or(|errand| errand.patience.is_none())
        };
        self.active.iter().filter(move |(_, lookup)| is_asking(lookup)).map(|(number, _)| number)
    }

    /// Bytes on the heap.
    pub(crate) fn footprint(&self) -> usize {
        let of_lookup = |lookup: &Lookup<P>| {
            size_of::<Lookup<P>>()
                + (lookup.candidates.capacity() + lookup.tried.capacity()) * size_of::<P>()
                + lookup.refuted.capacity() * size_of::<P>()
                + lookup.claim.as_ref().map_or(0, confirm::Claim::footprint)
        };
        self.active.footprint() + self.active.values().map(|lookup| of_lookup(lookup)).sum::<usize>()
    }

    /// How many are passed on for others.
    pub(crate) fn relays(&self) -> usize {
        self.active.values().filter(|lookup| lookup.goal == Goal::Relay).count()
    }

    fn of_caller(&self) -> usize {
        self.active.values().filter(|lookup| matches!(lookup.goal, Goal::Caller { .. })).count()
    }
}

impl<P: Handle> Lookup<P> {
    /// Adds nodes that may know more, unless they have been asked.
    fn consider(&mut self, peers: impl IntoIterator<Item = P>) {
        let key = self.key;
        for peer in peers {
            let way = distance(peer.id(), key);
            let place = self.candidates.partition_point(|known| distance(known.id(), key) < way);
            let is_known = self.candidates.get(place) == Some(&peer)
                || self.tried.contains(&peer)
                || self.refuted.contains(&peer);
            if place < MAX_CANDIDATES && !is_known {
                self.candidates.insert(place, peer);
                self.candidates.truncate(MAX_CANDIDATES);
            }
        }
    }

    /// Whether the next candidate lies nearer to the key than whoever has answered.
    fn has_nearer(&self) -> bool {
        let is_nearer = |peer: &P| self.nearest.is_none_or(|known| between(known.id(), peer.id(), self.key));
        self.candidates.first().is_some_and(is_nearer)
    }

    /// Whether nobody nearer to the key is left to ask than who has answered already.
    fn is_at_last(&self) -> bool {
        let is_listed = self.listed.is_some() && self.listed == self.nearest;
        matches!(self.goal, Goal::Caller { .. }) && !is_listed && !self.has_nearer()
    }

    fn next_candidate(&mut self) -> Option<P> {
        if self.candidates.is_empty() {
            return None;
        }
        let peer = self.candidates.remove(0);
        self.tried.push(peer);
        Some(peer)
    }
}

impl<P: Handle> Chord<P> {
    pub(crate) fn look_up(&mut self, token: u64, key: RingId, now: Time) {
        let reason = match self.range() {
            None => LookupFailure::NotMember,
            Some(range) if self.config.own_keys && range.contains(key) => {
                let (owner, hops, timeouts) = (self.me, 0, 0);
                let wraps = key > owner.id();
                return self.emit(Output::Found { token, key, owner, wraps, hops, timeouts });
            }
            Some(_) if self.lookups.of_caller() >= MAX_LOOKUPS => LookupFailure::TooMany,
            Some(_) => return self.find(Goal::Caller { token }, key, now),
        };
        self.emit(Output::NotFound { token, key, reason });
    }

    /// Starts a lookup from the own tables.
    pub(crate) fn find(&mut self, goal: Goal, key: RingId, now: Time) {
        let number = self.register(goal, key, now);
        self.start(number, now);
    }

    /// Starts a lookup from given nodes.
    pub(crate) fn find_from(&mut self, goal: Goal, key: RingId, from: Vec<P>, now: Time) {
        let number = self.register(goal, key, now);
        if let Some(lookup) = self.lookups.active.get_mut(number) {
            lookup.consider(from);
        }
        self.advance(number, now);
    }

    fn register(&mut self, goal: Goal, key: RingId, now: Time) -> u64 {
        let number = self.lookups.next;
        self.lookups.next = number.wrapping_add(1);
        let deadline = now.after(self.config.lookup_timeout);
        let lookup = Lookup {
            goal,
            key,
            deadline,
            hops: 0,
            timeouts: 0,
            candidates: Vec::new(),
            tried: Vec::new(),
            refuted: Vec::new(),
            retry: None,
            nearest: None,
            listed: None,
            claim: None,
            early: None,
            is_sent: false,
            errand: None,
        };
        self.lookups.active.insert(number, Box::new(lookup));
        number
    }

    /// Asks the own tables, and then the nodes that they name.
    fn start(&mut self, number: u64, now: Time) {
        let Some(lookup) = self.lookups.active.get_mut(number) else { return };
        (lookup.retry, lookup.nearest, lookup.listed) = (None, None, None);
        let (key, is_callers) = (lookup.key, matches!(lookup.goal, Goal::Caller { .. }));
        if let Some(owner) = self.own_answer(key) {
            return self.claimed(number, self.me, owner, now);
        }
        let mut near = self.closest_preceding(key);
        if is_callers {
            near.extend(self.ask_early(number, key, now));
        }
        let is_recursive = self.config.routing.style == Style::Recursive && is_callers;
        let (me, request) = (self.me, RequestId(self.dice.roll()));
        let Some(lookup) = self.lookups.active.get_mut(number) else { return };
        lookup.tried.clear();
        lookup.consider(near);
        let is_sent = std::mem::replace(&mut lookup.is_sent, true);
        lookup.errand = (is_recursive && !is_sent).then(|| relay::Errand::new(me, request));
        self.advance(number, now);
    }

    /// Asks the next nodes, or waits when there is none.
    pub(crate) fn advance(&mut self, number: u64, now: Time) {
        let Some(lookup) = self.lookups.active.get_mut(number) else { return };
        if lookup.claim.is_some() {
            return;
        }
        if lookup.hops >= MAX_HOPS {
            return self.conclude(number, Err(LookupFailure::TooManyHops), now);
        }
        let (asked, mut swift) = self.requests.on_way(number);
        if asked == 0 && self.config.confirm && lookup.errand.is_none() && lookup.is_at_last() {
            return self.claim_by_list(number, now);
        }
        let parallel = if lookup.errand.is_some() { 1 } else { self.config.routing.parallel() };
        let mut room = MAX_ASKED.saturating_sub(asked);
        while room > 0 && swift < parallel {
            let Some(lookup) = self.lookups.active.get_mut(number) else { return };
            // Beside a node that may still answer, only a nearer one is worth the question.
            let next = if swift == 0 || lookup.has_nearer() { lookup.next_candidate() } else { None };
            let Some(peer) = next else { break };
            self.step(number, peer, now);
            (room, swift) = (room - 1, swift + 1);
        }
        if swift == 0 && asked == 0 {
            self.start_again(number, now);
        }
    }

    /// Asks the owner by hearsay, and gives the node before the key by hearsay: if both agree, that is one round trip.
    fn ask_early(&mut self, number: u64, key: RingId, now: Time) -> Option<P> {
        let me = self.me.id();
        let learned = self.learned.as_ref()?;
        let before = learned.atlas.before(key).filter(|node| node.id() != me && between(me, node.id(), key));
        let owner = learned.atlas.owner(key).filter(|owner| self.config.confirm && owner.id() != me);
        let lookup = self.lookups.active.get_mut(number)?;
        if let Some(owner) = owner.filter(|_| lookup.early.is_none()) {
            lookup.early = Some((owner, false));
            self.ask(owner, Purpose::Confirm(number), now);
        }
        before
    }

    /// Asks one node: for the next one, or to go on itself.
    fn step(&mut self, number: u64, peer: P, now: Time) {
        let Some(lookup) = self.lookups.active.get(number) else { return };
        let key = lookup.key;
        if lookup.errand.is_some() {
            return self.pass_on(number, peer, now);
        }
        self.ask(peer, Purpose::Hop(number, key), now);
    }

    /// The node that was asked did not answer: the next one.
    pub(crate) fn hop_is_dead(&mut self, number: u64, now: Time) {
        if let Some(lookup) = self.lookups.active.get_mut(number) {
            lookup.timeouts += 1;
        }
        self.advance(number, now);
    }

    /// Gives up what has taken too long, and tries again what waits for that.
    pub(crate) fn lookups_due(&mut self, now: Time) {
        let numbers = |is_due: &dyn Fn(&Lookup<P>) -> bool| -> Vec<u64> {
            let due = self.lookups.active.iter().filter(|(_, lookup)| is_due(lookup));
            due.map(|(number, _)| number).collect()
        };
        let late = numbers(&|lookup| lookup.deadline <= now);
        let unanswered = numbers(&|lookup| lookup.errand.as_ref().is_some_and(|errand| errand.is_over(now)));
        let again = numbers(&|lookup| lookup.retry.is_some_and(|retry| retry <= now));
        for number in late {
            self.conclude(number, Err(LookupFailure::TimedOut), now);
        }
        for number in again {
            self.start(number, now);
        }
        for number in unanswered {
            self.errand_is_lost(number, now);
        }
    }

    /// Ends the lookup of a join, without an outcome.
    pub(crate) fn drop_join_lookup(&mut self) {
        let Self { lookups, requests, .. } = self;
        for (number, _) in lookups.active.take(|lookup| lookup.goal == Goal::Join) {
            requests.cancel(|purpose| purpose.lookup() == Some(number));
        }
    }

    /// Ends all lookups but that of a join.
    pub(crate) fn fail_member_lookups(&mut self, reason: LookupFailure) {
        let ended = self.lookups.active.take(|lookup| lookup.goal != Goal::Join);
        for (number, lookup) in ended {
            self.requests.cancel(|purpose| purpose.lookup() == Some(number));
            if let Goal::Caller { token } = lookup.goal {
                self.emit(Output::NotFound { token, key: lookup.key, reason });
            }
        }
    }

    /// Ends a lookup, without an outcome.
    fn abandon(&mut self, number: u64) {
        self.lookups.active.remove(number);
        self.requests.cancel(|purpose| purpose.lookup() == Some(number));
    }

    fn conclude(&mut self, number: u64, outcome: Result<Answer<P>, LookupFailure>, now: Time) {
        let Some(lookup) = self.lookups.active.remove(number) else { return };
        let Lookup { goal, key, hops, timeouts, .. } = *lookup;
        self.requests.cancel(|purpose| purpose.lookup() == Some(number));
        match (goal, outcome) {
            (Goal::Caller { token }, Ok(Answer { owner, predecessor })) => {
                self.learn_arc(predecessor, owner);
                let wraps = key > owner.id();
                self.emit(Output::Found { token, key, owner, wraps, hops, timeouts });
            }
            (Goal::Caller { token }, Err(reason)) => self.emit(Output::NotFound { token, key, reason }),
            (Goal::Finger { exponent }, outcome) => {
                let me = self.me.id();
                let Some(member) = &mut self.member else { return };
                let Ok(Answer { owner, .. }) = outcome else { return member.fingers.skip(exponent) };
                member.fingers.set(me, exponent, owner);
                self.gauge(owner, now);
            }
            (Goal::Join, Ok(Answer { predecessor, .. })) => self.join_found(predecessor, now),
            (Goal::Join, Err(_)) => self.contact_failed(now),
            (Goal::Meet, Ok(Answer { owner, .. })) => self.met(owner, now),
            (Goal::Meet, Err(_)) | (Goal::Relay, _) => {}
        }
    }
}
