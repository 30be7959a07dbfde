//! Waiting: files are always ready, and a sleep is over as soon as it begins.
//!
//! If there is something to read or write among what is waited for, that is what happens. Else the virtual clock
//! moves to the earliest of the moments that are waited for. No real time passes.

use super::environ::REALTIME;
use super::errno::Errno;
use super::guest::Guest;
use super::{Call, Wasi};

/// Most subscriptions of one call.
const MAX_SUBSCRIPTIONS: u32 = 4_096;
/// Size of a `subscription`, and the offsets of its fields.
const SUBSCRIPTION: u32 = 48;
const TAG: u32 = 8;
const CLOCK: u32 = 16;
const TIMEOUT: u32 = 24;
const FLAGS: u32 = 40;
/// Size of an `event`.
const EVENT: u32 = 32;
/// `eventtype`: a clock.
const IS_CLOCK: u8 = 0;
/// `subclockflags`: the moment is absolute.
const ABSOLUTE: u16 = 1;

/// What is waited for.
struct Subscription {
    user: u64,
    tag: u8,
    /// When it comes, in nanoseconds since the start; for files at once.
    due: u64,
    /// No such descriptor.
    is_bad: bool,
}

impl Wasi {
    pub(super) fn poll_oneoff(
        &mut self,
        guest: &mut Guest<'_>,
        from: u32,
        to: u32,
        count: u32,
        happened: u32,
    ) -> Call {
        if count == 0 || count > MAX_SUBSCRIPTIONS {
            return Err(Errno::Inval.into());
        }
        let all: Result<Vec<_>, _> = (0..count).map(|index| self.subscription(guest, from, index)).collect();
        let all = all?;
        let now = self.clock.elapsed();
        let earliest = all.iter().map(|one| one.due).min().unwrap_or(now);
        self.clock.advance_to(earliest);
        let mut events = 0_u32;
        for one in all.iter().filter(|one| one.due <= earliest.max(now)) {
            let at =
                events.checked_mul(EVENT).and_then(|offset| to.checked_add(offset)).ok_or(Errno::Fault)?;
            guest.put(at, &one.event())?;
            events = events.saturating_add(1);
        }
        Ok(guest.put(happened, &events.to_le_bytes())?)
    }

    fn subscription(&self, guest: &Guest<'_>, from: u32, index: u32) -> Result<Subscription, Errno> {
        let base = index.checked_mul(SUBSCRIPTION).ok_or(Errno::Fault)?;
        let at = |field: u32| base.saturating_add(field);
        let user = guest.long(from, base)?;
        let tag = guest.byte(from, at(TAG))?;
        if tag != IS_CLOCK {
            let is_bad = self.table.of(guest.word(from, at(CLOCK))?).is_err();
            return Ok(Subscription { user, tag, due: 0, is_bad });
        }
        let timeout = guest.long(from, at(TIMEOUT))?;
        let is_wall = guest.word(from, at(CLOCK))? == REALTIME;
        let (elapsed, wall) = (self.clock.elapsed(), self.clock.wall());
        let due = match guest.short(from, at(FLAGS))? & ABSOLUTE {
            0 => elapsed.saturating_add(timeout),
            _ if is_wall => timeout.saturating_sub(wall.saturating_sub(elapsed)),
            _ => timeout,
        };
        Ok(Subscription { user, tag, due, is_bad: false })
    }
}

impl Subscription {
    /// The `event` of it.
    fn event(&self) -> [u8; 32] {
        let mut event = [0; 32];
        let errno = if self.is_bad { Errno::Badf.number() } else { 0 };
        let [low, high, ..] = errno.to_le_bytes();
        for (place, byte) in
            event.iter_mut().zip(self.user.to_le_bytes().into_iter().chain([low, high, self.tag]))
        {
            *place = byte;
        }
        // At least one byte can be read or written.
        if let Some(count) = event.get_mut(16).filter(|_| self.tag != IS_CLOCK && !self.is_bad) {
            *count = 1;
        }
        event
    }
}
