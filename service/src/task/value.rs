//! What texts mean: credits, cycles, sizes, durations, numbers, words.

use super::decimal::{Decimal, NotDecimal};
use super::fault::FaultKind;
use super::path::{self, PathProblem};
use super::reader::SPACES;
use proto::money::MICRO_PER_CREDIT;
use proto::{Bytes, Capacity, Cycles, Layers, Money, Release, Reputation, Span};

/// Why a text does not mean what it should.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// It is not written as what was expected.
    Expected(&'static str),
    /// It is more than can be held, which is this.
    AtMost(&'static str),
    /// It is a path that cannot be used.
    Path(PathProblem),
    /// Something with a message of its own.
    Fault(FaultKind),
}

impl From<PathProblem> for Wrong {
    fn from(problem: PathProblem) -> Self {
        Self::Path(problem)
    }
}

const PRICE: &str = "credits, more than 0, with at most six decimals, such as 12 or 0.25";
const VERSION: &str = "one to four numbers with dots between them, such as 6.1";
const LAYERS: &str = "`required`, or some of `own-user`, `namespaces`, `landlock`, `seccomp` and `cgroups` with spaces between them";
/// The layers without which a policy that requires the sandbox runs nothing.
const REQUIRED: &str = "namespaces landlock seccomp";
const BUDGET: &str = "credits with at most six decimals, such as 12 or 0.25";
const MOST_MONEY: &str = "18446744073709.551615 credits";
const POWER: &str = "a compute power more than 0, such as 1000";
const MOST_POWER: &str = "18446744073709551615 Mc/s";
const WORK: &str = "an amount of work more than 0, such as 15";
const MOST_WORK: &str = "18446744073709551615 cycles";
const SIZE: &str = "a size, such as 256MiB, 1.5GB, 64k or 4096";
const SIZE_ABOVE_ZERO: &str = "a size more than 0, such as 256MiB, 1.5GB, 64k or 4096";
const MOST_BYTES: &str = "18446744073709551615 bytes";
const DURATION: &str = "a duration more than 0, such as 5m, 1h 30m, 500ms or 90 (seconds)";
const MOST_TIME: &str = "18446744073709.551615 seconds";
const COUNT: &str = "a whole number, such as 2";
const MOST_COUNT: &str = "18446744073709551615";
const EXIT_CODE: &str = "an exit status from 0 to 255";
const PROCESSES: &str = "a whole number of processes, at least 1";
const CORES: &str = "a whole number of cores, at least 1";
const MOST_SMALL: &str = "4294967295";
const REPUTATION: &str = "a reputation from 0 to 1 with at most three decimals, such as 0.75";
const NUMBER: &str = "a decimal number, such as 3, -1 or 0.25";
const MOST_NUMBER: &str = "20 digits before the point and 18 after it";
const FLAG: &str = "`false`, as there is none";
const WORD: &str = "a word of at most 64 letters, digits, `_`, `.` and `-`";
const TITLE: &str = "a name of one line";

fn number(text: &str, expected: &'static str, most: &'static str) -> Result<Decimal, Wrong> {
    Decimal::parse(text).map_err(|error| match error {
        NotDecimal::Malformed => Wrong::Expected(expected),
        NotDecimal::TooLong => Wrong::AtMost(most),
    })
}

fn credits(text: &str, expected: &'static str) -> Result<Money, Wrong> {
    let number = number(text, expected, MOST_MONEY)?;
    if number.digits < 0 || number.at_scale(6).is_none() && number.scale > 6 {
        return Err(Wrong::Expected(expected));
    }
    number.times_rounded_up(MICRO_PER_CREDIT).map(Money).ok_or(Wrong::AtMost(MOST_MONEY))
}

/// A price in credits, more than 0.
pub(super) fn price(text: &str) -> Result<Money, Wrong> {
    match credits(text, PRICE)? {
        Money::ZERO => Err(Wrong::Fault(FaultKind::PriceZero)),
        price => Ok(price),
    }
}

/// A budget in credits.
pub(super) fn budget(text: &str) -> Result<Money, Wrong> {
    credits(text, BUDGET)
}

/// `text` in the unit of the attribute, times cycles in that unit, divided by `unit`, rounded up; more than
/// 0.
fn cycles(text: &str, factor: (u64, u64), expected: &'static str, most: &'static str) -> Result<u64, Wrong> {
    let number = number(text, expected, most)?;
    if number.digits <= 0 {
        return Err(Wrong::Expected(expected));
    }
    let (multiplier, divisor) = factor;
    number.times_rounded_up(multiplier).map(|n| n.div_ceil(divisor)).ok_or(Wrong::AtMost(most))
}

/// A compute power in `unit`s a second, Mc/s when not given; rounded up to whole Mc/s.
pub(super) fn power(text: &str, unit: Option<&str>) -> Result<Capacity, Wrong> {
    let factor = match unit {
        Some("cycles") => (1, 1_000_000),
        Some("Gcycles") => (1_000, 1),
        _ => (1, 1),
    };
    cycles(text, factor, POWER, MOST_POWER).map(Capacity)
}

/// An amount of work in `unit`s, Gc when not given; rounded up to whole cycles.
pub(super) fn work(text: &str, unit: Option<&str>) -> Result<Cycles, Wrong> {
    let factor = match unit {
        Some("cycles") => 1,
        Some("Mcycles") => 1_000_000,
        _ => 1_000_000_000,
    };
    cycles(text, (factor, 1), WORK, MOST_WORK).map(Cycles)
}

/// The number that a text begins with, and the rest without the spaces between.
fn split_number(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, rest) = text.split_at_checked(end).unwrap_or((text, ""));
    (number, without_space(rest))
}

