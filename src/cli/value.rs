//! Values of arguments.

use super::Bootstrap;
use ::sim::Latency;
use ::sim::network::{HeldBack, Map, Matrix};
use ::sim::ring::Distance;
use proto::{CommandId, Money, PublicKey, Span};
use std::collections::BTreeMap;
use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;

/// The addresses at which a bank may be, at most.
const MAX_ADDRESSES: usize = 8;
/// The longest duration that can be given: about 31 years.
const MAX_SECONDS: f64 = 1e9;

/// Seconds, or a number with `ms`, `s`, `m` or `h`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "expected seconds, such as 90 or 1.5, or a number with a unit: 90s, 2m, 1h".to_owned();
    let units = [("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0)];
    let with_unit = units.iter().find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, *factor)));
    let (number, factor) = with_unit.unwrap_or((text, 1.0));
    if !number.starts_with(|c: char| c.is_ascii_digit()) || !number.ends_with(|c: char| c.is_ascii_digit()) {
        return Err(wrong());
    }
    let seconds = number.parse::<f64>().map_err(|_| wrong())? * factor;
    if seconds > MAX_SECONDS {
        return Err("expected at most 1000000000 seconds".into());
    }
    Duration::try_from_secs_f64(seconds).map_err(|_| wrong())
}

/// A share above 0 and at most 1, in thousandths.
pub(super) fn window(text: &str) -> Result<u32, String> {
    let share: f64 = text.parse().map_err(|_| "expected a number, such as 0.1".to_owned())?;
    if !(0.001..=1.0).contains(&share) {
        return Err("expected a share from 0.001 to 1".into());
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to lie within one")]
    let thousandths = (share * 1_000.0).round() as u32;
    Ok(thousandths)
}

/// A duration of more than nothing.
pub(super) fn timeout(text: &str) -> Result<Duration, String> {
    duration(text).and_then(|d| if d.is_zero() { Err("expected more than 0".into()) } else { Ok(d) })
}

/// A market: the name of a commodity and the number of a class.
pub(super) fn market(text: &str) -> Result<String, String> {
    let class = |commodity: &proto::Commodity| {
        let class = text.strip_prefix(commodity.name())?.strip_prefix('/')?;
        class.parse().ok().filter(|class: &u32| *class < commodity.classes())
    };
    let is_market = proto::Commodity::ALL.iter().any(|commodity| class(commodity).is_some());
    let wrong = "expected compute/CLASS below 96, or memory/CLASS or disk/CLASS below 64, such as compute/40";
    if is_market { Ok(text.into()) } else { Err(wrong.into()) }
}

/// A share below one.
pub(super) fn share(text: &str) -> Result<f64, String> {
    let wrong = || "expected a share from 0 to 0.999, such as 0.05".to_owned();
    rate(text).ok().filter(|share| *share <= 0.999).ok_or_else(wrong)
}

/// A number that is not negative.
pub(super) fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse::<f64>().ok().filter(|rate| (0.0..=MAX_SECONDS).contains(rate));
    rate.ok_or_else(|| "expected a number from 0 on, such as 0.05".to_owned())
}

/// `constant:MS`, `uniform:MS..MS`, `exponential:MS`, `space:MS`, `map:SEED` or `matrix:FILE`; or `held:PCT:MS:` before
/// one of them.
pub(super) fn latency(text: &str) -> Result<Distance, String> {
    let wrong = || {
        "expected constant:MS, uniform:MS..MS, exponential:MS, space:MS, map:SEED, matrix:FILE or held:PCT:MS:MODEL, such as exponential:50"
            .to_owned()
    };
    let span = |text: &str| {
        let seconds = rate(text).map_err(|_| wrong())? / 1_000.0;
        let micros = Duration::try_from_secs_f64(seconds).map_err(|_| wrong())?.as_micros();
        u64::try_from(micros).map(Span).map_err(|_| wrong())
    };
    match text.split_once(':').ok_or_else(wrong)? {
        ("constant", value) => Ok(Distance::Drawn(Latency::Constant(span(value)?))),
        ("exponential", mean) => {
            Ok(Distance::Drawn(Latency::Exponential { least: Span(0), mean: span(mean)? }))
        }
        ("map", seed) => {
            let seed = seed.parse().map_err(|_| wrong())?;
            Ok(Distance::Drawn(Latency::Map(Map::new(seed))))
        }
        ("matrix", file) => {
            let ways = Arc::new(matrix(file)?);
            Ok(Distance::Drawn(Latency::Matrix { ways, jitter_pct: 10 }))
        }
        ("held", rest) => {
            let (percent, rest) = rest.split_once(':').ok_or_else(wrong)?;
            let (most, ways) = rest.split_once(':').ok_or_else(wrong)?;
            if ways.starts_with("held:") {
                return Err(
                    "messages are held back once: expected another model behind held:PCT:MS:".to_owned()
                );
            }
            held(latency(ways)?, (percent, span(most)?))
        }
        ("space", mean) => Ok(Distance::Space { mean: span(mean)?, held: HeldBack::NONE }),
        ("uniform", range) => {
            let (least, most) = range.split_once("..").ok_or_else(wrong)?;
            let (least, most) = (span(least)?, span(most)?);
            if least <= most { Ok(Distance::Drawn(Latency::Uniform { least, most })) } else { Err(wrong()) }
        }
        _ => Err(wrong()),
    }
}

