//! Grace and hysteresis: a condition has to hold for a while before work stands still, and to be gone for a while
//! before it goes on.

use proto::{Span, Time};

/// Follows whether anything speaks against work.
#[derive(Clone, Debug, Default)]
pub(super) struct Latch {
    /// Whether work stands still because of conditions.
    is_halted: bool,
    /// Whether any condition has held so far.
    has_been_bad: bool,
    /// Since when a condition has held without a pause.
    bad_since: Option<Time>,
    /// Since when none has.
    good_since: Option<Time>,
}

impl Latch {
    /// Takes whether a condition holds at `now`, and how long that has to last (`hold`), and the contrary
    /// (`calm`), before it counts.
    pub(super) fn observe(&mut self, is_bad: bool, now: Time, hold: Span, calm: Span) {
        if is_bad {
            self.has_been_bad = true;
            self.good_since = None;
            let since = *self.bad_since.get_or_insert(now);
            self.is_halted |= now.since(since) >= hold;
        } else {
            self.bad_since = None;
            let since = *self.good_since.get_or_insert(now);
            self.is_halted &= now.since(since) < calm;
        }
    }

    /// Whether work stands still because of conditions.
    pub(super) const fn is_halted(&self) -> bool {
        self.is_halted
    }

    /// How long until selling goes on if nothing happens; 0 when it may. After a condition that was too short for
    /// work to stand still, nothing is sold for `hold` either, but not longer than `calm`: else a load that
    /// flaps would list and de-list without end.
    pub(super) fn calms_in(&self, now: Time, hold: Span, calm: Span) -> Span {
        let wait = match (self.is_halted, self.has_been_bad) {
            (true, _) => calm,
            (false, true) => hold.min(calm),
            (false, false) => Span(0),
        };
        let passed = self.good_since.map_or(Span(0), |since| now.since(since));
        Span(wait.0.saturating_sub(passed.0))
    }
}
