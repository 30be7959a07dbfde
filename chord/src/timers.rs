//! When the periodic work is due.

use crate::config::Config;
use proto::{Span, Time};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

/// The periodic deadlines of a member.
#[derive(Clone, Debug)]
pub(crate) struct Timers {
    pub(crate) stabilize: Time,
    pub(crate) fix_fingers: Time,
    pub(crate) check_predecessor: Time,
}

impl Timers {
    /// Of a new member: it stabilizes at once, so that its neighbours hear of it.
    pub(crate) fn start(config: &Config, rng: &mut ChaCha8Rng, now: Time) -> Self {
        Self {
            stabilize: now,
            fix_fingers: now.after(jittered(config.fix_fingers_every, rng)),
            check_predecessor: now.after(jittered(config.check_predecessor_every, rng)),
        }
    }

    /// The earliest of them.
    pub(crate) fn next(&self) -> Time {
        self.stabilize.min(self.fix_fingers).min(self.check_predecessor)
    }
}

/// A wait drawn evenly from half to one and a half of `mean` (ToN V-E: 15 to 45 s for 30 s); never zero.
pub(crate) fn jittered(mean: Span, rng: &mut ChaCha8Rng) -> Span {
    let half = mean.0 / 2;
    Span(half.saturating_add(rng.next_u64() % mean.0.max(1)).max(1))
}
