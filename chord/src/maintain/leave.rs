//! Leave: a departure that the neighbours hear of (ToN IV-F, made safe).
//!
//! ToN lets the predecessor append the leaver's last successor. That list may be older than the message: it can
//! skip a node that has come since. Here the predecessor treats the notice as the news of a death, which
//! Zave's protocol handles at any time; it only spares the wait for the timeout. Likewise the successor
//! forgets the leaver and learns its new predecessor from that one's own notification.

use crate::face::Output;
use crate::handle::Handle;
use crate::node::Chord;
use crate::requests::Purpose;
use proto::Time;
use proto::message::chord::{ChordMessage, Leaving};

use super::Step;

impl<P: Handle> Chord<P> {
    pub(crate) fn leave(&mut self) {
        let mut told = self.me;
        if let Some(member) = &self.member {
            let successors = member.successors.shown();
            let predecessor = member.arc.predecessor();
            let leaving = ChordMessage::Leaving(Leaving { predecessor, successors });
            for neighbour in [predecessor.unwrap_or(self.me), member.successors.head()] {
                if neighbour.id() != self.me.id() && neighbour.id() != told.id() {
                    self.send(neighbour, leaving.clone());
                    told = neighbour;
                }
            }
        }
        self.abandon_join();
        self.forget_membership();
        self.emit(Output::Left);
    }

    pub(crate) fn on_leaving(&mut self, from: P, message: &Leaving<P>, now: Time) {
        let Some(member) = &mut self.member else { return };
        // Whoever only claims the place of another node, with another key, cannot send that one away.
        if member.fingers.iter().any(|finger| finger == from) {
            member.fingers.remove(from.id());
        }
        if member.arc.predecessor() == Some(from) {
            self.lose_predecessor(now);
        }
        self.leave_out(from, message, now);
        self.fail_requests(from, now);
    }

    /// Drops a successor that has left. In the second step of stabilize the head must not change: there the
    /// departure is noticed like a death.
    fn leave_out(&mut self, gone: P, message: &Leaving<P>, now: Time) {
        let Some(member) = &mut self.member else { return };
        if member.successors.head() != gone {
            return;
        }
        if member.step == Step::AskingBetween {
            member.timers.stabilize = now;
            return;
        }
        self.requests.cancel(|purpose| purpose == Purpose::AskSuccessor);
        self.head_is_dead(&message.successors, now);
    }
}
