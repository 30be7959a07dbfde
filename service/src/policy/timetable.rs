//! All schedules together: whether they are open, and how long until that changes.

use super::schedule::{Kind, Opening, Weekday};

/// Minutes in a day.
const DAY: u16 = 24 * 60;
/// Minutes in a week: after that, schedules repeat.
const WEEK: u32 = 7 * 24 * 60;

/// Whether any schedule of `kind` is open on `weekday` in the minute `minute_of_day`, or there is none.
pub(super) fn is_open(schedule: &[Opening], kind: Kind, weekday: Weekday, minute_of_day: u16) -> bool {
    let mut of_kind = schedule.iter().filter(|opening| opening.kind == kind).peekable();
    of_kind.peek().is_none() || of_kind.any(|opening| opening.is_open(weekday, minute_of_day))
}

/// In how many minutes the schedules of `kind` are first open (`is_open`) or first closed; 0 when they are so
/// now, `None` when they never are.
pub(super) fn minutes_until(
    schedule: &[Opening],
    kind: Kind,
    open: bool,
    (weekday, minute_of_day): (Weekday, u16),
) -> Option<u32> {
    let mut place = (weekday, minute_of_day);
    for minutes in 0..WEEK {
        if is_open(schedule, kind, place.0, place.1) == open {
            return Some(minutes);
        }
        place = later(place, 1);
    }
    None
}

/// The weekday and minute of the day `minutes` later.
pub(super) fn later((weekday, minute_of_day): (Weekday, u16), minutes: u32) -> (Weekday, u16) {
    let total = u32::from(minute_of_day).saturating_add(minutes % WEEK);
    let days = total / u32::from(DAY);
    let weekday = (0..days).fold(weekday, |day, _| day.next());
    (weekday, u16::try_from(total % u32::from(DAY)).unwrap_or(0))
}
