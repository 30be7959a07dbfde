//! Confirmation: the predecessor's word on who answers for a key may be older than the last departure or join, so
//! the lookup ends only when the owner itself has answered.
//!
//! ToN's lookup ends at the predecessor's word; that is where its failures under churn come from (ToN V-E). Here
//! the owner is asked for its arc. If it knows a predecessor that lies nearer to the key, that one is asked
//! next; if it is dead, those that follow it in the predecessor's list are.

use super::{Answer, Goal};
use crate::face::LookupFailure;
use crate::handle::Handle;
use crate::interval::{between, distance, is_within};
use crate::node::Chord;
use crate::requests::Purpose;
use proto::message::chord::{ArcReply, ChordMessage};
use proto::{RequestId, Time};

/// How many nodes are asked whether they are the owner before the lookup starts again.
const MAX_CONFIRMS: u32 = 32;

/// A word on who answers for a key.
#[derive(Clone, Debug)]
pub(crate) struct Claim<P> {
    /// Whose word it is.
    predecessor: P,
    /// Who may be the owner, the likeliest first.
    owners: Vec<P>,
    /// Who has answered, and is the owner unless a nearer one answers.
    best: Option<P>,
    /// Who is being asked.
    asking: Option<P>,
    asked: u32,
    has_heirs: bool,
}

impl<P> Claim<P> {
    const fn new(predecessor: P, owners: Vec<P>) -> Self {
        Self { predecessor, owners, best: None, asking: None, asked: 0, has_heirs: false }
    }

    /// Bytes on the heap.
    pub(super) const fn footprint(&self) -> usize {
        self.owners.capacity() * size_of::<P>()
    }
}

impl<P: Handle> Chord<P> {
    /// `predecessor` says that `owner` answers for the key.
    ///
    /// This node lives. If it comes before that owner, seen from the key, the word is old, or a lie: whoever says that
    /// it answers itself for what others ask always says so. Another way is tried.
    pub(super) fn claimed(&mut self, number: u64, predecessor: P, owner: P, now: Time) {
        let me = self.me;
        let is_confirmed = self.config.confirm;
        let is_member = self.is_member();
        let Some(lookup) = self.lookups.active.get_mut(number) else { return };
        let is_of_ring = is_member && matches!(lookup.goal, Goal::Caller { .. } | Goal::Finger { .. });
        if is_of_ring && distance(lookup.key, me.id()) < distance(lookup.key, owner.id()) {
            lookup.refuted.push(predecessor);
            return self.advance(number, now);
        }
        let is_early = lookup.early == Some((owner, true));
        if !is_confirmed || is_early || !matches!(lookup.goal, Goal::Caller { .. }) {
            return self.conclude(number, Ok(Answer { owner, predecessor }), now);
        }
        // Who was found dead in this lookup is not waited for again.
        let owners = if lookup.tried.contains(&owner) { Vec::new() } else { vec![owner] };
        lookup.claim = Some(Claim::new(predecessor, owners));
        self.confirm(number, now);
    }

    /// Asks the next who may be the owner.
    fn confirm(&mut self, number: u64, now: Time) {
        let me = self.me;
        let Some(lookup) = self.lookups.active.get_mut(number) else { return };
        let Some(claim) = lookup.claim.as_mut() else { return };
        let next = if claim.asked < MAX_CONFIRMS { claim.owners.first().copied() } else { None };
        claim.asked += 1;
        claim.asking = next;
        match (next, claim.best) {
            (Some(owner), _) if owner.id() != me.id() => {
                let is_asked = |purpose| purpose == Purpose::Confirm(number);
                if !self.requests.asks(owner, is_asked) {
                    self.ask(owner, Purpose::Confirm(number), now);
                }
            }
            (Some(_), _) => self.confirm_oneself(number, now),
            (None, Some(owner)) => {
                let predecessor = claim.predecessor;
                self.conclude(number, Ok(Answer { owner, predecessor }), now);
            }
            (None, None) => self.ask_heirs(number, now),
        }
    }

    /// This node itself may be the owner: it knows its arc.
    fn confirm_oneself(&mut self, number: u64, now: Time) {
        let (me, range, before) = (self.me, self.range(), self.predecessor());
        let Some(lookup) = self.lookups.active.get_mut(number) else { return };
        let key = lookup.key;
        let is_owner = range.is_none_or(|range| range.contains(key));
        let Some(claim) = lookup.claim.as_mut() else { return };
        let is_nearer = |peer: &P| distance(key, peer.id()) < distance(key, me.id());
        claim.best = Some(me);
        claim.owners = before.filter(|_| !is_owner).into_iter().filter(is_nearer).collect();
        self.confirm(number, now);
    }