/// The same ways, where so many of a hundred messages are held back for so long at most.
fn held(ways: Distance, (percent, most): (&str, Span)) -> Result<Distance, String> {
    let wrong = || {
        format!(
            "expected a share from 0 to 100 in percent, such as held:5:200:constant:50, and not `{percent}`"
        )
    };
    let share =
        percent.parse::<f64>().ok().filter(|percent| (0.0..=100.0).contains(percent)).ok_or_else(wrong)?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to lie within a hundred"
    )]
    let per_mille = (share * 10.0).round() as u32;
    let held = HeldBack::new(per_mille, most).map_err(|error| error.to_string())?;
    match ways {
        Distance::Space { mean, .. } => Ok(Distance::Space { mean, held }),
        Distance::Drawn(ways) => Ok(Distance::Drawn(Latency::HeldBack { ways: Box::new(ways), held })),
    }
}

/// The longest file of a table of latencies, in bytes.
const MAX_TABLE: u64 = 256 << 20;

/// A table of latencies from a file.
fn matrix(file: &str) -> Result<Matrix, String> {
    let mut text = String::new();
    let opened = std::fs::File::open(file).map_err(|error| format!("{file}: {error}"))?;
    opened.take(MAX_TABLE).read_to_string(&mut text).map_err(|error| format!("{file}: {error}"))?;
    text.parse().map_err(|error| format!("{file}: {error}"))
}

/// A duration of so many seconds; at least a microsecond.
pub(super) fn span(seconds: f64) -> Span {
    let micros = std::time::Duration::try_from_secs_f64(seconds).map_or(u128::MAX, |span| span.as_micros());
    Span(u64::try_from(micros).unwrap_or(u64::MAX).max(1))
}

/// A share below one, in thousandths.
pub(super) fn per_mille(share: f64) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to lie below one")]
    let per_mille = (share * 1_000.0).round() as u32;
    per_mille
}

/// `[KEY@]HOST:PORT`.
pub(super) fn bootstrap(text: &str) -> Result<Bootstrap, String> {
    let (key, addrs) = match text.rsplit_once('@') {
        Some((key, addrs)) => {
            let key = PublicKey::from_hex(key).ok_or("the key before `@` must be 64 hexadecimal digits")?;
            (Some(key), addrs)
        }
        None => (None, text),
    };
    let addrs: Vec<String> = addrs.split(',').map(address).collect::<Result<_, _>>()?;
    match (key, addrs.len()) {
        (None, 2..) => Err("several addresses need the key: KEY@HOST:PORT,HOST:PORT".into()),
        (_, 0..=MAX_ADDRESSES) => Ok(Bootstrap { key, addrs }),
        _ => Err(format!("expected at most {MAX_ADDRESSES} addresses")),
    }
}

/// The bank of which a standby is to be: one address.
pub(super) fn leader(text: &str) -> Result<Bootstrap, String> {
    let leader = bootstrap(text)?;
    if leader.addrs.len() > 1 { Err("expected one address".into()) } else { Ok(leader) }
}

fn address(addr: &str) -> Result<String, String> {
    let wrong = "expected HOST:PORT, such as 192.0.2.7:7742 or KEY@bank.example:7742";
    let (host, port) = addr.rsplit_once(':').ok_or(wrong)?;
    if host.is_empty() || (host.contains(':') && !(host.starts_with('[') && host.ends_with(']'))) {
        return Err(wrong.into());
    }
    match port.parse::<u16>() {
        Ok(port) if port > 0 => Ok(addr.into()),
        _ => Err(format!("`{port}` is not a port: expected 1 to 65535")),
    }
}

/// An amount of money, of more than nothing.
pub(super) fn credits(text: &str) -> Result<Money, String> {
    let credits = text.parse().ok().filter(|credits| *credits > Money::ZERO);
    credits.ok_or_else(|| "expected credits above 0 with at most six decimals, such as 2.5".to_owned())
}

