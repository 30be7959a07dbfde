//! The maintenance of the ring: Zave's corrected operations (IEEE TSE 2017), one file each.
//!
//! Each step reads one other node and writes only the node's own state; the moment at which the other node made
//! its reply is the moment of the step. So between its question and the end of the step a node's own
//! successor list is undefined: it does not show it to others but says "busy" and answers afterwards.

mod fix_fingers;
mod join;
mod leave;
mod meet;
mod rectify;
mod stabilize;

pub(crate) use join::Join;
pub use join::MAX_VIA;
pub(crate) use rectify::Probe;
pub(crate) use stabilize::{Delayed, Step};
pub use stabilize::{MAX_DELAYED, MAX_HINTS};

use crate::handle::Handle;
use crate::node::Chord;
use crate::timers::jittered;
use proto::Time;

impl<P: Handle> Chord<P> {
    /// Does the periodic work whose time has come.
    pub(crate) fn maintenance_due(&mut self, now: Time) {
        let Some(member) = &mut self.member else { return };
        let timers = &mut member.timers;
        let config = &self.config;
        let mut is_due = |timer: &mut Time, every| {
            let is_due = *timer <= now;
            if is_due {
                *timer = now.after(jittered(every, &mut self.dice));
            }
            is_due
        };
        let stabilize = is_due(&mut timers.stabilize, config.stabilize_every);
        let fix_fingers = is_due(&mut timers.fix_fingers, config.fix_fingers_every);
        let check_predecessor = is_due(&mut timers.check_predecessor, config.check_predecessor_every);
        let is_silent = now.since(member.heard) >= config.check_predecessor_every;
        if stabilize {
            if let Some(learned) = &mut self.learned {
                learned.sight.begin_period();
            }
            self.stabilize(now);
        }
        if fix_fingers {
            self.fix_fingers(now);
        }
        if check_predecessor && is_silent {
            self.probe_predecessor(None, now);
        }
    }
}
