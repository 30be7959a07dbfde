//! Whether somebody is there, from keyboard and mouse.

use super::Idle;
use proto::{Span, Time};

/// Two touches further apart than this are two uses: a person who reads moves the mouse now and then. An
/// assumption; `PBS` has a polling interval of 5 s in its place and the same `min use`.
const MAX_PAUSE: Span = Span::secs(60);
/// A sensor may place the same touch so much later the next time.
const JITTER: Span = Span::secs(1);

/// Whether somebody is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Presence {
    /// Somebody uses the machine, or did less than `idle.after` ago.
    InUse,
    /// Nobody does.
    Away,
    /// No sensor can tell. The limits of `[in_use]` hold then, and `idle.require_idle` demands nothing.
    #[default]
    Unknown,
}

/// Follows keyboard and mouse.
#[derive(Clone, Debug, Default)]
pub(super) struct Watch {
    presence: Presence,
    /// When somebody last used the machine, less what did not count.
    used: Time,
    /// The last touch that was seen.
    touched: Time,
    /// A use that is still too short to count: its first touch and its last.
    nudge: Option<(Time, Time)>,
    /// For how long nobody has touched anything, as last told.
    untouched: Option<Span>,
}

impl Presence {
    /// At one moment alone: whether keyboard and mouse have been untouched for `after`.
    pub(super) fn at_once(untouched: Option<Span>, after: Span) -> Self {
        untouched.map_or(Self::Unknown, |span| if span >= after { Self::Away } else { Self::InUse })
    }
}

impl Watch {
    /// Takes what the sensors say at `now`.
    pub(super) fn observe(&mut self, untouched: Option<Span>, now: Time, idle: &Idle) {
        self.untouched = untouched;
        let Some(span) = untouched else {
            *self = Self::default();
            return;
        };
        let touch = Time(now.0.saturating_sub(span.0));
        let is_new = touch > self.touched.after(JITTER);
        self.touched = self.touched.max(touch);
        match self.presence {
            Presence::Unknown => {
                self.presence = Presence::at_once(untouched, idle.after);
                self.used = touch;
            }
            Presence::InUse => {
                self.used = self.used.max(touch);
                if now.since(self.used) >= idle.after {
                    self.presence = Presence::Away;
                }
            }
            Presence::Away if is_new => {
                let begun = self.nudge.filter(|(_, last)| touch.since(*last) <= MAX_PAUSE);
                let first = begun.map_or(touch, |(first, _)| first);
                self.nudge = Some((first, touch));
                if touch.since(first) >= idle.min_use {
                    (self.presence, self.used, self.nudge) = (Presence::InUse, touch, None);
                }
            }
            Presence::Away => {}
        }
    }

    pub(super) const fn presence(&self) -> Presence {
        self.presence
    }

    /// For how long nobody has used the machine; none if no sensor can tell.
    pub(super) fn unused_for(&self, now: Time) -> Option<Span> {
        let untouched = self.untouched?;
        Some(now.since(self.used).max(untouched))
    }
}
