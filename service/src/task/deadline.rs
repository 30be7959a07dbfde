//! `Deadline`: by when a sub-task has to have ended (paper §V, the requirement of timeliness).

use super::value::{self, Wrong};
use proto::{Span, Time};

const EXPECTED: &str =
    "a duration after the submission, such as 2h 30m, or a moment, such as 2027-01-31T18:00:00Z";

/// By when a sub-task has to have ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deadline {
    /// So long after the task was submitted, more than 0.
    In(Span),
    /// At a moment: whole seconds since the Unix epoch.
    At(u64),
}

impl Deadline {
    /// The moment, for a task submitted at `submitted`; on a clock that counts from the Unix epoch.
    #[must_use]
    pub const fn moment(self, submitted: Time) -> Time {
        match self {
            Self::In(span) => submitted.after(span),
            Self::At(seconds) => Time(0).after(Span::secs(seconds)),
        }
    }
}

/// Reads a duration, or a moment as RFC 3339 writes it, fractions of a second rounded down.
pub(super) fn read(text: &str) -> Result<Deadline, Wrong> {
    if text.contains('T') || text.contains('t') {
        return moment(text).map(Deadline::At).ok_or(Wrong::Expected(EXPECTED));
    }
    match value::duration(text) {
        Ok(span) => Ok(Deadline::In(span)),
        Err(Wrong::Expected(_)) => Err(Wrong::Expected(EXPECTED)),
        Err(other) => Err(other),
    }
}

/// Seconds from the Unix epoch to the moment that RFC 3339 writes as `text`.
fn moment(text: &str) -> Option<u64> {
    let (date, rest) = text.split_once(['T', 't'])?;
    let (time, offset) = match rest.strip_suffix(['Z', 'z']) {
        Some(time) => (time, 0),
        None => {
            let at = rest.rfind(['+', '-'])?;
            let (time, offset) = rest.split_at_checked(at)?;
            let [hours, minutes] = numbers(offset.get(1..)?, ':')?;
            let seconds = bounded(hours, 0, 23)? * 3_600 + bounded(minutes, 0, 59)? * 60;
            (time, if offset.starts_with('-') { -seconds } else { seconds })
        }
    };
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (year, month_and_day) = date.split_once('-')?;
    let [month, day] = numbers(month_and_day, '-')?;
    let (hour, minute_and_second) = time.split_once(':')?;
    let [minute, second] = numbers(minute_and_second, ':')?;
    let year = bounded(number(year, 4)?, 1970, 9999)?;
    let month = bounded(month, 1, 12)?;
    let day = bounded(day, 1, days_in(year, month))?;
    let hour = bounded(number(hour, 2)?, 0, 23)?;
    // A leap second is the first one of the next minute.
    let (minute, second) = (bounded(minute, 0, 59)?, bounded(second, 0, 60)?);
    let seconds = days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - offset;
    u64::try_from(seconds).ok()
}

/// Two numbers of two digits.
fn numbers(text: &str, between: char) -> Option<[i64; 2]> {
    let (first, second) = text.split_once(between)?;
    Some([number(first, 2)?, number(second, 2)?])
}

fn number(text: &str, digits: usize) -> Option<i64> {
    let is_number = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

fn bounded(number: i64, least: i64, most: i64) -> Option<i64> {
    (least..=most).contains(&number).then_some(number)
}

const fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

const fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a day of the Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let leap_years = |before: i64| before / 4 - before / 100 + before / 400;
    let years = (year - 1970) * 365 + leap_years(year - 1) - leap_years(1969);
    years + (1..month).map(|month| days_in(year, month)).sum::<i64>() + day - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_rfc_3339_writes_them() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2000-02-29T12:00:00Z", Some(951_825_600)),
            ("2027-01-31T18:00:00Z", Some(1_801_418_400)),
            ("2027-01-31t18:00:00.999z", Some(1_801_418_400)),
            ("2027-01-31T20:30:00+02:30", Some(1_801_418_400)),
            ("2027-01-31T10:00:00-08:00", Some(1_801_418_400)),
            ("9999-12-31T23:59:60Z", Some(253_402_300_800)),
            ("1970-01-01T00:00:00+00:01", None),
            ("2027-02-29T00:00:00Z", None),
            ("2027-13-01T00:00:00Z", None),
            ("2027-01-01T24:00:00Z", None),
            ("2027-01-01T00:00:00", None),
            ("2027-01-01T00:00Z", None),
            ("2027-1-1T00:00:00Z", None),
            ("2027-01-01T00:00:00.Z", None),
            ("T", None),
            ("+27-01-01T00:00:00Z", None),
        ] {
            let expected = expected.map(Deadline::At).ok_or(Wrong::Expected(EXPECTED));
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn durations_count_from_the_submission() {
        assert_eq!(read("2h 30m"), Ok(Deadline::In(Span::secs(9_000))));
        assert_eq!(read("0"), Err(Wrong::Expected(EXPECTED)));
        assert_eq!(read("tomorrow"), Err(Wrong::Expected(EXPECTED)));
        assert_eq!(Deadline::In(Span(5)).moment(Time(3)), Time(8));
        assert_eq!(Deadline::At(7).moment(Time(3)), Time(7_000_000));
    }
}
