//! Values as they are written in the file, exact: what is printed here is read back as the same value.

use super::cost::Tariff;
use super::{IdleSource, Sandbox, Volume};
use proto::{Bytes, Hash, PublicKey, Rate, Span};
use std::collections::BTreeSet;
use std::fmt::Display;

/// A value that is written as it is displayed: numbers, flags, prices.
pub(super) fn plain<T: Display>(value: &T) -> Option<String> {
    Some(value.to_string())
}

/// A value that is displayed in quotes.
pub(super) fn text<T: Display>(value: &T) -> Option<String> {
    Some(quoted(&value.to_string()))
}

/// A value of which there may be none, and then the key is not written.
pub(super) fn maybe<T: Display>(value: &Option<T>) -> Option<String> {
    value.as_ref().and_then(plain)
}

/// A text of which there may be none.
pub(super) fn maybe_text(value: &Option<String>) -> Option<String> {
    value.as_deref().map(quoted)
}

/// A duration: `"1h 30m"`.
pub(super) fn span(value: &Span) -> Option<String> {
    Some(quoted(&duration(*value)))
}

/// A duration, or `"0"` for none.
pub(super) fn span_or_zero(value: &Option<Span>) -> Option<String> {
    span(&value.unwrap_or_default())
}

/// A duration, or `"never"` for none.
pub(super) fn span_or_never(value: &Option<Span>) -> Option<String> {
    value.as_ref().map_or_else(|| Some(quoted("never")), span)
}

/// A size: `"5GiB"`.
pub(super) fn size(value: &Bytes) -> Option<String> {
    Some(quoted(&bytes(*value)))
}

/// A flow: `"1MiB/s"`, or `"0"` for no limit.
pub(super) fn flow(value: &Option<Bytes>) -> Option<String> {
    Some(value.map_or_else(|| quoted("0"), |most| quoted(&format!("{}/s", bytes(most)))))
}

/// A volume: `"100GB per 30d"`, or `"0"` for no limit.
pub(super) fn volume(value: &Option<Volume>) -> Option<String> {
    Some(quoted(&value.map_or_else(|| "0".to_owned(), |volume| in_words(&volume))))
}

/// What the work costs: a number, or `"auto"`.
pub(super) fn cost(value: &Option<Rate>) -> Option<String> {
    value.as_ref().map_or_else(|| Some(quoted("auto")), plain)
}

/// What a kilowatt-hour costs: a number, or a table by hours.
pub(super) fn tariff(value: &Tariff) -> Option<String> {
    Some(value.to_string())
}

/// How strictly programs are shut in.
pub(super) fn sandbox(value: &Sandbox) -> Option<String> {
    Some(quoted(match value {
        Sandbox::Best => "best",
        Sandbox::Required => "required",
        Sandbox::None => "none",
    }))
}

/// Sensors of keyboard and mouse.
pub(super) fn sources(value: &BTreeSet<IdleSource>) -> Option<String> {
    list(value.iter().map(|source| source.name().to_owned()))
}

/// Texts.
pub(super) fn texts<'a>(value: impl IntoIterator<Item = &'a String>) -> Option<String> {
    list(value.into_iter().cloned())
}

/// Keys of nodes.
pub(super) fn nodes(value: &[PublicKey]) -> Option<String> {
    list(value.iter().map(|key| format!("{key:#}")))
}

/// Hashes of programs.
pub(super) fn hashes(value: &[Hash]) -> Option<String> {
    list(value.iter().map(Hash::to_hex))
}

/// Things that are displayed in quotes.
pub(super) fn shown<T: Display>(value: &[T]) -> Option<String> {
    list(value.iter().map(ToString::to_string))
}

fn list(entries: impl Iterator<Item = String>) -> Option<String> {
    let quoted: Vec<String> = entries.map(|entry| quoted(&entry)).collect();
    Some(format!("[{}]", quoted.join(", ")))
}

/// A text in double quotes, as TOML has it.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            control if control.is_control() => {
                out.push_str(&format!("\\u{:04X}", u32::from(control)));
            }
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

/// A volume, without quotes.
pub(super) fn in_words(volume: &Volume) -> String {
    format!("{} per {}", bytes(volume.bytes), duration(volume.period))
}

/// A size in the largest power of 1024, or of 1000, that divides it.
pub(super) fn bytes(size: Bytes) -> String {
    const UNITS: [(&str, u64); 8] = [
        ("TiB", 1 << 40),
        ("GiB", 1 << 30),
        ("MiB", 1 << 20),
        ("TB", 1_000_000_000_000),
        ("GB", 1_000_000_000),
        ("MB", 1_000_000),
        ("KiB", 1 << 10),
        ("kB", 1_000),
    ];
    let fits = UNITS.iter().find(|(_, factor)| size.0 > 0 && size.0.is_multiple_of(*factor));
    fits.map_or_else(|| size.0.to_string(), |(unit, factor)| format!("{}{unit}", size.0 / factor))
}

/// A duration from days down to the microsecond, without the units of which there are none.
pub(super) fn duration(span: Span) -> String {
    const UNITS: [(&str, u64); 4] =
        [("d", 86_400_000_000), ("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000)];
    let mut rest = span.0;
    let mut parts = Vec::new();
    for (unit, factor) in UNITS {
        // One day is 24 hours, as people write it.
        if rest >= factor && (unit != "d" || rest >= 2 * factor) {
            parts.push(format!("{}{unit}", rest / factor));
            rest %= factor;
        }
    }
    match (rest, parts.is_empty()) {
        (0, true) => parts.push("0s".to_owned()),
        (0, false) => {}
        (micros, _) if micros % 1_000 == 0 => parts.push(format!("{}ms", micros / 1_000)),
        (micros, _) => parts.push(format!("{}.{:03}ms", micros / 1_000, micros % 1_000)),
    }
    parts.join(" ")
}
