//! Confirmation: the predecessor's word on who answers for a key may be older than the last departure or join, so
//! the lookup ends only when the owner itself has answered.
//!
//! ToN's lookup ends at the predecessor's word; that is where its failures under churn come from (ToN V-E). Here
//! the owner is asked for its own state. If it knows a predecessor that lies nearer to the key, that one is asked
//! next; if it is dead, those that follow it in the predecessor's list are.

use super::{Answer, Goal};
use crate::face::LookupFailure;
use crate::handle::Handle;
use crate::interval::{between, distance, is_within};
use crate::node::Chord;
use crate::requests::Purpose;
use proto::Time;

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
    asked: u32,
    has_heirs: bool,
}

impl<P: Handle> Chord<P> {
    /// `predecessor` says that `owner` answers for the key.
    pub(super) fn claimed(&mut self, number: u64, predecessor: P, owner: P, now: Time) {
        let is_confirmed = self.config.confirm;
        let Some(lookup) = self.lookups.active.get_mut(number) else { return };
        if !is_confirmed || !matches!(lookup.goal, Goal::Caller { .. }) {
            return self.conclude(number, Ok(Answer { owner, predecessor }), now);
        }
        let claim = Claim { predecessor, owners: vec![owner], best: None, asked: 0, has_heirs: false };
        lookup.claim = Some(claim);
        self.confirm(number, now);
    }

    /// Asks the next who may be the owner.
    fn confirm(&mut self, number: u64, now: Time) {
        let me = self.me;
        let Some(lookup) = self.lookups.active.get_mut(number) else { return };
        let Some(claim) = lookup.claim.as_mut() else { return };
        let next = if claim.asked < MAX_CONFIRMS { claim.owners.first().copied() } else { None };
        claim.asked += 1;
        match (next, claim.best) {
            (Some(owner), _) if owner.id() != me.id() => self.ask(owner, Purpose::Confirm(number), now),
            (Some(owner), _) | (None, Some(owner)) => {
                let predecessor = claim.predecessor;
                self.conclude(number, Ok(Answer { owner, predecessor }), now);
            }
            (None, None) => self.ask_heirs(number, now),
        }
    }

    /// The owner has answered: `nearer` is its predecessor, if that lies between the key and it.
    pub(crate) fn on_confirmed(&mut self, number: u64, from: P, predecessor: Option<P>, now: Time) {
        let Some(lookup) = self.lookups.active.get_mut(number) else { return };
        let key = lookup.key;
        let Some(claim) = lookup.claim.as_mut() else { return };
        claim.best = Some(from);
        let is_nearer = |peer: &P| {
            let way = distance(key, peer.id());
            peer.id() != from.id() && way < distance(key, from.id())
        };
        claim.owners = predecessor.into_iter().filter(is_nearer).collect();
        self.confirm(number, now);
    }

    /// Who may be the owner does not answer.
    pub(crate) fn on_unconfirmed(&mut self, number: u64, owner: P, now: Time) {
        let Some(lookup) = self.lookups.active.get_mut(number) else { return };
        lookup.timeouts += 1;
        lookup.tried.push(owner.id());
        if let Some(claim) = lookup.claim.as_mut() {
            claim.owners.retain(|peer| *peer != owner);
        }
        self.confirm(number, now);
    }

    /// Nobody nearer to the key answers: then the nearest that has answered is its predecessor among the living,
    /// and the owner is in its list.
    pub(super) fn claim_by_list(&mut self, number: u64, now: Time) {
        let me = self.me;
        let Some(lookup) = self.lookups.active.get_mut(number) else { return };
        let predecessor = *lookup.nearest.get_or_insert(me);
        lookup.listed = Some(predecessor);
        lookup.claim =
            Some(Claim { predecessor, owners: Vec::new(), best: None, asked: 0, has_heirs: false });
        self.confirm(number, now);
    }

    /// Everybody who was named is dead: who follows, in the list of the key's predecessor?
    fn ask_heirs(&mut self, number: u64, now: Time) {
        let me = self.me;
        let own = self.successors().to_vec();
        let Some(lookup) = self.lookups.active.get_mut(number) else { return };
        let Some(claim) = lookup.claim.as_mut().filter(|claim| !claim.has_heirs) else {
            lookup.claim = None;
            return self.advance(number, now);
        };
        claim.has_heirs = true;
        let predecessor = claim.predecessor;
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
        let (key, tried) = (lookup.key, &lookup.tried);
        let Some(claim) = lookup.claim.as_mut() else { return };
        let from = claim.predecessor.id();
        let is_new = |peer: &&P| !tried.contains(&peer.id());
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
            Goal::Caller { .. } => lookup.retry = Some(now.after(pause)),
            _ => self.conclude(number, Err(LookupFailure::TimedOut), now),
        }
    }
}
