//! What is usual: the load of others by quarter of an hour of the week, kept over restarts.

use super::processor::Millicores;
use super::roots::read;
use proto::Span;
use service::policy::{Moment, Weekday};
use std::io::Write as _;
use std::path::Path;
use tempfile::NamedTempFile;

/// Minutes of a quarter of an hour.
const QUARTER: u32 = 15;
/// Quarters of a week.
const WEEK: usize = 7 * 24 * 4;
/// A new week weighs one part in so many, the past the rest: a change of habit is learned within a month.
const WEIGHT: u64 = 4;
/// What the file begins with.
const TITLE: &str = "load by quarter hour of the week from Monday, in thousandths of a core, version 1";
/// The largest file that is read, in bytes; a full one has some 4 KiB.
const MAX_FILE: u64 = 32 << 10;

/// A quarter of an hour of the week, from Monday 00:00 in local time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Quarter(usize);

impl Quarter {
    /// The one of this moment.
    pub(super) fn of(moment: &Moment) -> Self {
        Self::at(minute_of_week(moment))
    }

    /// Those that begin after this moment and up to `horizon` later, at most a week of them.
    pub(super) fn coming(moment: &Moment, horizon: Span) -> impl Iterator<Item = Self> {
        let now = minute_of_week(moment);
        let ahead = u32::try_from(horizon.0.div_ceil(60_000_000)).unwrap_or(u32::MAX);
        let count = (now % QUARTER).saturating_add(ahead) / QUARTER;
        let first = now / QUARTER + 1;
        (0..count).take(WEEK - 1).map(move |step| Self::at((first + step) * QUARTER))
    }

    fn at(minute_of_week: u32) -> Self {
        Self(usize::try_from(minute_of_week / QUARTER).map_or(0, |quarter| quarter % WEEK))
    }
}

fn minute_of_week(moment: &Moment) -> u32 {
    let day = Weekday::ALL.iter().position(|day| *day == moment.weekday).unwrap_or(0);
    u32::try_from(day).unwrap_or(0) * 24 * 60 + u32::from(moment.minute.min(24 * 60 - 1))
}

/// The usual load of every quarter of the week; nothing for those that were never seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Habit(Vec<Option<Millicores>>);

impl Default for Habit {
    fn default() -> Self {
        Self(vec![None; WEEK])
    }
}

impl Habit {
    /// The one of a file; an empty one if there is none, or none that can be read.
    pub(super) fn load(path: &Path) -> Self {
        read(path, MAX_FILE).and_then(|text| Self::parse(&text)).unwrap_or_default()
    }

    /// Writes the file, wholly or not at all.
    ///
    /// # Errors
    /// If the disk does not take it.
    pub(super) fn save(&self, path: &Path) -> std::io::Result<()> {
        let mut file = NamedTempFile::new_in(path.parent().unwrap_or(Path::new(".")))?;
        file.write_all(self.text().as_bytes())?;
        file.persist(path)?;
        Ok(())
    }

    pub(super) fn of(&self, quarter: Quarter) -> Option<Millicores> {
        self.0.get(quarter.0).copied().flatten()
    }

    /// A quarter has passed with this load.
    pub(super) fn learn(&mut self, quarter: Quarter, seen: Millicores) {
        if let Some(usual) = self.0.get_mut(quarter.0) {
            let mixed = usual
                .map_or(seen.0, |usual| usual.0.saturating_mul(WEIGHT - 1).saturating_add(seen.0) / WEIGHT);
            *usual = Some(Millicores(mixed));
        }
    }

    fn text(&self) -> String {
        let word = |usual: &Option<Millicores>| usual.map_or_else(|| "-".into(), |load| load.0.to_string());
        let days = self.0.chunks(WEEK / 7).map(|day| day.iter().map(word).collect::<Vec<_>>().join(" "));
        format!("{TITLE}\n{}\n", days.collect::<Vec<_>>().join("\n"))
    }

