//! All schedules together: whether they are open, and how long until that changes.

use super::schedule::{Kind, Opening, Weekday};
use std::collections::BTreeSet;

/// Minutes in a day.
const DAY: u16 = 24 * 60;
/// Minutes in a week: after that, schedules repeat.
const WEEK: u32 = 7 * 24 * 60;

/// Whether any schedule of `kind` is open on `weekday` in the minute `minute_of_day`, or there is none.
fn is_open(schedule: &[Opening], kind: Kind, weekday: Weekday, minute_of_day: u16) -> bool {
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
    let is_so = |at: (Weekday, u16)| is_open(schedule, kind, at.0, at.1) == open;
    if is_so((weekday, minute_of_day)) {
        return Some(0);
    }
    // Between the times that are written in the schedules, nothing changes.
    let hours = schedule.iter().flat_map(|opening| &opening.hours);
    let times: BTreeSet<u32> =
        hours.flat_map(|hours| [hours.start, hours.end]).chain([0]).map(u32::from).collect();
    let day = u32::from(DAY);
    let later_times = (0..=7).flat_map(|days| times.iter().map(move |time| days * day + time));
    let now = u32::from(minute_of_day);
    let mut waits = later_times.filter(|time| *time > now).map(|time| time - now);
    waits.find(|minutes| is_so(later((weekday, minute_of_day), *minutes)))
}

/// The weekday and minute of the day `minutes` later.
pub(super) fn later((weekday, minute_of_day): (Weekday, u16), minutes: u32) -> (Weekday, u16) {
    let total = u32::from(minute_of_day).saturating_add(minutes % WEEK);
    let days = total / u32::from(DAY);
    let weekday = (0..days).fold(weekday, |day, _| day.next());
    (weekday, u16::try_from(total % u32::from(DAY)).unwrap_or(0))
}