fn without_space(text: &str) -> &str {
    text.trim_start_matches(SPACES)
}

/// A size: a number of bytes, or of k, M, G, T (powers of 1000), Ki, Mi, Gi, Ti (powers of 1024), with or
/// without a `B`; rounded up to whole bytes.
pub(super) fn size(text: &str) -> Result<Bytes, Wrong> {
    let (digits, unit) = split_number(text);
    let factor = match unit.strip_suffix('B').unwrap_or(unit) {
        "" => 1,
        "k" | "K" => 1_000,
        "M" => 1_000_000,
        "G" => 1_000_000_000,
        "T" => 1_000_000_000_000,
        "Ki" => 1 << 10,
        "Mi" => 1 << 20,
        "Gi" => 1 << 30,
        "Ti" => 1 << 40,
        _ => return Err(Wrong::Expected(SIZE)),
    };
    let number = number(digits, SIZE, MOST_BYTES)?;
    number.times_rounded_up(factor).map(Bytes).ok_or(Wrong::AtMost(MOST_BYTES))
}

/// A size that is more than 0.
pub(super) fn size_above_zero(text: &str) -> Result<Bytes, Wrong> {
    match size(text) {
        Ok(Bytes(0)) | Err(Wrong::Expected(_)) => Err(Wrong::Expected(SIZE_ABOVE_ZERO)),
        other => other,
    }
}

/// A duration more than 0: a number of seconds, or numbers with units from days down to milliseconds, each
/// unit at most once; rounded up to whole microseconds.
pub(super) fn duration(text: &str) -> Result<Span, Wrong> {
    const UNITS: [(&str, u64); 5] =
        [("d", 86_400_000_000), ("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000), ("ms", 1_000)];
    let too_large = || Wrong::AtMost(MOST_TIME);
    let mut total = 0_u64;
    let mut units = UNITS.iter();
    let mut rest = text;
    while !rest.is_empty() {
        let (digits, after) = split_number(rest);
        let end = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, next) = after.split_at_checked(end).unwrap_or((after, ""));
        let is_bare = unit.is_empty() && digits == text;
        let factor = if is_bare {
            1_000_000
        } else {
            units.find(|(name, _)| *name == unit).ok_or(Wrong::Expected(DURATION))?.1
        };
        let part = number(digits, DURATION, MOST_TIME)?.times_rounded_up(factor).ok_or_else(too_large)?;
        total = total.checked_add(part).ok_or_else(too_large)?;
        rest = without_space(next);
    }
    if total == 0 { Err(Wrong::Expected(DURATION)) } else { Ok(Span(total)) }
}

fn whole(text: &str, expected: &'static str, most: &'static str) -> Result<u64, Wrong> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Wrong::Expected(expected));
    }
    text.parse().map_err(|_| Wrong::AtMost(most))
}

/// A whole number.
pub(super) fn count(text: &str) -> Result<u64, Wrong> {
    whole(text, COUNT, MOST_COUNT)
}

/// How often to try again.
pub(super) fn retries(text: &str) -> Result<u32, Wrong> {
    u32::try_from(whole(text, COUNT, MOST_SMALL)?).map_err(|_| Wrong::AtMost(MOST_SMALL))
}

/// An exit status.
pub(super) fn exit_code(text: &str) -> Result<u8, Wrong> {
    u8::try_from(whole(text, EXIT_CODE, MOST_COUNT)?).map_err(|_| Wrong::Expected(EXIT_CODE))
}

