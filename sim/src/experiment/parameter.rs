//! What can be set in a model.

use std::borrow::Cow;
use std::fmt;

/// One thing that can be set. Best kept as a constant, by which it is declared and read.
///
/// ```
/// use sim::experiment::Parameter;
/// const SELLERS: Parameter = Parameter::integer("population.sellers", 5, 1, 10_000, "how many sell");
/// const LOSS: Parameter = Parameter::real("network.loss_pct", 0.5, 0.0, 100.0, "messages lost, in percent");
/// # let _ = (SELLERS, LOSS);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Table and name in an experiment file, with the unit as suffix: `network.loss_pct`.
    pub key: &'static str,
    /// Which values it takes.
    pub kind: Kind,
    /// What it is when nobody sets it.
    pub default: Usual,
    /// What it means, in one sentence, with its source where it has one.
    pub about: &'static str,
}

/// Which values a parameter takes.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// A whole number from the first to the second.
    Integer(i64, i64),
    /// A finite number from the first to the second.
    Real(f64, f64),
    /// `true` or `false`.
    Flag,
    /// One of these words.
    Choice(Cow<'static, [&'static str]>),
    /// Any text: the name of a file, say.
    Text,
    /// A list of finite numbers, each from the first to the second.
    Reals(f64, f64),
    /// A list of these words.
    Choices(Cow<'static, [&'static str]>),
}

/// A value as it can stand in a constant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Usual {
    /// A whole number.
    Integer(i64),
    /// A number.
    Real(f64),
    /// `true` or `false`.
    Flag(bool),
    /// A word or text.
    Text(&'static str),
    /// A list of numbers.
    Reals(&'static [f64]),
    /// A list of words.
    Texts(&'static [&'static str]),
}

/// What a parameter is set to.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A whole number.
    Integer(i64),
    /// A number; always finite in a [`Setting`](super::Setting).
    Real(f64),
    /// `true` or `false`.
    Flag(bool),
    /// A word or text.
    Text(String),
    /// A list of numbers.
    Reals(Vec<f64>),
    /// A list of words.
    Texts(Vec<String>),
}

impl Parameter {
    /// A whole number from `least` to `most`.
    #[must_use]
    pub const fn integer(
        key: &'static str,
        default: i64,
        least: i64,
        most: i64,
        about: &'static str,
    ) -> Self {
        Self { key, kind: Kind::Integer(least, most), default: Usual::Integer(default), about }
    }

    /// A number from `least` to `most`.
    #[must_use]
    pub const fn real(key: &'static str, default: f64, least: f64, most: f64, about: &'static str) -> Self {
        Self { key, kind: Kind::Real(least, most), default: Usual::Real(default), about }
    }

    /// `true` or `false`.
    #[must_use]
    pub const fn flag(key: &'static str, default: bool, about: &'static str) -> Self {
        Self { key, kind: Kind::Flag, default: Usual::Flag(default), about }
    }

