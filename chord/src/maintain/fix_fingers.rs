//! Fix fingers: one call refreshes one finger (ToN IV-E).

use crate::handle::Handle;
use crate::lookup::Goal;
use crate::node::Chord;
use proto::Time;

impl<P: Handle> Chord<P> {
    /// Looks the next finger up, unless one is being looked up.
    pub(crate) fn fix_fingers(&mut self, now: Time) {
        if self.lookups.has_finger() {
            return;
        }
        let me = self.me.id();
        let Some(member) = &mut self.member else { return };
        if let Some(exponent) = member.fingers.due(me, &member.successors) {
            self.find(Goal::Finger { exponent }, me.plus_power(exponent), now);
        }
    }
}
