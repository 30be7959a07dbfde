//! Who is heard in the overlay: the owner of the market it speaks for, by the base ring, and nobody else.
//!
//! Before a virtual node's word reaches the overlay's core, the base ring has been asked who answers for its market. So
//! nobody can take a point of the overlay, other than by owning that market anyway. A former owner is heard for a little
//! longer, in order to leave. Points that others name in their lists are not verified until they speak; the core asks
//! whom it is told of before it relies on it.

use super::{Overlay, Purpose};
use market::placement;
use proto::message::overlay::{Enrol, Talk};
use proto::{Market, Peer, Placement, Time};
use std::collections::BTreeMap;

/// Messages on one market that wait for the base ring's word; what comes beyond that is dropped, and repeated by its
/// sender.
pub(super) const MAX_HELD: usize = 16;

/// What waits for the base ring's word.
#[derive(Clone, Debug)]
pub(super) enum Held {
    Talk(Peer, Box<Talk>),
    Enrol(Peer, Enrol),
}

/// What the base ring has said, by markets: there are only so many.
#[derive(Debug, Default)]
pub(super) struct Gate {
    known: BTreeMap<Market, Known>,
}

#[derive(Debug, Default)]
struct Known {
    owner: Option<Peer>,
    former: Option<(Peer, Time)>,
    checked: Time,
    is_asked: bool,
    held: Vec<Held>,
}

impl Gate {
    /// `peer` is gone: whoever has its markets now is asked for again.
    pub(super) fn forget(&mut self, peer: Peer) {
        for known in self.known.values_mut().filter(|known| known.owner == Some(peer)) {
            known.owner = None;
        }
    }
}

impl Known {
    fn is_former(&self, peer: Peer, now: Time) -> bool {
        self.former.is_some_and(|(former, until)| former == peer && until > now)
    }
}

impl Overlay {
    /// Whether `from` is known to answer for `market`, or did until a moment ago.
    pub(super) fn admits(&mut self, market: Market, from: Peer, now: Time) -> bool {
        if self.departing.is_some() {
            // The base ring answers no longer, and nothing depends on this node's view any more.
            return true;
        }
        let trust = self.periods.trust;
        let known = self.gate.known.entry(market).or_default();
        let is_owner = known.owner == Some(from);
        if is_owner && known.checked.after(trust) <= now && known.checked.after(trust.times(2)) > now {
            // Time to ask again; until the answer comes, what was true counts.
            self.ask_owner(market);
            return true;
        }
        (is_owner && known.checked.after(trust) > now) || known.is_former(from, now)
    }

    /// Keeps what `from` says of `market` until the base ring has said who answers for it. If it has just said so, what is
    /// said is dropped.
    pub(super) fn hold(&mut self, market: Market, held: Held, now: Time) {
        let doubt = self.periods.doubt;
        let known = self.gate.known.entry(market).or_default();
        let is_answered = known.owner.is_some() && known.checked.after(doubt) > now;
        if known.held.len() < MAX_HELD && (known.is_asked || !is_answered) {
            known.held.push(held);
            self.ask_owner(market);
        }
    }

    fn ask_owner(&mut self, market: Market) {
        let known = self.gate.known.entry(market).or_default();
        if !std::mem::replace(&mut known.is_asked, true) {
            self.look_up(Purpose::Gate(market), placement::key(Placement::Processor, market));
        }
    }

    /// The base ring has answered.
    pub(super) fn verified(&mut self, market: Market, owner: Option<Peer>, now: Time) {
        let known = self.gate.known.entry(market).or_default();
        known.is_asked = false;
        self.note_owner(market, owner, now);
        let held = self.gate.known.get_mut(&market).map(|known| std::mem::take(&mut known.held));
        for held in held.unwrap_or_default() {
            match held {
                Held::Talk(from, talk) if self.admits(market, from, now) => self.hear(from, *talk, now),
                Held::Enrol(from, enrol) if self.admits(market, from, now) => {
                    self.roster.put(enrol.market, from, now, self.periods.enrol)
                }
                Held::Talk(..) | Held::Enrol(..) => {}
            }
        }
    }

    /// The base ring has said who owns `market`.
    pub(super) fn note_owner(&mut self, market: Market, owner: Option<Peer>, now: Time) {
        let Some(owner) = owner else { return };
        let quiet = self.periods.quiet;
        let known = self.gate.known.entry(market).or_default();
        if let Some(former) = known.owner.filter(|former| *former != owner) {
            known.former = Some((former, now.after(quiet)));
        }
        (known.owner, known.checked) = (Some(owner), now);
    }
}
