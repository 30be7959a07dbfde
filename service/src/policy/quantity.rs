//! What single values mean: flags, counts, prices, sizes, durations, addresses, keys. No floating point.

use super::cost::{MAX_CREDITS_PER_CURRENCY, MAX_CURRENCY, MAX_WATTS, Micro, Tariff};
use super::item::{Item, Outcome};
use super::schedule::parse_hours;
use super::{IdleSource, Sandbox, Subnet, Volume};
use proto::{Bytes, Hash, PublicKey, Rate, Span};
use std::collections::BTreeSet;
use std::net::SocketAddr;

const VERSION: &str = "1, the only version there is";
const FLAG: &str = "true or false";
const CORES: &str = "a whole number of cores from 1 to 4294967295";
const PERCENT: &str = "a whole number of per cent from 0 to 100";
const SHARE: &str = "a whole number of per cent from 1 to 100";
const COST: &str = "credits per Gc from 0.000001 to 18446744073709.551615 with at most six decimals, such as 0.2, or \"auto\"";
const PRICE: &str = "credits per Gc from 0 to 18446744073709.551615 with at most six decimals, such as 0.2";
const SIZE: &str = "a size from 1 byte to 1048576TiB, such as \"10GiB\", \"1.5GB\" or 4096";
const DURATION: &str = "a duration above 0 and up to 36500d, such as \"24h\", \"1h 30m\" or 90 (seconds)";
const WAIT: &str = "a duration from 0 up to 36500d, such as \"10s\", \"1h 30m\" or 90 (seconds)";
const NEVER: &str = "a duration above 0 and up to 36500d, such as \"10m\", or \"never\"";
const SIZE_OR_NONE: &str = "a size from 0 to 1048576TiB, such as \"5GiB\"";
const FLOW: &str = "a size a second such as \"1MiB/s\", or \"0\" for no limit";
const VOLUME: &str = "a size and a time such as \"100GB per 30d\", or \"0\" for no limit";
const NICE: &str = "a whole number from 0 to 19";
const QUEUE: &str = "a whole number of sub-tasks from 0 to 1000";
const PROCESSES: &str = "a whole number of processes from 1 to 65536";
const TRANSFERS: &str = "a whole number of transfers from 1 to 1000";
const CELSIUS: &str = "a whole number of degrees Celsius from 1 to 150";
const WATTS: &str = "a whole number of watts from 0 to 100000";
const CURRENCY: &str = "an amount of currency from 0 to 1000 with at most six decimals, such as 0.3";
const CREDITS: &str = "a whole number of credits from 1 to 1000000000";
const TARIFF: &str = "an amount of currency from 0 to 1000, or a table of such amounts for all 24 hours, such as \
                      { \"00:00-06:00\" = 0.2, \"06:00-24:00\" = 0.3 }";
const SOURCES: &str = "a list of at least one of \"logind\", \"tty\", \"input\"";
/// The X server: a source of the format that no sensor stands behind.
const NO_SOURCE: &str = "x11";
const PROGRAMS: &str = "a list of names of programs in quotes, each of 1 to 255 bytes";
const HASHES: &str = "a list of hashes of programs, each of 64 hexadecimal digits in quotes";
const DIRECTORY: &str = "an absolute path in quotes of at most 4096 bytes, such as \"/srv/compup2p\"";
const FILES: &str = "a list of absolute paths in quotes, such as \"/srv/tools/queens.wasm\"";
const SERVERS: &str =
    "a list of addresses in quotes that begin with http://, such as \"http://code.example/files\"";