    /// One of `words`.
    #[must_use]
    pub const fn choice(
        key: &'static str,
        default: &'static str,
        words: &'static [&'static str],
        about: &'static str,
    ) -> Self {
        Self { key, kind: Kind::Choice(Cow::Borrowed(words)), default: Usual::Text(default), about }
    }

    /// One of `words`, which a registry knows and no constant.
    #[must_use]
    pub const fn named(
        key: &'static str,
        default: &'static str,
        words: Vec<&'static str>,
        about: &'static str,
    ) -> Self {
        Self { key, kind: Kind::Choice(Cow::Owned(words)), default: Usual::Text(default), about }
    }

    /// Any text.
    #[must_use]
    pub const fn text(key: &'static str, default: &'static str, about: &'static str) -> Self {
        Self { key, kind: Kind::Text, default: Usual::Text(default), about }
    }

    /// A list of numbers, each from `least` to `most`.
    #[must_use]
    pub const fn reals(
        key: &'static str,
        default: &'static [f64],
        least: f64,
        most: f64,
        about: &'static str,
    ) -> Self {
        Self { key, kind: Kind::Reals(least, most), default: Usual::Reals(default), about }
    }

    /// A list of `words`.
    #[must_use]
    pub const fn choices(
        key: &'static str,
        default: &'static [&'static str],
        words: &'static [&'static str],
        about: &'static str,
    ) -> Self {
        Self { key, kind: Kind::Choices(Cow::Borrowed(words)), default: Usual::Texts(default), about }
    }

    /// `value` as this parameter takes it: a whole number where a number is wanted becomes one.
    ///
    /// # Errors
    /// What was expected, as the end of a sentence.
    pub fn accept(&self, value: Value) -> Result<Value, String> {
        let value = match (&self.kind, value) {
            (Kind::Real(..), Value::Integer(whole)) => Value::Real(real(whole)),
            (Kind::Choices(_), Value::Reals(reals)) if reals.is_empty() => Value::Texts(Vec::new()),
            (_, value) => value,
        };
        let fits = match (&self.kind, &value) {
            (Kind::Integer(least, most), Value::Integer(given)) => (least..=most).contains(&given),
            (Kind::Real(least, most), Value::Real(given)) => (least..=most).contains(&given),
            (Kind::Flag, Value::Flag(_)) | (Kind::Text, Value::Text(_)) => true,
            (Kind::Choice(words), Value::Text(given)) => words.contains(&given.as_str()),
            (Kind::Reals(least, most), Value::Reals(given)) => {
                given.iter().all(|given| (least..=most).contains(&given))
            }
            (Kind::Choices(words), Value::Texts(given)) => {
                given.iter().all(|given| words.contains(&given.as_str()))
            }
            _ => false,
        };
        if fits { Ok(value) } else { Err(format!("expected {}, and not {value}", self.kind)) }
    }
}

impl Usual {
    /// The same as a value.
    #[must_use]
    pub fn value(self) -> Value {
        match self {
            Self::Integer(whole) => Value::Integer(whole),
            Self::Real(real) => Value::Real(real),
            Self::Flag(flag) => Value::Flag(flag),
            Self::Text(text) => Value::Text(text.into()),
            Self::Reals(reals) => Value::Reals(reals.into()),
            Self::Texts(texts) => Value::Texts(texts.iter().map(ToString::to_string).collect()),
        }
    }
}

impl Value {
    /// The value as a number, where it is one: what an axis of a plot shows.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Integer(whole) => Some(real(*whole)),
            Self::Real(real) => Some(*real),
            Self::Flag(_) | Self::Text(_) | Self::Reals(_) | Self::Texts(_) => None,
        }
    }

    /// As people and tables have it: a text without its quotes.
    #[must_use]
    pub fn plain(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            other => other.to_string(),
        }
    }
}

/// As a number, exact up to 2^53.
#[expect(clippy::cast_precision_loss, reason = "whole numbers above 2^53 are no counts of anything here")]
const fn real(whole: i64) -> f64 {
    whole as f64
}

impl fmt::Display for Kind {
    /// What is expected, as the end of a sentence.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(least, i64::MAX) => write!(out, "a whole number of at least {least}"),
            Self::Integer(least, most) => write!(out, "a whole number from {least} to {most}"),
            Self::Real(least, most) if *most >= f64::MAX => write!(out, "a number of at least {least}"),
            Self::Real(least, most) => write!(out, "a number from {least} to {most}"),
            Self::Flag => out.write_str("`true` or `false`"),
            Self::Choice(words) => write!(out, "one of {}", quoted(words)),
            Self::Text => out.write_str("a text"),
            Self::Reals(least, most) => write!(out, "a list of numbers from {least} to {most}"),
            Self::Choices(words) => write!(out, "a list of {}", quoted(words)),
        }
    }
}

fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for Value {
    /// The one form that a value has in results and in the seeds of runs; it is also valid TOML.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(whole) => write!(out, "{whole}"),
            Self::Real(real) => write!(out, "{real:?}"),
            Self::Flag(flag) => write!(out, "{flag}"),
            Self::Text(text) => write!(out, "{}", toml::Value::from(text.as_str())),
            Self::Reals(reals) => write!(out, "{reals:?}"),
            Self::Texts(texts) => write!(out, "{}", toml::Value::from(texts.clone())),
        }
    }
}