/// A whole number from `least` to `most`, which is what `expected` says.
pub(super) fn between(text: &str, least: u32, most: u32, expected: &'static str) -> Result<u32, Wrong> {
    let number = u32::try_from(whole(text, expected, MOST_COUNT)?).ok();
    number.filter(|number| (least..=most).contains(number)).ok_or(Wrong::Expected(expected))
}

/// A number of processes, at least 1.
pub(super) fn processes(text: &str) -> Result<u32, Wrong> {
    between(text, 1, u32::MAX, PROCESSES)
}

/// A number of cores, at least 1.
pub(super) fn cores(text: &str) -> Result<u32, Wrong> {
    match u32::try_from(whole(text, CORES, MOST_SMALL)?) {
        Ok(0) => Err(Wrong::Expected(CORES)),
        Ok(cores) => Ok(cores),
        Err(_) => Err(Wrong::AtMost(MOST_SMALL)),
    }
}

/// A reputation, 0 to 1.
pub(super) fn reputation(text: &str) -> Result<Reputation, Wrong> {
    let number = number(text, REPUTATION, MOST_NUMBER)?;
    let thousandths = number.at_scale(3).and_then(|thousandths| u32::try_from(thousandths).ok());
    let reputation = thousandths.filter(|thousandths| *thousandths <= 1_000).map(Reputation);
    reputation.ok_or(Wrong::Expected(REPUTATION))
}

/// A decimal number, of either sign.
pub(super) fn decimal(text: &str) -> Result<Decimal, Wrong> {
    number(text, NUMBER, MOST_NUMBER)
}

/// Whether there is a network: never, in this version.
pub(super) fn no_network(text: &str) -> Result<(), Wrong> {
    match text {
        "false" | "0" => Ok(()),
        "true" | "1" => Err(Wrong::Fault(FaultKind::NotOffered { what: "network access is".to_owned() })),
        _ => Err(Wrong::Expected(FLAG)),
    }
}

/// A word, such as the name of a sub-task.
pub(super) fn word(text: &str) -> Result<String, Wrong> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    if text.is_empty() || text.len() > 64 || !text.bytes().all(legal) {
        return Err(Wrong::Expected(WORD));
    }
    Ok(text.to_owned())
}

/// A word in small letters, such as the name of an operating system.
pub(super) fn small_word(text: &str) -> Result<String, Wrong> {
    word(text).map(|word| word.to_ascii_lowercase())
}

/// A version of an operating system.
pub(super) fn version(text: &str) -> Result<Release, Wrong> {
    Release::exactly(text).ok_or(Wrong::Expected(VERSION))
}

/// Layers of the sandbox by their names; `required` for those of `limits.sandbox = "required"` in a policy.
pub(super) fn layers(text: &str) -> Result<Layers, Wrong> {
    let names = if text == "required" { REQUIRED } else { text };
    let add = |layers: Layers, name: &str| Some(layers.and(Layers::named(name)?));
    let layers = names.split_ascii_whitespace().try_fold(Layers::default(), add);
    layers.filter(|layers| !layers.is_empty()).ok_or(Wrong::Expected(LAYERS))
}

/// The name of a task.
pub(super) fn title(text: &str) -> Result<String, Wrong> {
    if text.is_empty() || text.contains(char::is_control) {
        return Err(Wrong::Expected(TITLE));
    }
    Ok(text.to_owned())
}

/// A path inside the scratch directory or the results directory.
pub(super) fn inside(text: &str) -> Result<String, Wrong> {
    Ok(path::inside(text)?)
}

/// Any text.
pub(super) fn any(text: &str) -> Result<String, Wrong> {
    Ok(text.to_owned())
}

/// A folder inside the scratch directory, with or without a `/` behind it.
pub(super) fn folder(text: &str) -> Result<String, Wrong> {
    inside(text.trim_end_matches('/'))
}