/// A key: 64 hexadecimal digits.
pub(super) fn key(text: &str) -> Result<PublicKey, String> {
    PublicKey::from_hex(text).ok_or_else(|| "a key has 64 hexadecimal digits".into())
}

/// `NAME=VALUE`.
pub(super) fn assignment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.into(), value.into())),
        _ => Err("expected NAME=VALUE".into()),
    }
}

/// The number of a task, or `last`.
pub(super) fn task(text: &str) -> Result<String, String> {
    let is_number = text.parse::<u64>().is_ok() && text.bytes().all(|b| b.is_ascii_digit());
    if text == "last" || is_number {
        Ok(text.into())
    } else {
        Err("expected the number of a task, or `last`".into())
    }
}

/// The id of an order or a contract: 32 hexadecimal digits.
pub(super) fn id(text: &str) -> Result<CommandId, String> {
    proto::id::unhex(text).map(CommandId).ok_or_else(|| "expected an id of 32 hexadecimal digits".into())
}

/// Credits, more than none.
pub(super) fn amount(text: &str) -> Result<Money, String> {
    let amount: Money = text
        .parse()
        .map_err(|_| "expected credits with at most six decimals, such as 12 or 0.25".to_owned())?;
    if amount == Money::ZERO { Err("expected more than 0".into()) } else { Ok(amount) }
}

/// All assignments by name; a name that is there twice is an error, since one of its values would be lost.
pub(super) fn by_name(set: &[(String, String)]) -> Result<BTreeMap<String, String>, String> {
    let mut all = BTreeMap::new();
    for (name, value) in set {
        if all.insert(name.clone(), value.clone()).is_some() {
            return Err(format!("`{name}` is set twice"));
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        let cases =
            [("90", 90_000), ("1.5", 1_500), ("250ms", 250), ("2m", 120_000), ("1h", 3_600_000), ("0", 0)];
        for (text, millis) in cases {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "s", "-1", "+1", "1d", "1e99h", "nan", "inf", "1 s", "1.", "2000000000"] {
            assert!(duration(text).is_err(), "{text}");
        }
        assert_eq!(timeout("0s"), Err("expected more than 0".into()));
    }

    #[test]
    fn a_bootstrap_server_may_come_with_its_key() {
        let key = "ab".repeat(32);
        let with_key = bootstrap(&format!("{key}@bank.example:7742")).unwrap();
        assert_eq!(
            with_key,
            Bootstrap { key: Some(PublicKey([0xab; 32])), addrs: vec!["bank.example:7742".into()] }
        );
        assert_eq!(bootstrap("[::1]:7742"), Ok(Bootstrap { key: None, addrs: vec!["[::1]:7742".into()] }));
        for text in ["", "bank", "bank:", ":7742", "bank:0", "bank:65536", "::1:7742", "ab@bank:7742"] {
            assert!(bootstrap(text).is_err(), "{text}");
        }
    }

    #[test]
    fn keys_ids_and_amounts_are_exact() {
        assert_eq!(key(&"ab".repeat(32)), Ok(PublicKey([0xab; 32])));
        assert_eq!(id(&"0c".repeat(16)), Ok(CommandId([0x0c; 16])));
        assert_eq!(amount("0.000001"), Ok(Money(1)));
        assert_eq!(amount("18446744073709.551615"), Ok(Money(u64::MAX)));
        assert_eq!(amount("0.0"), Err("expected more than 0".into()));
        for text in ["", "-1", "1e3", "0.0000001", "18446744073709.551616", "1 000"] {
            assert!(amount(text).is_err(), "{text}");
        }
        for text in ["", "ab", "zz", &"ab".repeat(33)] {
            assert!(key(text).is_err() && id(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_variable_is_set_once() {
        assert_eq!(assignment("a=b=c"), Ok(("a".into(), "b=c".into())));
        assert_eq!(assignment("a="), Ok(("a".into(), String::new())));
        assert!(assignment("a").is_err());
        assert!(assignment("=a").is_err());
        let twice = [("a".to_owned(), "1".to_owned()), ("a".to_owned(), "2".to_owned())];
        assert_eq!(by_name(&twice), Err("`a` is set twice".into()));
    }

    #[test]
    fn a_task_is_a_number_or_the_last_one() {
        for text in ["1", "12", "last"] {
            assert_eq!(task(text), Ok(text.into()));
        }
        for text in ["", "first", "-1", "+1", "1.5", "99999999999999999999"] {
            assert!(task(text).is_err(), "{text}");
        }
    }
}
