//! Times as arguments: `20:00`, `sun 20:00`, `2026-11-22 20:00` in local time, or RFC 3339.

use jiff::civil::{DateTime, Time, Weekday};
use jiff::{SignedDuration, Timestamp, ToSpan as _, Zoned};

/// What is accepted.
const EXPECTED: &str = "expected a time: 20:00, \"sun 20:00\", \"2026-11-22 20:00\" or 2026-11-22T20:00:00Z";

/// A moment that the user has named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment(pub(crate) Timestamp);

impl std::fmt::Display for Moment {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}", self.0)
    }
}

/// Any moment; one without a date is the next such.
pub(super) fn any(text: &str) -> Result<Moment, String> {
    read(text, &Zoned::now()).map(Moment)
}

/// A moment to come.
pub(super) fn future(text: &str) -> Result<Moment, String> {
    let now = Zoned::now();
    let moment = read(text, &now)?;
    if moment > now.timestamp() { Ok(Moment(moment)) } else { Err("that time is over".into()) }
}

/// A moment that is over; also so long ago, such as `90s`, `12h` or `7d`.
pub(super) fn past(text: &str) -> Result<Moment, String> {
    before(text, &Zoned::now()).map(Moment)
}

fn before(text: &str, now: &Zoned) -> Result<Timestamp, String> {
    let days = text.strip_suffix('d').and_then(|days| days.parse::<u32>().ok());
    let ago = match days {
        Some(days) => Some(SignedDuration::from_hours(24 * i64::from(days))),
        None => super::value::duration(text).ok().and_then(|ago| SignedDuration::try_from(ago).ok()),
    };
    let moment = match ago {
        Some(ago) => now.timestamp().checked_sub(ago).map_err(|error| error.to_string())?,
        None => read(text, now).map_err(|_| {
            "expected a time that is over: 2026-11-20, \"2026-11-20 18:00\", or so long ago: 90s, 30m, 12h, 7d"
        })?,
    };
    if moment > now.timestamp() { Err("that time has not come yet".into()) } else { Ok(moment) }
}

fn read(text: &str, now: &Zoned) -> Result<Timestamp, String> {
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(moment);
    }
    if let Some(at) = text.contains('-').then(|| text.parse::<DateTime>().ok()).flatten() {
        let zoned = at.to_zoned(now.time_zone().clone());
        return zoned.map(|zoned| zoned.timestamp()).map_err(|error| error.to_string());
    }
    let (day, time) = match text.split_once(' ') {
        Some((day, time)) => (Some(weekday(day)?), time),
        None => (None, text),
    };
    next(day, time_of_day(time)?, now).ok_or_else(|| EXPECTED.to_owned())
}

/// The next moment with this time, on this day of the week if one is named, after `now`.
fn next(day: Option<Weekday>, time: Time, now: &Zoned) -> Option<Timestamp> {
    (0..=7).find_map(|days| {
        let date = now.date().checked_add(days.days()).ok()?;
        let at = date.to_datetime(time).to_zoned(now.time_zone().clone()).ok()?;
        let is_it = day.is_none_or(|day| date.weekday() == day) && at > *now;
        is_it.then(|| at.timestamp())
    })
}

fn weekday(text: &str) -> Result<Weekday, String> {
    match text.to_lowercase().as_str() {
        "mon" => Ok(Weekday::Monday),
        "tue" => Ok(Weekday::Tuesday),
        "wed" => Ok(Weekday::Wednesday),
        "thu" => Ok(Weekday::Thursday),
        "fri" => Ok(Weekday::Friday),
        "sat" => Ok(Weekday::Saturday),
        "sun" => Ok(Weekday::Sunday),
        _ => Err(format!("`{text}` is not a day: {EXPECTED}")),
    }
}

fn time_of_day(text: &str) -> Result<Time, String> {
    let wrong = || EXPECTED.to_owned();
    let (hour, minute) = text.split_once(':').ok_or_else(wrong)?;
    let number = |text: &str| {
        let is_plain = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<i8>().ok().filter(|_| is_plain).ok_or_else(wrong)
    };
    Time::new(number(hour)?, number(minute)?, 0, 0).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is read on a Saturday evening.
    fn check(text: &str, expected: Option<&str>) {
        let now: Zoned = "2026-11-21T18:30:00[UTC]".parse().unwrap();
        let read = read(text, &now).ok().map(|moment| moment.to_string());
        assert_eq!(read.as_deref(), expected, "{text}");
    }

    #[test]
    fn a_time_is_the_next_such() {
        check("20:00", Some("2026-11-21T20:00:00Z"));
        check("18:30", Some("2026-11-22T18:30:00Z"));
        check("sun 20:00", Some("2026-11-22T20:00:00Z"));
        check("Sat 18:29", Some("2026-11-28T18:29:00Z"));
        check("sat 18:31", Some("2026-11-21T18:31:00Z"));
    }

    #[test]
    fn a_date_is_what_it_says() {
        check("2026-12-24 08:15", Some("2026-12-24T08:15:00Z"));
        check("2026-12-24T08:15:30", Some("2026-12-24T08:15:30Z"));
        check("2020-01-01T00:00:00+01:00", Some("2019-12-31T23:00:00Z"));
    }

    #[test]
    fn the_past_is_a_date_or_so_long_ago() {
        let now: Zoned = "2026-11-21T18:30:00[UTC]".parse().unwrap();
        for (text, expected) in [
            ("7d", "2026-11-14T18:30:00Z"),
            ("12h", "2026-11-21T06:30:00Z"),
            ("90", "2026-11-21T18:28:30Z"),
            ("2026-11-20", "2026-11-20T00:00:00Z"),
            ("2026-11-20 18:00", "2026-11-20T18:00:00Z"),
            ("2026-11-20T18:00:00Z", "2026-11-20T18:00:00Z"),
        ] {
            assert_eq!(before(text, &now).map(|at| at.to_string()), Ok(expected.to_owned()), "{text}");
        }
        for text in ["", "d", "-1d", "2026-11-22", "20:00", "4000000000d", "soon"] {
            assert!(before(text, &now).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "20",
            "24:00",
            "8:00",
            "20:60",
            "someday 20:00",
            "sun",
            "sun  20:00",
            "2026-13-01 08:00",
            "+1:00",
        ] {
            check(text, None);
        }
        assert_eq!(future("2020-01-01 00:00"), Err("that time is over".into()));
    }
}
