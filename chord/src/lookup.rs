//! Lookups: which node answers for a key? Iterative (ToN IV-D): the asker goes from node to node itself, and
//! takes another way around those that do not answer.

mod confirm;

use crate::face::{LookupFailure, Output};
use crate::handle::Handle;
use crate::interval::{between, distance, is_within};
use crate::node::Chord;
use crate::requests::Purpose;
use crate::small::SmallMap;
use proto::message::chord::{ChordMessage, CloserNodes, FindNext, FoundNode};
use proto::{RingId, Time};

/// How many lookups of the caller run at a time.
pub const MAX_LOOKUPS: usize = 1_024;
/// How many answers a lookup takes before it gives up; log2 N is usual, N / r without any finger.
pub const MAX_HOPS: u32 = 128;
/// How many nodes one answer names, so that there is another way around a dead one.
pub const MAX_CLOSER: usize = 4;
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
    tried: Vec<RingId>,
    /// When to start again from the own tables, if nobody is left to ask.
    retry: Option<Time>,
    /// The node nearest before the key that has answered.
    nearest: Option<P>,
    /// The node whose list has been asked for.
    listed: Option<P>,
    /// Who is said to answer for the key.
    claim: Option<confirm::Claim<P>>,
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
        let due =
            |lookup: &Lookup<P>| lookup.retry.map_or(lookup.deadline, |retry| retry.min(lookup.deadline));
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
        self.active.iter().filter(|(_, lookup)| lookup.retry.is_none()).map(|(number, _)| number)
    }

    /// Bytes on the heap.
    pub(crate) fn footprint(&self) -> usize {
        let of_lookup = |lookup: &Lookup<P>| {
            size_of::<Lookup<P>>()
                + lookup.candidates.capacity() * size_of::<P>()
                + lookup.tried.capacity() * size_of::<RingId>()
        };
        self.active.footprint() + self.active.values().map(|lookup| of_lookup(lookup)).sum::<usize>()
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
            let is_known = self.candidates.get(place) == Some(&peer) || self.tried.contains(&peer.id());
            if place < MAX_CANDIDATES && !is_known {
                self.candidates.insert(place, peer);
                self.candidates.truncate(MAX_CANDIDATES);
            }
        }
    }

    /// Whether nobody nearer to the key is left to ask than who has answered already.
    fn is_at_last(&self) -> bool {
        let is_nearer = |peer: &P| self.nearest.is_none_or(|known| between(known.id(), peer.id(), self.key));
        let is_listed = self.listed.is_some() && self.listed == self.nearest;
        matches!(self.goal, Goal::Caller { .. })
            && !is_listed
            && !self.candidates.first().is_some_and(is_nearer)
    }

    fn next_candidate(&mut self) -> Option<P> {
        if self.candidates.is_empty() {
            return None;
        }
        let peer = self.candidates.remove(0);
        self.tried.push(peer.id());
        Some(peer)
    }
}

