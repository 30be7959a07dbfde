//! Rectify: the node keeps its predecessor right (Zave 2017).

use crate::face::Output;
use crate::handle::Handle;
use crate::interval::between;
use crate::node::Chord;
use crate::requests::Purpose;
use proto::message::chord::{ChordMessage, Nearer};
use proto::{RequestId, Time};

/// A predecessor that is being asked whether it lives.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Probe<P> {
    /// Who takes its place if it does not.
    candidate: Option<P>,
}

impl<P: Handle> Chord<P> {
    /// `from` believes that it is the predecessor. It is if it lies nearer than the known one, or if that is dead.
    pub(crate) fn on_notify(&mut self, from: P, now: Time) {
        let Some(member) = &self.member else { return };
        match member.arc.predecessor() {
            None => self.follow(from, now),
            Some(known) if known == from => {}
            Some(known) if between(known.id(), from.id(), self.me.id()) => {
                self.follow(from, now);
                self.hint(known, from);
            }
            Some(known) => {
                self.probe_predecessor(Some(from), now);
                self.hint(from, known);
            }
        }
    }

    /// Tells the farther of two nodes, which both believe that they are the predecessor, of the nearer one. So they need
    /// not wait for their next stabilize operation to find their places: many that join at one place would find them
    /// one an operation.
    fn hint(&mut self, farther: P, nearer: P) {
        if farther.id() != self.me.id() {
            self.send(farther, ChordMessage::Nearer(Nearer { node: nearer }));
        }
    }

    /// Asks the predecessor whether it lives.
    pub(crate) fn probe_predecessor(&mut self, candidate: Option<P>, now: Time) {
        let Some(member) = &mut self.member else { return };
        let me = self.me.id();
        let Some(predecessor) = member.arc.predecessor().filter(|peer| peer.id() != me) else { return };
        if let Some(probe) = &mut member.probe {
            let is_nearer = |new: &P| probe.candidate.is_none_or(|old| between(old.id(), new.id(), me));
            probe.candidate = candidate.filter(is_nearer).or(probe.candidate);
            return;
        }
        member.probe = Some(Probe { candidate });
        self.ask(predecessor, Purpose::ProbePredecessor, now);
    }

    pub(crate) fn on_pong(&mut self, from: P, request: RequestId) {
        let fits = |purpose| purpose == Purpose::ProbePredecessor;
        if self.requests.answered(request, from, fits).is_some()
            && let Some(member) = &mut self.member
        {
            member.probe = None;
        }
    }

    pub(crate) fn predecessor_is_dead(&mut self, dead: P, now: Time) {
        let Some(member) = &mut self.member else { return };
        let candidate = member.probe.take().and_then(|probe| probe.candidate);
        if !member.arc.follows(dead.id()) {
            return;
        }
        match candidate {
            Some(candidate) => self.follow(candidate, now),
            None => self.lose_predecessor(now),
        }
    }

    /// The predecessor is gone, and no other is known. A ring of one is its own.
    pub(crate) fn lose_predecessor(&mut self, now: Time) {
        let Some(member) = &mut self.member else { return };
        if member.successors.is_alone() {
            self.follow(self.me, now);
        } else {
            member.arc.lose();
        }
    }

    pub(crate) fn follow(&mut self, predecessor: P, now: Time) {
        let Some(member) = &mut self.member else { return };
        member.heard = now;
        let former = member.arc.range();
        if let Some(range) = member.arc.follow(predecessor) {
            let heir = Some(predecessor).filter(|peer| peer.id() != self.me.id());
            self.emit(Output::RangeChanged { range, heir, donor: None });
            // Who has taken a part of the arc over announces that itself.
            if !former.contains(range.after) {
                self.announce(range);
            }
        }
    }
}
