//! When power is sold and the network is used: days and hours of local time.

use super::item::{Item, Outcome};
use std::collections::BTreeSet;
use std::fmt;

const DAYS: &str =
    "a list of days or ranges of days, such as [\"mon-fri\"] or [\"sat\", \"sun\"], with at least one";
const HOURS: &str =
    "a list of times from \"HH:MM-HH:MM\", 00:00 to 24:00, such as [\"22:00-07:00\"], with at least one";
const KIND: &str = "\"compute\" or \"network\"";
/// Minutes in a day.
const DAY: u16 = 24 * 60;

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Weekday {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

/// A time of the day, in minutes since midnight. It begins on a day that it applies to: when it ends earlier than
/// it begins, it goes on into the day after; when both are equal, it is the whole day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hours {
    /// The first minute in it, 0 to 1440.
    pub start: u16,
    /// The first minute not in it any more, 0 to 1440.
    pub end: u16,
}

/// What a `[[schedule]]` is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// When work is done at all.
    #[default]
    Compute,
    /// When the network is used: outside of it nothing new is sold, and what runs goes on.
    Network,
}

/// One `[[schedule]]`: power is sold, or the network used, on these days at these times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// What it is about.
    pub kind: Kind,
    /// The days; at least one.
    pub days: BTreeSet<Weekday>,
    /// The times; at least one.
    pub hours: Vec<Hours>,
}

impl Weekday {
    /// All of them, from Monday.
    pub const ALL: [Self; 7] = [Self::Mon, Self::Tue, Self::Wed, Self::Thu, Self::Fri, Self::Sat, Self::Sun];

    /// The day before.
    #[must_use]
    pub const fn previous(self) -> Self {
        match self {
            Self::Mon => Self::Sun,
            Self::Tue => Self::Mon,
            Self::Wed => Self::Tue,
            Self::Thu => Self::Wed,
            Self::Fri => Self::Thu,
            Self::Sat => Self::Fri,
            Self::Sun => Self::Sat,
        }
    }

    /// The day after.
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::Mon => Self::Tue,
            Self::Tue => Self::Wed,
            Self::Wed => Self::Thu,
            Self::Thu => Self::Fri,
            Self::Fri => Self::Sat,
            Self::Sat => Self::Sun,
            Self::Sun => Self::Mon,
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Mon => "mon",
            Self::Tue => "tue",
            Self::Wed => "wed",
            Self::Thu => "thu",
            Self::Fri => "fri",
            Self::Sat => "sat",
            Self::Sun => "sun",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|day| day.name() == text)
    }
}

impl fmt::Display for Weekday {
    /// As in the policy: `mon`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.name())
    }
}

impl Hours {
    /// Whether the minute `minute_of_day`, 0 to 1439, is in it, on whatever day.
    #[must_use]
    pub const fn contains(&self, minute_of_day: u16) -> bool {
        let Self { start, end } = *self;
        if start < end {
            start <= minute_of_day && minute_of_day < end
        } else {
            start == end || minute_of_day >= start || minute_of_day < end
        }
    }
}

impl fmt::Display for Kind {
    /// As in the policy.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(match self {
            Self::Compute => "compute",
            Self::Network => "network",
        })
    }
}

impl fmt::Display for Hours {
    /// As in the policy: `22:00-07:00`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}-{}", time_of_day(self.start), time_of_day(self.end))
    }
}

/// A minute of the day as a time: `07:05`.
pub(super) fn time_of_day(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

impl Default for Opening {
    /// Every day, all day.
    fn default() -> Self {
        Self {
            kind: Kind::Compute,
            days: Weekday::ALL.into_iter().collect(),
            hours: vec![Hours { start: 0, end: DAY }],
        }
    }
}

impl Opening {
    /// Whether power is sold on `weekday` in the minute `minute_of_day`, 0 to 1439, by this entry.
    #[must_use]
    pub fn is_open(&self, weekday: Weekday, minute_of_day: u16) -> bool {
        let today = self.days.contains(&weekday);
        let yesterday = self.days.contains(&weekday.previous());
        self.hours.iter().any(|&Hours { start, end }| match start.cmp(&end) {
            std::cmp::Ordering::Equal => today,
            std::cmp::Ordering::Less => today && (start..end).contains(&minute_of_day),
            std::cmp::Ordering::Greater => {
                today && minute_of_day >= start || yesterday && minute_of_day < end
            }
        })
    }
}

/// One value, or a list of at least one.
fn one_or_more<T>(
    item: Item<'_>,
    expected: &'static str,
    read: impl Fn(&str) -> Option<T>,
) -> Outcome<Vec<T>> {
    let one = |item: Item<'_>| item.text().and_then(&read).ok_or_else(|| item.wrong(expected));
    if item.text().is_some() {
        return Ok(vec![one(item)?]);
    }
    let list = item.each(expected, one)?;
    if list.is_empty() { Err(item.wrong(expected)) } else { Ok(list) }
}

/// `"compute"` or `"network"`.
pub(super) fn kind(item: Item<'_>) -> Outcome<Kind> {
    match item.text() {
        Some("compute") => Ok(Kind::Compute),
        Some("network") => Ok(Kind::Network),
        _ => Err(item.wrong(KIND)),
    }
}

/// `["mon-fri", "sun"]`.
pub(super) fn days(item: Item<'_>) -> Outcome<BTreeSet<Weekday>> {
    Ok(one_or_more(item, DAYS, parse_days)?.into_iter().flatten().collect())
}

/// `["00:00-07:00", "18:00-24:00"]`.
pub(super) fn hours(item: Item<'_>) -> Outcome<Vec<Hours>> {
    one_or_more(item, HOURS, parse_hours)
}

/// `mon`, or `fri-mon` for four days.
pub(super) fn parse_days(text: &str) -> Option<Vec<Weekday>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (Weekday::parse(first)?, Weekday::parse(last)?);
    let mut days: Vec<Weekday> =
        Weekday::ALL.into_iter().cycle().skip_while(|day| *day != first).take(7).collect();
    let end = days.iter().position(|day| *day == last)?;
    days.truncate(end + 1);
    Some(days)
}

pub(super) fn parse_hours(text: &str) -> Option<Hours> {
    let (start, end) = text.split_once('-')?;
    Some(Hours { start: parse_time(start)?, end: parse_time(end)? })
}

/// `HH:MM` in minutes.
fn parse_time(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let is_pair = |digits: &str| digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_pair(hour) || !is_pair(minute) {
        return None;
    }
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    let total = hour * 60 + minute;
    (minute < 60 && total <= DAY).then_some(total)
}
