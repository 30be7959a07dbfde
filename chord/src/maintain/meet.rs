//! Meet: two rings become one.
//!
//! Zave's protocol keeps one ring one, and leaves two rings two: no message leads from one to the other. So every
//! member asks, now and then, a node that somebody else has named for the member's own place. In its own ring it is
//! told of itself. A node of another ring names the one that follows there; if that lies before the member's own
//! successor, the member takes it as it takes its successor's predecessor (step B of stabilize): only when it has
//! just answered, with its list. What the lists of the two rings skip of each other, stabilize and rectify find,
//! since every node goes on notifying its successor.

use crate::handle::Handle;
use crate::interval::between;
use crate::lookup::Goal;
use crate::maintain::MAX_VIA;
use crate::node::Chord;
use proto::Time;

use super::Step;

impl<P: Handle> Chord<P> {
    /// Asks one of `peers` for the node's own place, unless it is being asked for.
    pub(crate) fn meet(&mut self, peers: &[P], now: Time) {
        if !self.is_member() || self.lookups.is_meeting() {
            return;
        }
        let me = self.me.id();
        let strangers: Vec<P> = peers
            .iter()
            .take(MAX_VIA)
            .filter(|peer| peer.id() != me && !self.successors().contains(peer))
            .copied()
            .collect();
        let count = u64::try_from(strangers.len()).unwrap_or(1).max(1);
        let pick = usize::try_from(self.dice.roll() % count).unwrap_or(0);
        if let Some(stranger) = strangers.get(pick) {
            self.find_from(Goal::Meet, me, vec![*stranger], now);
        }
    }

    /// A node that follows this one, as somebody else sees it.
    pub(crate) fn met(&mut self, follower: P, now: Time) {
        let me = self.me.id();
        let Some(member) = self.member.as_ref().filter(|member| member.step == Step::Idle) else { return };
        let head = member.successors.head();
        if follower.id() != me && follower.id() != head.id() && between(me, follower.id(), head.id()) {
            self.look_between(head, Some(follower), now);
        }
    }
}
