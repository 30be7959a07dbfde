//! The meeting point of a commodity: the node of the base ring that is responsible for the hash of its name keeps a
//! list of members of its overlay, as soft state. There is at most one entry for each market.

use super::{Overlay, gate};
use proto::message::overlay::{AskMembers, Enrol, Members, OverlayMessage, Stand};
use proto::{Commodity, Market, Peer, Range, RequestId, RingId, Span, Time};
use rand_chacha::rand_core::Rng;
use std::collections::BTreeMap;

/// Members in one answer: as many as a join tries.
pub(super) const MAX_MEMBERS: usize = chord::MAX_VIA;
/// How many enrolments an entry outlives.
const LIFETIME: u64 = 3;

/// Where the members of a commodity's overlay meet.
pub(super) fn key(commodity: Commodity) -> RingId {
    RingId::hash(format!("{}/markets", commodity.name()).as_bytes())
}

/// The lists of the commodities whose meeting point is here, or may have been.
#[derive(Debug, Default)]
pub(super) struct Roster {
    members: BTreeMap<Market, (Peer, Time)>,
    /// Since when this node answers for the meeting point.
    since: BTreeMap<Commodity, Time>,
}

impl Roster {
    pub(super) fn range_changed(&mut self, range: Range, now: Time) {
        for commodity in Commodity::ALL {
            if range.contains(key(commodity)) {
                self.since.entry(commodity).or_insert(now);
            } else {
                self.since.remove(&commodity);
            }
        }
    }

    pub(super) fn put(&mut self, market: Market, owner: Peer, now: Time, enrol: Span) {
        self.members.insert(market, (owner, now.after(enrol.times(LIFETIME))));
    }

    pub(super) fn purge(&mut self, now: Time) {
        self.members.retain(|_, (_, until)| *until > now);
    }

    pub(super) fn due(&self) -> Option<Time> {
        self.members.values().map(|(_, until)| *until).min()
    }

    fn others(&self, commodity: Commodity, asker: Peer, now: Time) -> Vec<Stand> {
        let is_meant = |(market, (owner, until)): &(&Market, &(Peer, Time))| {
            market.commodity == commodity && *owner != asker && *until > now
        };
        self.members
            .iter()
            .filter(is_meant)
            .map(|(market, (owner, _))| Stand { market: *market, owner: *owner })
            .collect()
    }
}

impl Overlay {
    /// A member enrols, and hears of others.
    pub(super) fn enrolled(&mut self, from: Peer, enrol: Enrol, now: Time) {
        self.tell_members(from, enrol.request, enrol.market.commodity, now);
        if self.admits(enrol.market, from, now) {
            self.roster.put(enrol.market, from, now, self.periods.enrol);
        } else {
            self.hold(enrol.market, gate::Held::Enrol(from, enrol), now);
        }
    }

    pub(super) fn tell_members(&mut self, from: Peer, request: RequestId, commodity: Commodity, now: Time) {
        let members = self.members(from, request, commodity, now);
        self.send(from, OverlayMessage::Members(members));
    }

    /// Some members, at random; not those of `asker`.
    pub(super) fn members(
        &mut self,
        asker: Peer,
        request: RequestId,
        commodity: Commodity,
        now: Time,
    ) -> Members {
        let mut members = self.roster.others(commodity, asker, now);
        let count = u64::try_from(members.len()).unwrap_or(u64::MAX).max(1);
        let first = usize::try_from(self.rng.next_u64() % count).unwrap_or(0);
        members.rotate_left(first);
        members.truncate(MAX_MEMBERS);
        let settle = self.periods.settle;
        let is_sure = self.roster.since.get(&commodity).is_some_and(|since| since.after(settle) <= now);
        Members { request, members, is_sure }
    }

    /// The question to another node's meeting point: with the own entry, if there is one.
    pub(super) fn question(&mut self, commodity: Commodity) -> (RequestId, OverlayMessage) {
        let request = self.request();
        let member = self.own_members(commodity).first().map(|stand| stand.market);
        let message = match member {
            Some(market) => OverlayMessage::Enrol(Enrol { request, market }),
            None => OverlayMessage::AskMembers(AskMembers { request, commodity }),
        };
        (request, message)
    }

    /// Enters the own members where the meeting point is this node.
    pub(super) fn enrol_here(&mut self, commodity: Commodity, now: Time) {
        if let Some(stand) = self.own_members(commodity).first() {
            self.roster.put(stand.market, self.me, now, self.periods.enrol);
        }
    }
}
