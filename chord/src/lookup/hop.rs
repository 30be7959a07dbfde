//! One step of an iterative lookup: asked, and answered.

use super::MAX_CLOSER;
use crate::handle::Handle;
use crate::interval::{between, distance, is_within};
use crate::node::Chord;
use crate::requests::Purpose;
use proto::message::chord::{ChordMessage, CloserNodes, FindNext, FoundNode};
use proto::{RequestId, RingId, Time};

impl<P: Handle> Chord<P> {
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

    /// Whose hop this is the answer to; none if the lookup has got further without it.
    fn hop_answered(&mut self, request: RequestId, from: P) -> Option<(u64, RingId)> {
        let fits = |purpose| matches!(purpose, Purpose::Hop(..));
        let Some(Purpose::Hop(number, key)) = self.requests.answered(request, from, fits) else {
            return None;
        };
        let lookup = self.lookups.active.get_mut(number)?;
        lookup.hops += 1;
        lookup.claim.is_none().then_some((number, key))
    }

    /// The successor, if it answers for the key.
    pub(super) fn own_answer(&self, key: RingId) -> Option<P> {
        let head = self.member.as_ref()?.successors.head();
        is_within(self.me.id(), key, head.id()).then_some(head)
    }

    /// The known nodes that precede `key`, the nearest to it first; at most [`MAX_CLOSER`].
    pub(super) fn closest_preceding(&self, key: RingId) -> Vec<P> {
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
        if let Some(nearest) = near.first().and_then(|finger| self.nearest_for(*finger, key)) {
            near.truncate(MAX_CLOSER - 1);
            if near.first() != Some(&nearest) {
                near.insert(0, nearest);
            }
        }
        near
    }
}
