//! How often a running program is saved, and what room for its states costs.
//!
//! Nothing here knows a contract: these are the sums behind `worker::saving`, `worker::storage` and
//! `dispatch::{saved, storage}`.

use proto::message::service::{Blob, Checkpoint};
use proto::{Bytes, Cycles, Span};

/// What a seller that has seen nothing yet takes for the time between two failures: four hours of a machine that is
/// somebody's own. It counts as one observation ([`Experience`]).
pub const PRIOR: Span = Span::secs(4 * 3_600);
/// What a seller that has saved nothing yet takes for the cost of saving.
pub const FIRST_COST: Span = Span::secs(1);
/// A program is not saved more often than so many times its cost: at most a tenth of its time goes there, whatever the
/// rate of failures.
const LEAST_COSTS: u64 = 10;
/// The longest time between two states: nobody wants to lose more than that, however safe the machine was until now.
pub const LONGEST_INTERVAL: Span = Span::secs(3_600);
/// What of the price of a sub-task that is saved is kept for the room of its states, in per cent.
pub const STORAGE_PERCENT: u64 = 10;
/// What a state may have beside what the task file reserves for it: the frame, standard output and standard error.
const FRAME: Bytes = Bytes::kib(64);

/// What a seller has seen of its own failures, also in former runs of its node: for how long it has worked for others, and how
/// often that was cut short.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Experience {
    /// The time of all executions together.
    pub worked: Span,
    /// Executions that did not come to their own end.
    pub cut_short: u32,
}

impl Experience {
    /// An execution has ended after `worked`.
    pub fn note(&mut self, worked: Span, is_cut_short: bool) {
        self.worked = self.worked.plus(worked);
        self.cut_short = self.cut_short.saturating_add(u32::from(is_cut_short));
    }

    /// The mean time between two failures: of what was seen, and one failure in [`PRIOR`] that was not. So who has seen
    /// nothing has the prior, and who has seen much hardly feels it.
    #[must_use]
    pub fn mean_time(&self) -> Span {
        Span(PRIOR.plus(self.worked).0 / (u64::from(self.cut_short) + 1))
    }
}

/// How long to wait from one state to the next, when saving takes `cost` and failures are `mean_time` apart: Young's
/// √(2·C·M), which loses least for C ≪ M (J. W. Young, 1974; J. T. Daly, 2006, has the further terms, which are below a
/// hundredth here).
///
/// Not below ten times C, nor above [`LONGEST_INTERVAL`] and M; the owner's `least` counts above all.
#[must_use]
pub fn interval(cost: Span, mean_time: Span, least: Span) -> Span {
    let square = (u128::from(cost.0) * u128::from(mean_time.0)).saturating_mul(2);
    let young = Span(u64::try_from(square.isqrt()).unwrap_or(u64::MAX));
    young.min(mean_time).min(LONGEST_INTERVAL).max(cost.times(LEAST_COSTS)).max(least)
}

/// The most bytes that a state may have for which the task file reserves `size`: a difference together with what it
/// rests on.
#[must_use]
pub const fn most(size: Bytes) -> Bytes {
    Bytes(size.0.saturating_add(FRAME.0))
}

/// All that these states are read from, each content once, in their order.
pub(crate) fn contents(states: impl IntoIterator<Item = Checkpoint>) -> Vec<Blob> {
    let mut blobs = Vec::new();
    for blob in states.into_iter().flat_map(Checkpoint::contents) {
        if !blobs.contains(&blob) {
            blobs.push(blob);
        }
    }
    blobs
}

/// What it is worth to have kept `size` for `span`: as many cycles as make the rate of a listing of memory or disk, which
/// is in micro-credits per GiB and hour, the money. A GiB and hour is a Gc. Rounded down, in favour of who pays.
#[must_use]
pub fn kept(size: Bytes, span: Span) -> Cycles {
    /// Bytes × µs in a GiB and hour.
    const GIB_HOUR: u128 = (1 << 30) * 3_600_000_000;
    let product = u128::from(size.0) * u128::from(span.0);
    // A product of two numbers of 64 bits may be too large for 10⁹ of it.
    let cycles = match product.checked_mul(1_000_000_000) {
        Some(nano) => nano / GIB_HOUR,
        None => (product / GIB_HOUR).saturating_mul(1_000_000_000),
    };
    Cycles(u64::try_from(cycles).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Span = Span::secs(3_600);

    #[test]
    fn the_interval_is_youngs_within_its_bounds() {
        let none = Span(0);
        for (cost, mean, least, expected) in [
            // √(2 · 2 s · 10,000 s) = 200 s.
            (Span::secs(2), Span::secs(10_000), none, Span::secs(200)),
            // √(2 · 0.5 s · 14,400 s) = 120 s.
            (Span::millis(500), PRIOR, none, Span::secs(120)),
            // √(2 · 1 s · 14,400 s) = 169.705627 s.
            (FIRST_COST, PRIOR, none, Span(169_705_627)),
            // √(2 · 8 s · 100 s) = 40 s, but a tenth of the time is the most: 80 s.
            (Span::secs(8), Span::secs(100), none, Span::secs(80)),
            // √(2 · 60 s · 40 h) = 4,156.9 s, but an hour is the longest.
            (Span::secs(60), HOUR.times(40), none, HOUR),
            // The owner wants no more than one in two minutes.
            (Span::millis(1), Span::secs(50), Span::secs(120), Span::secs(120)),
            (none, PRIOR, none, none),
            (Span(u64::MAX), Span(u64::MAX), none, Span(u64::MAX)),
        ] {
            assert_eq!(interval(cost, mean, least), expected, "{cost} {mean} {least}");
        }
    }

    #[test]
    fn the_mean_time_is_of_what_was_seen_and_the_prior() {
        for (worked, cut_short, expected) in [
            (Span(0), 0, HOUR.times(4)),
            (Span(0), 1, HOUR.times(2)),
            (HOUR.times(16), 1, HOUR.times(10)),
            (HOUR.times(196), 99, HOUR.times(2)),
            (Span(u64::MAX), 0, Span(u64::MAX)),
        ] {
            assert_eq!(Experience { worked, cut_short }.mean_time(), expected, "{worked} {cut_short}");
        }
        let mut seen = Experience::default();
        seen.note(HOUR, false);
        seen.note(HOUR, true);
        assert_eq!(seen, Experience { worked: HOUR.times(2), cut_short: 1 });
    }

    #[test]
    fn a_gib_for_an_hour_is_a_gc() {
        for (size, span, expected) in [
            (Bytes::gib(1), HOUR, 1_000_000_000),
            (Bytes::gib(3), HOUR.times(2), 6_000_000_000),
            (Bytes::mib(1), Span::secs(36), 9_765),
            (Bytes(1), Span(1), 0),
            (Bytes(u64::MAX), Span(u64::MAX), u64::MAX),
            (Bytes(0), HOUR, 0),
        ] {
            assert_eq!(kept(size, span), Cycles(expected), "{size} {span}");
        }
    }
}
