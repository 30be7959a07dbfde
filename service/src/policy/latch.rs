//! Grace and hysteresis: a condition has to hold for a while before work stands still, and to be gone for a while
//! before it goes on.

use proto::{Span, Time};

/// Follows whether anything speaks against work.
#[derive(Clone, Debug, Default)]
pub(super) struct Latch {
    /// Whether work stands still because of conditions.
    is_halted: bool,
    /// Since when a condition has held without a pause.
    bad_since: Option<Time>,
    /// Whether a condition that may flap has held so far.
    has_flapped: bool,
    /// Since when no such condition has.
    calm_since: Option<Time>,
}

impl Latch {
    /// Takes whether a condition holds at `now`, whether one that may flap is among them, and how long that has to
    /// last (`hold`), and the contrary (`calm`), before it counts.
    pub(super) fn observe(&mut self, is_bad: bool, flaps: bool, now: Time, hold: Span, calm: Span) {
        if flaps {
            self.has_flapped = true;
            self.calm_since = None;
        } else {
            self.calm_since.get_or_insert(now);
        }
        if is_bad {
            let since = *self.bad_since.get_or_insert(now);
            self.is_halted |= now.since(since) >= hold;
        } else {
            self.bad_since = None;
            self.is_halted &= self.calms_in(now, hold, calm) > Span(0);
        }
    }

    /// Whether work stands still because of conditions.
    pub(super) const fn is_halted(&self) -> bool {
        self.is_halted
    }

    /// How long it takes until sharing goes on if nothing happens: `calm` after work stood still. After a
    /// condition that was too short for that, nothing is sold for `hold`, but not longer than `calm`: else a load
    /// that flaps would list and de-list without end.
    pub(super) fn wait(&self, hold: Span, calm: Span) -> Span {
        match (self.has_flapped, self.is_halted) {
            (false, _) => Span(0),
            (true, true) => calm,
            (true, false) => hold.min(calm),
        }
    }

    /// What is left of [`Self::wait`].
    pub(super) fn calms_in(&self, now: Time, hold: Span, calm: Span) -> Span {
        let passed = self.calm_since.map_or(Span(0), |since| now.since(since));
        Span(self.wait(hold, calm).0.saturating_sub(passed.0))
    }
}