    fn parse(text: &str) -> Option<Self> {
        let quarters = text.strip_prefix(TITLE)?.split_whitespace().take(WEEK + 1).map(|word| match word {
            "-" => Some(None),
            word => word.parse().ok().map(|load| Some(Millicores(load))),
        });
        let quarters: Vec<_> = quarters.collect::<Option<_>>()?;
        (quarters.len() == WEEK).then_some(Self(quarters))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::Time;

    fn moment(weekday: Weekday, hour: u16, minute: u16) -> Moment {
        Moment { now: Time(0), weekday, minute: hour * 60 + minute }
    }

    #[test]
    fn the_week_has_its_quarters_in_order() {
        for (weekday, hour, minute, expected) in [
            (Weekday::Mon, 0, 0, 0),
            (Weekday::Mon, 0, 14, 0),
            (Weekday::Mon, 0, 15, 1),
            (Weekday::Mon, 9, 0, 36),
            (Weekday::Tue, 0, 0, 96),
            (Weekday::Sun, 23, 59, 671),
            // No clock says so.
            (Weekday::Sun, 99, 0, 671),
        ] {
            assert_eq!(
                Quarter::of(&moment(weekday, hour, minute)),
                Quarter(expected),
                "{weekday} {hour}:{minute}"
            );
        }
    }

    #[test]
    fn quarters_are_coming_that_begin_within_the_horizon() {
        for (weekday, hour, minute, secs, expected) in [
            (Weekday::Mon, 8, 59, 0, &[][..]),
            (Weekday::Mon, 8, 59, 20, &[36]),
            (Weekday::Mon, 8, 58, 60, &[]),
            (Weekday::Mon, 8, 58, 61, &[36]),
            (Weekday::Mon, 9, 0, 20, &[]),
            (Weekday::Mon, 9, 0, 1_800, &[37, 38]),
            (Weekday::Sun, 23, 59, 60, &[0]),
        ] {
            let found: Vec<_> = Quarter::coming(&moment(weekday, hour, minute), Span::secs(secs)).collect();
            let expected: Vec<_> = expected.iter().copied().map(Quarter).collect();
            assert_eq!(found, expected, "{weekday} {hour}:{minute} and {secs} s");
        }
        assert_eq!(Quarter::coming(&moment(Weekday::Wed, 1, 2), Span(u64::MAX)).count(), WEEK - 1);
    }

    #[test]
    fn a_new_week_weighs_a_quarter() {
        let mut habit = Habit::default();
        let quarter = Quarter(36);
        assert_eq!(habit.of(quarter), None);
        for (seen, usual) in
            [(2_000, 2_000), (0, 1_500), (0, 1_125), (2_001, 1_344), (u64::MAX, u64::MAX / 4)]
        {
            habit.learn(quarter, Millicores(seen));
            assert_eq!(habit.of(quarter), Some(Millicores(usual)), "{seen}");
        }
        assert_eq!(habit.of(Quarter(35)), None);
    }

    #[test]
    fn habits_are_kept_in_a_file_and_garbage_is_forgotten() {
        let dir = tempfile::TempDir::new().unwrap();
        let path = dir.path().join("habit");
        assert_eq!(Habit::load(&path), Habit::default());
        let mut habit = Habit::default();
        habit.learn(Quarter(0), Millicores(7));
        habit.learn(Quarter(671), Millicores(1_234));
        habit.save(&path).unwrap();
        assert_eq!(Habit::load(&path), habit);
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 8);
        let garbage = [
            String::new(),
            text.replace("version 1", "version 2"),
            text.replacen('-', "x", 1),
            text.replacen('-', "- -", 1),
            text.replacen("- ", "", 1),
            text.replace("1234", "99999999999999999999"),
        ];
        for text in garbage {
            std::fs::write(&path, &text).unwrap();
            assert_eq!(Habit::load(&path), Habit::default(), "{text}");
        }
        std::fs::write(&path, vec![b'1'; 1 << 20]).unwrap();
        assert_eq!(Habit::load(&path), Habit::default());
    }
}