    pub(crate) fn answer_arc(&mut self, to: P, request: RequestId) {
        let Some(member) = &self.member else { return };
        let (predecessor, after) = (member.arc.predecessor(), member.arc.range().after);
        self.send(to, ChordMessage::ArcReply(ArcReply { request, predecessor, after }));
    }

    /// Who may be the owner has answered. If its predecessor lies between the key and it, that one may be, too.
    pub(crate) fn on_arc(&mut self, from: P, answer: ArcReply<P>, now: Time) {
        let fits = |purpose| matches!(purpose, Purpose::Confirm(_));
        let Some(Purpose::Confirm(number)) = self.requests.answered(answer.request, from, fits) else {
            return;
        };
        let Some(lookup) = self.lookups.active.get_mut(number) else { return };
        let key = lookup.key;
        let is_owner = is_within(answer.after, key, from.id());
        if let Some((_, is_sure)) = lookup.early.as_mut().filter(|(early, _)| *early == from) {
            *is_sure = is_owner;
        }
        let Some(claim) = lookup.claim.as_mut().filter(|claim| claim.asking == Some(from)) else { return };
        claim.best = Some(from);
        let is_nearer = |peer: &P| {
            let way = distance(key, peer.id());
            peer.id() != from.id() && way < distance(key, from.id())
        };
        claim.owners = answer.predecessor.into_iter().filter(is_nearer).collect();
        self.confirm(number, now);
    }

    /// Who may be the owner does not answer.
    pub(crate) fn on_unconfirmed(&mut self, number: u64, owner: P, now: Time) {
        let Some(lookup) = self.lookups.active.get_mut(number) else { return };
        lookup.timeouts += 1;
        lookup.tried.push(owner);
        let Some(claim) = lookup.claim.as_mut().filter(|claim| claim.asking == Some(owner)) else { return };
        claim.owners.retain(|peer| *peer != owner);
        self.confirm(number, now);
    }

    /// Nobody nearer to the key answers: then the nearest that has answered is its predecessor among the living,
    /// and the owner is in its list.
    pub(super) fn claim_by_list(&mut self, number: u64, now: Time) {
        let me = self.me;
        let Some(lookup) = self.lookups.active.get_mut(number) else { return };
        let predecessor = *lookup.nearest.get_or_insert(me);
        lookup.listed = Some(predecessor);
        lookup.claim = Some(Claim::new(predecessor, Vec::new()));
        self.confirm(number, now);
    }

    /// Everybody who was named is dead: who follows, in the list of the key's predecessor?
    fn ask_heirs(&mut self, number: u64, now: Time) {
        let me = self.me;
        let own = self.successors().to_vec();
        let Some(lookup) = self.lookups.active.get_mut(number) else { return };
        let Some(claim) = &mut lookup.claim else { return };
        let predecessor = claim.predecessor;
        if std::mem::replace(&mut claim.has_heirs, true) {
            // Whoever names only the dead is asked no more.
            lookup.refuted.extend(Some(predecessor).filter(|peer| peer.id() != me.id()));
            lookup.claim = None;
            return self.advance(number, now);
        }
        if predecessor.id() == me.id() {
            self.on_heirs(number, &own, now);
        } else {
            self.ask(predecessor, Purpose::Heirs(number), now);
        }
    }

    /// The list of the key's predecessor.
    pub(crate) fn on_heirs(&mut self, number: u64, list: &[P], now: Time) {
        let me = self.me.id();
        let Some(lookup) = self.lookups.active.get_mut(number) else { return };
        let (key, tried, refuted) = (lookup.key, &lookup.tried, &lookup.refuted);
        let Some(claim) = lookup.claim.as_mut() else { return };
        let from = claim.predecessor.id();
        let is_new = |peer: &&P| !tried.contains(peer) && !refuted.contains(peer);
        let is_nearer = |peer: &&P| peer.id() != me && between(from, peer.id(), key);
        let nearer: Vec<P> = list.iter().filter(is_new).filter(is_nearer).copied().collect();
        if !nearer.is_empty() {
            // It is not the predecessor after all, unless all of these are dead.
            (lookup.claim, lookup.listed) = (None, None);
            lookup.consider(nearer);
            return self.advance(number, now);
        }
        claim.owners =
            list.iter().filter(is_new).filter(|peer| is_within(from, key, peer.id())).copied().collect();
        self.confirm(number, now);
    }

    /// Waits a moment for the ring to repair itself, and starts again from the own tables.
    pub(crate) fn start_again(&mut self, number: u64, now: Time) {
        let pause = self.config.try_every();
        let Some(lookup) = self.lookups.active.get_mut(number) else { return };
        lookup.claim = None;
        match lookup.goal {
            Goal::Caller { .. } => {
                lookup.errand = None;
                lookup.retry = Some(now.after(pause));
            }
            Goal::Relay => self.relay_by_list(number, now),
            _ => self.conclude(number, Err(LookupFailure::TimedOut), now),
        }
    }
}