/// A path on the buyer's machine.
pub(super) fn local(text: &str) -> Result<String, Wrong> {
    Ok(path::local(text)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T: PartialEq + std::fmt::Debug>(
        read: impl Fn(&str) -> Result<T, Wrong>,
        table: &[(&str, Result<T, Wrong>)],
    ) {
        for (text, expected) in table {
            assert_eq!(&read(text), expected, "{text}");
        }
    }

    #[test]
    fn sizes_are_exact_in_powers_of_1000_and_1024() {
        check(
            size,
            &[
                ("0", Ok(Bytes(0))),
                ("4096", Ok(Bytes(4096))),
                ("4096B", Ok(Bytes(4096))),
                ("64k", Ok(Bytes(64_000))),
                ("64 KB", Ok(Bytes(64_000))),
                ("64KiB", Ok(Bytes(65_536))),
                ("256MiB", Ok(Bytes::mib(256))),
                ("1.5GB", Ok(Bytes(1_500_000_000))),
                ("2Ti", Ok(Bytes(2 << 40))),
                ("0.0001k", Ok(Bytes(1))),
                ("18446744073709551615", Ok(Bytes(u64::MAX))),
                ("18446744073709551616", Err(Wrong::AtMost(MOST_BYTES))),
                ("99999999T", Err(Wrong::AtMost(MOST_BYTES))),
                ("", Err(Wrong::Expected(SIZE))),
                ("MiB", Err(Wrong::Expected(SIZE))),
                ("-1", Err(Wrong::Expected(SIZE))),
                ("1 m", Err(Wrong::Expected(SIZE))),
                ("1kiB", Err(Wrong::Expected(SIZE))),
                ("1.MB", Err(Wrong::Expected(SIZE))),
                ("1MBB", Err(Wrong::Expected(SIZE))),
            ],
        );
    }

    #[test]
    fn durations_add_up_their_parts() {
        check(
            duration,
            &[
                ("90", Ok(Span::secs(90))),
                ("1.5", Ok(Span::millis(1_500))),
                ("5m", Ok(Span::secs(300))),
                ("1h 30m", Ok(Span::secs(5_400))),
                ("1h30m", Ok(Span::secs(5_400))),
                ("1 d 2 h 3 m 4 s 5 ms", Ok(Span::millis(93_784_005))),
                ("500ms", Ok(Span::millis(500))),
                ("0.0001ms", Ok(Span(1))),
                ("0", Err(Wrong::Expected(DURATION))),
                ("", Err(Wrong::Expected(DURATION))),
                ("-5m", Err(Wrong::Expected(DURATION))),
                ("5 10", Err(Wrong::Expected(DURATION))),
                ("5m 10", Err(Wrong::Expected(DURATION))),
                ("30m 1h", Err(Wrong::Expected(DURATION))),
                ("1h 1h", Err(Wrong::Expected(DURATION))),
                ("5min", Err(Wrong::Expected(DURATION))),
                ("h", Err(Wrong::Expected(DURATION))),
                ("1,5h", Err(Wrong::Expected(DURATION))),
                ("300000000d", Err(Wrong::AtMost(MOST_TIME))),
                ("213503982d 18446744073709s", Err(Wrong::AtMost(MOST_TIME))),
            ],
        );
    }

    #[test]
    fn power_and_work_follow_their_units_and_round_up() {
        let capacity = |unit| move |text: &str| power(text, unit).map(|power| power.0);
        check(capacity(None), &[("1000", Ok(1_000)), ("0.5", Ok(1)), ("0", Err(Wrong::Expected(POWER)))]);
        check(capacity(Some("cycles")), &[("1", Ok(1)), ("1000001", Ok(2))]);
        check(
            capacity(Some("Gcycles")),
            &[("1.5", Ok(1_500)), ("18446744073709552", Err(Wrong::AtMost(MOST_POWER)))],
        );
        let total = |unit| move |text: &str| work(text, unit).map(|work| work.0);
        check(total(None), &[("15", Ok(15_000_000_000)), ("-15", Err(Wrong::Expected(WORK)))]);
        check(total(Some("Mcycles")), &[("1.5", Ok(1_500_000))]);
        check(total(Some("cycles")), &[("18446744073709551616", Err(Wrong::AtMost(MOST_WORK)))]);
    }

    #[test]
    fn prices_are_credits_above_zero_and_exact() {
        check(
            price,
            &[
                ("234", Ok(Money::credits(234))),
                ("0.000001", Ok(Money(1))),
                ("0.2500000", Ok(Money(250_000))),
                ("18446744073709.551615", Ok(Money(u64::MAX))),
                ("18446744073709.551616", Err(Wrong::AtMost(MOST_MONEY))),
                ("99999999999999999999", Err(Wrong::AtMost(MOST_MONEY))),
                ("0", Err(Wrong::Fault(FaultKind::PriceZero))),
                ("0.0000001", Err(Wrong::Expected(PRICE))),
                ("-1", Err(Wrong::Expected(PRICE))),
                ("1e3", Err(Wrong::Expected(PRICE))),
                ("ten", Err(Wrong::Expected(PRICE))),
                ("", Err(Wrong::Expected(PRICE))),
            ],
        );
    }
}
