//! Recursive lookups: the question is passed on from node to node (ToN VI).
//!
//! Whoever is asked says at once that it goes on, so that a dead node costs one time-out and not the lookup. The key's
//! predecessor answers the node that wants to know. If no answer comes, that node goes from node to node itself.

use super::{Goal, Lookup};
use crate::handle::Handle;
use crate::interval::{distance, is_within};
use crate::node::Chord;
use crate::requests::Purpose;
use proto::message::chord::{ChordMessage, Pong, Route, Routed};
use proto::{RequestId, Span, Time};

/// How many lookups of others a node passes on at a time.
pub const MAX_RELAYS: usize = 256;
/// How many nodes a question may go through.
const MAX_PASSED: u32 = 64;

/// A question that goes from node to node.
#[derive(Clone, Debug)]
pub(crate) struct Errand<P> {
    origin: P,
    /// The origin's number.
    request: RequestId,
    /// How many nodes had it before.
    hops: u32,
    /// How many nodes did not take it over before it came here.
    timeouts: u32,
    /// Until when the origin waits for the answer, once somebody has taken it over.
    pub(super) patience: Option<Time>,
}

impl<P: Handle> Errand<P> {
    /// An own one.
    pub(super) const fn new(origin: P, request: RequestId) -> Self {
        Self { origin, request, hops: 0, timeouts: 0, patience: None }
    }

    /// Whether no answer has come in time.
    pub(super) fn is_over(&self, now: Time) -> bool {
        self.patience.is_some_and(|patience| patience <= now)
    }
}

impl<P: Handle> Chord<P> {
    /// Asks `peer` to take the lookup over.
    pub(super) fn pass_on(&mut self, number: u64, peer: P, now: Time) {
        let patience = self.patience(peer);
        let request = self.requests.ask_once(&self.config, peer, Purpose::Relay(number), patience, now);
        let Some(lookup) = self.lookups.active.get(number) else { return };
        let Some(errand) = &lookup.errand else { return };
        let route = Route {
            request,
            origin: errand.origin,
            errand: errand.request,
            key: lookup.key,
            hops: errand.hops + 1,
            timeouts: errand.timeouts + lookup.timeouts,
        };
        self.send(peer, ChordMessage::Route(route));
    }

    /// Somebody passes a lookup on to this node.
    pub(crate) fn on_route(&mut self, from: P, route: Route<P>, now: Time) {
        if !self.is_member() || self.lookups.relays() >= MAX_RELAYS || route.hops >= MAX_PASSED {
            return;
        }
        self.send(from, ChordMessage::Pong(Pong { request: route.request }));
        if let Some(owner) = self.own_answer(route.key) {
            return self.answer_route(&route, owner, route.timeouts, now);
        }
        let near = self.closest_preceding(route.key);
        let number = self.register(Goal::Relay, route.key, now);
        let Route { origin, errand: request, hops, timeouts, .. } = route;
        if let Some(lookup) = self.lookups.active.get_mut(number) {
            lookup.errand = Some(Errand { origin, request, hops, timeouts, patience: None });
            lookup.consider(near);
        }
        self.advance(number, now);
    }

    fn answer_route(&mut self, route: &Route<P>, owner: P, timeouts: u32, now: Time) {
        let answer = Routed { errand: route.errand, owner, hops: route.hops, timeouts };
        if route.origin.id() == self.me.id() {
            return self.on_routed(self.me, answer, now);
        }
        self.send(route.origin, ChordMessage::Routed(answer));
    }

    /// `from` has taken a lookup over, or lives.
    pub(crate) fn relayed(&mut self, request: RequestId, from: P, now: Time) {
        let fits = |purpose| matches!(purpose, Purpose::Relay(_));
        let Some(Purpose::Relay(number)) = self.requests.answered(request, from, fits) else { return };
        let Some(lookup) = self.lookups.active.get_mut(number) else { return };
        if lookup.goal == Goal::Relay {
            return self.abandon(number);
        }
        // The answer may be lost on any of the nodes that are still to come.
        let patience = Span(self.config.request_timeout.0.max(1)).times(2);
        if let Some(errand) = lookup.errand.as_mut().filter(|_| lookup.claim.is_none()) {
            errand.patience = Some(now.after(patience));
        }
    }

    /// The answer to an own lookup.
    pub(crate) fn on_routed(&mut self, from: P, answer: Routed<P>, now: Time) {
        let Routed { errand: request, owner, hops, timeouts } = answer;
        let me = self.me.id();
        let is_meant = |lookup: &Lookup<P>| {
            let errand = lookup.errand.as_ref().filter(|errand| errand.origin.id() == me);
            errand.is_some_and(|errand| errand.request == request) && lookup.claim.is_none()
        };
        let number =
            self.lookups.active.iter().find(|(_, lookup)| is_meant(lookup)).map(|(number, _)| number);
        let Some(number) = number else { return };
        let Some(lookup) = self.lookups.active.get_mut(number) else { return };
        if !is_within(from.id(), lookup.key, owner.id()) || hops > MAX_PASSED {
            return;
        }
        (lookup.hops, lookup.timeouts) = (hops, timeouts.min(MAX_PASSED));
        if let Some(errand) = &mut lookup.errand {
            errand.patience = None;
        }
        self.requests.cancel(|purpose| purpose.lookup() == Some(number));
        self.claimed(number, from, owner, now);
    }

    /// No answer has come: the asker goes itself.
    pub(super) fn errand_is_lost(&mut self, number: u64, now: Time) {
        let Some(lookup) = self.lookups.active.get_mut(number) else { return };
        if let Some(errand) = &mut lookup.errand {
            errand.patience = None;
        }
        lookup.timeouts += 1;
        self.requests.cancel(|purpose| purpose.lookup() == Some(number));
        self.start(number, now);
    }

    /// Nobody before the key takes it over: then the first that follows it in the own list answers for it.
    pub(super) fn relay_by_list(&mut self, number: u64, now: Time) {
        let me = self.me.id();
        let Some(lookup) = self.lookups.active.get(number) else { return };
        let (key, timeouts) = (lookup.key, lookup.timeouts);
        let errand = lookup.errand.clone();
        let way = |peer: &P| distance(me, peer.id());
        let owner = self.successors().iter().copied().find(|peer| way(peer) >= distance(me, key));
        self.abandon(number);
        if let (Some(owner), Some(Errand { origin, request, hops, timeouts: before, .. })) = (owner, errand) {
            let route = Route { request, origin, errand: request, key, hops, timeouts: before };
            self.answer_route(&route, owner, before + timeouts, now);
        }
    }
}
