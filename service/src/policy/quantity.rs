//! What single values mean: flags, counts, prices, sizes, durations, addresses, keys. No floating point.

use super::item::{Item, Outcome};
use super::{Sandbox, Subnet};
use proto::{Bytes, PublicKey, Rate, Span};
use std::net::SocketAddr;

const VERSION: &str = "1, the only version there is";
const FLAG: &str = "true or false";
const CORES: &str = "a whole number of cores from 1 to 4294967295";
const PERCENT: &str = "a whole number of per cent from 0 to 100";
const SHARE: &str = "a whole number of per cent from 1 to 100";
const COST: &str =
    "credits per Gc from 0.000001 to 18446744073709.551615 with at most six decimals, such as 0.2";
const PRICE: &str = "credits per Gc from 0 to 18446744073709.551615 with at most six decimals, such as 0.2";
const SIZE: &str = "a size from 1 byte to 1048576TiB, such as \"10GiB\", \"1.5GB\" or 4096";
const DURATION: &str = "a duration above 0 and up to 36500d, such as \"24h\", \"1h 30m\" or 90 (seconds)";
const SANDBOX: &str = "\"best\" or \"required\"";
const ADDRESS: &str = "an IP address with a port, such as \"0.0.0.0:7740\" or \"[::]:7740\"";
const NODES: &str = "a list of node keys, each of 64 hexadecimal digits in quotes";
const SUBNETS: &str = "a list of IP addresses or networks in quotes, such as \"10.9.0.7\" or \"10.9.0.0/16\"";

/// The largest size: 1 EiB.
const MAX_SIZE: u64 = 1 << 60;
/// The longest duration: 36500 days.
const MAX_DURATION: Span = Span::secs(36_500 * 86_400);

/// The version of the format, which there is one of.
pub(super) fn version(item: Item<'_>) -> Outcome<()> {
    if item.whole() == Some(1) { Ok(()) } else { Err(item.wrong(VERSION)) }
}

/// `true` or `false`.
pub(super) fn flag(item: Item<'_>) -> Outcome<bool> {
    item.value.get_ref().as_bool().ok_or_else(|| item.wrong(FLAG))
}

fn within(item: Item<'_>, least: u32, most: u32, expected: &'static str) -> Outcome<u32> {
    let number = item.whole().and_then(|number| u32::try_from(number).ok());
    number.filter(|number| (least..=most).contains(number)).ok_or_else(|| item.wrong(expected))
}

/// A number of cores, at least 1.
pub(super) fn cores(item: Item<'_>) -> Outcome<u32> {
    within(item, 1, u32::MAX, CORES)
}

/// Per cent, which may be none.
pub(super) fn percent(item: Item<'_>) -> Outcome<u32> {
    within(item, 0, 100, PERCENT)
}

/// Per cent of something that is shared, at least 1.
pub(super) fn share(item: Item<'_>) -> Outcome<u32> {
    within(item, 1, 100, SHARE)
}

fn rate(item: Item<'_>, least: Rate, expected: &'static str) -> Outcome<Rate> {
    let rate = item.written().and_then(|text| text.parse::<Rate>().ok());
    rate.filter(|rate| *rate >= least).ok_or_else(|| item.wrong(expected))
}

/// What work costs, more than nothing.
pub(super) fn cost(item: Item<'_>) -> Outcome<Rate> {
    if item.text() == Some("auto") { Err(item.not_offered()) } else { rate(item, Rate(1), COST) }
}

/// A price of work.
pub(super) fn price(item: Item<'_>) -> Outcome<Rate> {
    rate(item, Rate(0), PRICE)
}

/// A size in bytes, rounded down, more than 0.
pub(super) fn size(item: Item<'_>) -> Outcome<Bytes> {
    let bytes = item.written().and_then(|text| parse_size(&text));
    bytes.filter(|bytes| (1..=MAX_SIZE).contains(bytes)).map(Bytes).ok_or_else(|| item.wrong(SIZE))
}

/// A duration in microseconds, rounded down, more than 0.
pub(super) fn duration(item: Item<'_>) -> Outcome<Span> {
    let span = item.written().and_then(|text| parse_duration(&text)).map(Span::micros);
    span.filter(|span| (Span(1)..=MAX_DURATION).contains(span)).ok_or_else(|| item.wrong(DURATION))
}

/// How strictly programs are shut in.
pub(super) fn sandbox(item: Item<'_>) -> Outcome<Sandbox> {
    match item.text() {
        Some("best") => Ok(Sandbox::Best),
        Some("required") => Ok(Sandbox::Required),
        Some("none") => Err(item.not_offered()),
        _ => Err(item.wrong(SANDBOX)),
    }
}

/// An address with a port.
pub(super) fn address(item: Item<'_>) -> Outcome<SocketAddr> {
    item.text().and_then(|text| text.parse().ok()).ok_or_else(|| item.wrong(ADDRESS))
}

/// A list of keys of nodes.
pub(super) fn nodes(item: Item<'_>) -> Outcome<Vec<PublicKey>> {
    item.each(NODES, |node| node.text().and_then(PublicKey::from_hex).ok_or_else(|| node.wrong(NODES)))
}

/// A list of addresses and networks.
pub(super) fn subnets(item: Item<'_>) -> Outcome<Vec<Subnet>> {
    item.each(SUBNETS, |subnet| subnet.text().and_then(Subnet::parse).ok_or_else(|| subnet.wrong(SUBNETS)))
}

/// `text`, a decimal number such as 12 or 1.5, times `factor`, rounded down; none beyond 64 bits.
fn times(text: &str, factor: u64) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) {
        return None;
    }
    let unit = 10_u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let digits: u128 = format!("{whole}{fraction}").parse().ok()?;
    u64::try_from(digits.checked_mul(u128::from(factor))? / unit).ok()
}

/// The number that a text begins with, and the rest without the spaces between.
fn split_number(text: &str) -> (&str, &str) {
    let end = text.find(|character: char| !character.is_ascii_digit() && character != '.');
    let (number, rest) = text.split_at_checked(end.unwrap_or(text.len())).unwrap_or((text, ""));
    (number, rest.trim_start_matches(' '))
}

/// A number of bytes, or of k, M, G, T (powers of 1000), Ki, Mi, Gi, Ti (powers of 1024), with or without a `B`: the
/// same units as in the task file.
fn parse_size(text: &str) -> Option<u64> {
    let (number, unit) = split_number(text);
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
        _ => return None,
    };
    times(number, factor)
}

/// A number of seconds, or numbers with units from days down to milliseconds, each at most once, as in the task file;
/// in microseconds.
fn parse_duration(text: &str) -> Option<u64> {
    const UNITS: [(&str, u64); 5] =
        [("d", 86_400_000_000), ("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000), ("ms", 1_000)];
    if let Some(seconds) = times(text, 1_000_000) {
        return Some(seconds);
    }
    let mut total = 0_u64;
    let mut units = UNITS.iter();
    let mut rest = text;
    while !rest.is_empty() {
        let (number, after) = split_number(rest);
        let end = after.find(|character: char| !character.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, next) = after.split_at_checked(end)?;
        let (_, factor) = units.find(|(name, _)| *name == unit)?;
        total = total.checked_add(times(number, *factor)?)?;
        rest = next.trim_start_matches(' ');
    }
    Some(total)
}
