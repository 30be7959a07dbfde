//! When the periodic work is due.

use crate::config::Config;
use crate::dice::Dice;
use proto::{Span, Time};

/// The periodic deadlines of a member.
#[derive(Clone, Debug)]
pub(crate) struct Timers {
    pub(crate) stabilize: Time,
    pub(crate) fix_fingers: Time,
    pub(crate) check_predecessor: Time,
}

impl Timers {
    /// Of a new member: it stabilizes at once, so that its neighbours hear of it.
    pub(crate) fn start(config: &Config, dice: &mut Dice, now: Time) -> Self {
        Self {
            stabilize: now,
            fix_fingers: now.after(jittered(config.fix_fingers_every, dice)),
            check_predecessor: now.after(jittered(config.check_predecessor_every, dice)),
        }
    }

    /// Of a member that has been one for long.
    pub(crate) fn anywhere(config: &Config, dice: &mut Dice, now: Time) -> Self {
        let mut within = |every: Span| now.after(Span(dice.roll() % every.0.max(1)));
        Self {
            stabilize: within(config.stabilize_every),
            fix_fingers: within(config.fix_fingers_every),
            check_predecessor: within(config.check_predecessor_every),
        }
    }

    /// The earliest of them.
    pub(crate) fn next(&self) -> Time {
        self.stabilize.min(self.fix_fingers).min(self.check_predecessor)
    }
}

/// A wait drawn evenly from half to one and a half of `mean` (ToN V-E: 15 to 45 s for 30 s); never zero.
pub(crate) fn jittered(mean: Span, dice: &mut Dice) -> Span {
    let half = mean.0 / 2;
    Span(half.saturating_add(dice.roll() % mean.0.max(1)).max(1))
}