const NAME: &str = "a name in quotes of 1 to 64 characters that can be shown";
const REPUTATION: &str = "a number from 0.0 to 1.0";
const SANDBOX: &str = "\"best\", \"required\" or \"none\"";
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
pub(super) fn some_cores(item: Item<'_>) -> Outcome<Option<u32>> {
    within(item, 1, u32::MAX, CORES).map(Some)
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

/// What work costs, more than nothing; `None` for `"auto"`.
pub(super) fn cost(item: Item<'_>) -> Outcome<Option<Rate>> {
    if item.text() == Some("auto") { Ok(None) } else { rate(item, Rate(1), COST).map(Some) }
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
        Some("none") => Ok(Sandbox::None),
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

/// A flag that is given or not.
pub(super) fn some_flag(item: Item<'_>) -> Outcome<Option<bool>> {
    flag(item).map(Some)
}

/// Per cent, which may be none, that is given or not.
pub(super) fn some_percent(item: Item<'_>) -> Outcome<Option<u32>> {
    percent(item).map(Some)
}

/// Per cent of something that is shared, that is given or not.
pub(super) fn some_share(item: Item<'_>) -> Outcome<Option<u32>> {
    share(item).map(Some)
}

/// A temperature in °C.
pub(super) fn some_celsius(item: Item<'_>) -> Outcome<Option<i32>> {
    let degrees = within(item, 1, 150, CELSIUS)?;
    Ok(i32::try_from(degrees).ok())
}

/// How far our work stands back, as `nice` has it.
pub(super) fn nice(item: Item<'_>) -> Outcome<u32> {
    within(item, 0, 19, NICE)
}

/// How many sub-tasks wait for a core.
pub(super) fn no_queue(item: Item<'_>) -> Outcome<()> {
    if within(item, 0, 1_000, QUEUE)? > 0 { Err(item.not_offered()) } else { Ok(()) }
}

/// The most processes of one sub-task.
pub(super) fn processes(item: Item<'_>) -> Outcome<u32> {
    within(item, 1, 65_536, PROCESSES)
}

/// The most transfers at a time.
pub(super) fn transfers(item: Item<'_>) -> Outcome<u32> {
    within(item, 1, 1_000, TRANSFERS)
}

/// What a machine draws.
pub(super) fn watts(item: Item<'_>) -> Outcome<u32> {
    within(item, 0, MAX_WATTS, WATTS)
}

/// How many credits a unit of currency is.
pub(super) fn credits(item: Item<'_>) -> Outcome<u32> {
    within(item, 1, MAX_CREDITS_PER_CURRENCY, CREDITS)
}

/// An amount of ordinary currency.
pub(super) fn currency(item: Item<'_>) -> Outcome<Micro> {
    let amount = item.written().and_then(|text| text.parse::<Rate>().ok()).map(|amount| Micro(amount.0));
    amount.filter(|amount| *amount <= MAX_CURRENCY).ok_or_else(|| item.wrong(CURRENCY))
}

/// What a kilowatt-hour costs: one price, or a table of hours and prices.
pub(super) fn tariff(item: Item<'_>) -> Outcome<Tariff> {
    let Some(table) = item.table() else {
        return currency(item).map(Tariff::Flat).map_err(|_| item.wrong(TARIFF));
    };
    let mut entries = Vec::new();
    for (key, value) in table {
        let hours = parse_hours(key.get_ref()).ok_or_else(|| item.wrong(TARIFF))?;
        entries.push((hours, currency(Item { name: item.name, value })?));
    }
    let tariff = Tariff::ByHour(entries);
    if tariff.is_whole() { Ok(tariff) } else { Err(item.wrong(TARIFF)) }
}

/// A size in bytes, rounded down, which may be 0.
pub(super) fn size_or_none(item: Item<'_>) -> Outcome<Bytes> {
    let bytes = item.written().and_then(|text| parse_size(&text));
    bytes.filter(|bytes| *bytes <= MAX_SIZE).map(Bytes).ok_or_else(|| item.wrong(SIZE_OR_NONE))
}

/// So many bytes a second, or `"0"` for no limit.
pub(super) fn flow(item: Item<'_>) -> Outcome<Option<Bytes>> {
    let text = item.written().ok_or_else(|| item.wrong(FLOW))?;
    if text == "0" {
        return Ok(None);
    }
    let bytes = text.strip_suffix("/s").and_then(|size| parse_size(size.trim_end_matches(' ')));
    let bytes = bytes.filter(|bytes| (1..=MAX_SIZE).contains(bytes));
    bytes.map(|bytes| Some(Bytes(bytes))).ok_or_else(|| item.wrong(FLOW))
}

/// `100GB per 30d`, or `"0"` for no limit.
pub(super) fn volume(item: Item<'_>) -> Outcome<Option<Volume>> {
    let text = item.written().ok_or_else(|| item.wrong(VOLUME))?;
    if text == "0" {
        return Ok(None);
    }
    let volume = text.split_once(" per ").and_then(|(size, period)| {
        let bytes = parse_size(size.trim()).filter(|bytes| (1..=MAX_SIZE).contains(bytes))?;
        let period = parse_duration(period.trim()).map(Span)?;
        (Span(1)..=MAX_DURATION).contains(&period).then_some(Volume { bytes: Bytes(bytes), period })
    });
    volume.map(Some).ok_or_else(|| item.wrong(VOLUME))
}

/// A duration in microseconds, rounded down, which may be 0.
pub(super) fn wait(item: Item<'_>) -> Outcome<Span> {
    let span = item.written().and_then(|text| parse_duration(&text).filter(|_| !text.is_empty()));
    span.map(Span).filter(|span| *span <= MAX_DURATION).ok_or_else(|| item.wrong(WAIT))
}

/// A duration, or 0 for never.
pub(super) fn wait_or_off(item: Item<'_>) -> Outcome<Option<Span>> {
    wait(item).map(|span| (span > Span(0)).then_some(span))
}

/// A duration above 0, or `"never"`.
pub(super) fn wait_or_never(item: Item<'_>) -> Outcome<Option<Span>> {
    if item.text() == Some("never") {
        return Ok(None);
    }
    duration(item).map(Some).map_err(|_| item.wrong(NEVER))
}

/// Sensors of keyboard and mouse.
pub(super) fn sources(item: Item<'_>) -> Outcome<BTreeSet<IdleSource>> {
    let named = |item: Item<'_>| {
        if item.text() == Some(NO_SOURCE) {
            return Err(item.not_offered());
        }
        let found = IdleSource::ALL.into_iter().find(|source| item.text() == Some(source.name()));
        found.ok_or_else(|| item.wrong(SOURCES))
    };
    let sources: BTreeSet<IdleSource> = item.each(SOURCES, named)?.into_iter().collect();
    if sources.is_empty() { Err(item.wrong(SOURCES)) } else { Ok(sources) }
}

fn bounded(item: Item<'_>, most: usize, expected: &'static str) -> Outcome<String> {
    let text = item.text().filter(|text| (1..=most).contains(&text.len()));
    let text = text.filter(|text| !text.chars().any(char::is_control));
    text.map(str::to_owned).ok_or_else(|| item.wrong(expected))
}

/// Names of programs.
pub(super) fn programs(item: Item<'_>) -> Outcome<BTreeSet<String>> {
    Ok(item.each(PROGRAMS, |name| bounded(name, 255, PROGRAMS))?.into_iter().collect())
}

/// Hashes of programs.
pub(super) fn hashes(item: Item<'_>) -> Outcome<Vec<Hash>> {
    item.each(HASHES, |hash| hash.text().and_then(Hash::from_hex).ok_or_else(|| hash.wrong(HASHES)))
}

/// An absolute path.
pub(super) fn directory(item: Item<'_>) -> Outcome<Option<String>> {
    let path = bounded(item, 4096, DIRECTORY)?;
    if path.starts_with('/') { Ok(Some(path)) } else { Err(item.wrong(DIRECTORY)) }
}

/// Absolute paths of files.
pub(super) fn files(item: Item<'_>) -> Outcome<Vec<String>> {
    item.each(FILES, |path| {
        let text = bounded(path, 4096, FILES)?;
        if text.starts_with('/') && !text.ends_with('/') { Ok(text) } else { Err(path.wrong(FILES)) }
    })
}

/// Addresses of code servers.
pub(super) fn servers(item: Item<'_>) -> Outcome<Vec<String>> {
    item.each(SERVERS, |server| {
        let text = bounded(server, 2048, SERVERS)?;
        let is_plain = text.strip_prefix("http://").is_some_and(|rest| !rest.is_empty());
        if is_plain && !text.contains(' ') { Ok(text) } else { Err(server.wrong(SERVERS)) }
    })
}

/// What a node is called.
pub(super) fn node_name(item: Item<'_>) -> Outcome<Option<String>> {
    let name = bounded(item, 4 * 64, NAME)?;
    if name.chars().count() <= 64 { Ok(Some(name)) } else { Err(item.wrong(NAME)) }
}

/// Whether sub-tasks may use the network: in this version never.
pub(super) fn no_network(item: Item<'_>) -> Outcome<()> {
    if flag(item)? { Err(item.not_offered()) } else { Ok(()) }
}

/// The least reputation of buyers: this version keeps none, so that only 0 can be asked for.
pub(super) fn no_reputation(item: Item<'_>) -> Outcome<()> {
    let least = item.written().and_then(|text| text.parse::<Rate>().ok());
    match least.filter(|least| *least <= Rate(1_000_000)) {
        None => Err(item.wrong(REPUTATION)),
        Some(Rate(0)) => Ok(()),
        Some(_) => Err(item.not_offered()),
    }
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