impl<P: Handle> Chord<P> {
    pub(crate) fn look_up(&mut self, token: u64, key: RingId, now: Time) {
        let reason = match self.range() {
            None => LookupFailure::NotMember,
            Some(range) if self.config.own_keys && range.contains(key) => {
                let (owner, hops, timeouts) = (self.me, 0, 0);
                return self.emit(Output::Found { token, key, owner, hops, timeouts });
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
            retry: None,
            nearest: None,
            listed: None,
            claim: None,
        };
        self.lookups.active.insert(number, Box::new(lookup));
        number
    }

    /// Asks the own tables, and then the nodes that they name.
    fn start(&mut self, number: u64, now: Time) {
        let Some(lookup) = self.lookups.active.get_mut(number) else { return };
        (lookup.retry, lookup.nearest, lookup.listed) = (None, None, None);
        let key = lookup.key;
        if let Some(owner) = self.own_answer(key) {
            return self.claimed(number, self.me, owner, now);
        }
        let near = self.closest_preceding(key);
        if let Some(lookup) = self.lookups.active.get_mut(number) {
            lookup.tried.clear();
            lookup.consider(near);
        }
        self.advance(number, now);
    }

    /// The node that was asked did not answer: the next one.
    pub(crate) fn hop_is_dead(&mut self, number: u64, now: Time) {
        if let Some(lookup) = self.lookups.active.get_mut(number) {
            lookup.timeouts += 1;
        }
        self.advance(number, now);
    }

    /// Asks the next node, or waits when there is none.
    pub(crate) fn advance(&mut self, number: u64, now: Time) {
        let Some(lookup) = self.lookups.active.get_mut(number) else { return };
        if lookup.hops >= MAX_HOPS {
            return self.conclude(number, Err(LookupFailure::TooManyHops), now);
        }
        if self.config.confirm && lookup.is_at_last() {
            return self.claim_by_list(number, now);
        }
        match lookup.next_candidate() {
            Some(peer) => {
                let key = lookup.key;
                self.ask(peer, Purpose::Hop(number, key), now);
            }
            None => self.start_again(number, now),
        }
    }

    pub(crate) fn answer_find(&mut self, from: P, question: FindNext) {
        if !self.is_member() {
            return;
        }
        let FindNext { request, key } = question;
        let answer = match self.own_answer(key) {
            Some(owner) => ChordMessage::FoundNode(FoundNode { request, owner }),
            None => ChordMessage::CloserNodes(CloserNodes { request, peers: self.closest_preceding(key) }),
        };
        self.send(from, answer);
    }

    pub(crate) fn on_found(&mut self, from: P, answer: FoundNode<P>, now: Time) {
        let Some((number, key)) = self.hop_answered(answer.request, from) else { return };
        if is_within(from.id(), key, answer.owner.id()) {
            self.claimed(number, from, answer.owner, now);
        } else {
            self.advance(number, now);
        }
    }

    pub(crate) fn on_closer(&mut self, from: P, answer: &CloserNodes<P>, now: Time) {
        let Some((number, key)) = self.hop_answered(answer.request, from) else { return };
        let me = self.me.id();
        let is_closer = |peer: &P| peer.id() != me && between(from.id(), peer.id(), key);
        if let Some(lookup) = self.lookups.active.get_mut(number) {
            lookup.nearest =
                lookup.nearest.filter(|known| !between(known.id(), from.id(), key)).or(Some(from));
            lookup.consider(answer.peers.iter().copied().take(MAX_CLOSER).filter(is_closer));
        }
        self.advance(number, now);
    }

    /// Whose hop this is the answer to.
    fn hop_answered(&mut self, request: proto::RequestId, from: P) -> Option<(u64, RingId)> {
        let fits = |purpose| matches!(purpose, Purpose::Hop(..));
        let Some(Purpose::Hop(number, key)) = self.requests.answered(request, from, fits) else {
            return None;
        };
        let lookup = self.lookups.active.get_mut(number)?;
        lookup.hops += 1;
        Some((number, key))
    }

    /// Gives up what has taken too long, and tries again what waits for that.
    pub(crate) fn lookups_due(&mut self, now: Time) {
        let numbers = |is_due: &dyn Fn(&Lookup<P>) -> bool| -> Vec<u64> {
            let due = self.lookups.active.iter().filter(|(_, lookup)| is_due(lookup));
            due.map(|(number, _)| number).collect()
        };
        let late = numbers(&|lookup| lookup.deadline <= now);
        let again = numbers(&|lookup| lookup.retry.is_some_and(|retry| retry <= now));
        for number in late {
            self.conclude(number, Err(LookupFailure::TimedOut), now);
        }
        for number in again {
            self.start(number, now);
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

    fn conclude(&mut self, number: u64, outcome: Result<Answer<P>, LookupFailure>, now: Time) {
        let Some(lookup) = self.lookups.active.remove(number) else { return };
        let Lookup { goal, key, hops, timeouts, .. } = *lookup;
        self.requests.cancel(|purpose| purpose.lookup() == Some(number));
        match (goal, outcome) {
            (Goal::Caller { token }, Ok(Answer { owner, .. })) => {
                self.emit(Output::Found { token, key, owner, hops, timeouts });
            }
            (Goal::Caller { token }, Err(reason)) => self.emit(Output::NotFound { token, key, reason }),
            (Goal::Finger { exponent }, outcome) => {
                let me = self.me.id();
                let Some(member) = &mut self.member else { return };
                match outcome {
                    Ok(Answer { owner, .. }) => member.fingers.set(me, exponent, owner),
                    Err(_) => member.fingers.skip(exponent),
                }
            }
            (Goal::Join, Ok(Answer { predecessor, .. })) => self.join_found(predecessor, now),
            (Goal::Join, Err(_)) => self.contact_failed(now),
            (Goal::Meet, Ok(Answer { owner, .. })) => self.met(owner, now),
            (Goal::Meet, Err(_)) => {}
        }
    }

    /// The successor, if it answers for the key.
    fn own_answer(&self, key: RingId) -> Option<P> {
        let head = self.member.as_ref()?.successors.head();
        is_within(self.me.id(), key, head.id()).then_some(head)
    }

    /// The known nodes that precede `key`, the nearest to it first; at most [`MAX_CLOSER`].
    fn closest_preceding(&self, key: RingId) -> Vec<P> {
        let Some(member) = &self.member else { return Vec::new() };
        let me = self.me.id();
        let way = distance(me, key);
        let is_before = |peer: P| peer.id() != me && (key == me || distance(me, peer.id()) < way);
        // Both lists are in the order of the circle: their ends are merged.
        let successors = member.successors.peers();
        let end = successors.partition_point(|peer| is_before(*peer));
        let mut close = successors.iter().take(end).rev().copied().peekable();
        let mut far = member.fingers.before(is_before).peekable();
        let mut near: Vec<P> = Vec::with_capacity(MAX_CLOSER);
        while near.len() < MAX_CLOSER {
            let next = match (close.peek(), far.peek()) {
                (Some(a), Some(b)) if distance(me, b.id()) < distance(me, a.id()) => close.next(),
                (_, Some(_)) => far.next(),
                (_, None) => close.next(),
            };
            let Some(next) = next else { break };
            if near.last() != Some(&next) {
                near.push(next);
            }
        }
        near
    }
}
