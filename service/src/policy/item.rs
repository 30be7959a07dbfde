//! One value of the file with the key that it belongs to.

use super::Problem;
use super::fault::FaultKind;
use super::hint::shortened;
use super::text::quoted;
use std::borrow::Cow;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What a value means, or everything that is wrong with it.
pub(super) type Outcome<T> = Result<T, Vec<Problem>>;

/// A value with its place, and the key with its section, for messages.
#[derive(Clone, Copy)]
pub(super) struct Item<'a> {
    /// The key with its section: `cpu.max_cores`.
    pub(super) name: &'a str,
    /// The value.
    pub(super) value: &'a Spanned<DeValue<'a>>,
}

impl<'a> Item<'a> {
    /// That this is not a value of its key.
    pub(super) fn wrong(self, expected: &'static str) -> Vec<Problem> {
        let kind = FaultKind::Value { name: self.name.to_owned(), found: self.shown(), expected };
        self.problem(kind)
    }

    /// That this value has no effect yet.
    pub(super) fn not_offered(self) -> Vec<Problem> {
        let what = format!("{} for `{}`", self.shown(), self.name);
        self.problem(FaultKind::NotOffered { what })
    }

    /// That something is wrong with this value.
    pub(super) fn problem(self, kind: FaultKind) -> Vec<Problem> {
        vec![Problem { at: Some(self.value.span().start), kind }]
    }

    /// The value in a message.
    fn shown(self) -> String {
        match self.value.get_ref() {
            DeValue::String(text) => format!("`\"{}\"`", shortened(text)),
            DeValue::Integer(number) => format!("`{}`", shortened(&number.to_string())),
            DeValue::Float(number) => format!("`{}`", shortened(number.as_str())),
            DeValue::Boolean(flag) => format!("`{flag}`"),
            DeValue::Datetime(moment) => format!("`{moment}`"),
            DeValue::Array(list) if list.is_empty() => "an empty list".to_owned(),
            DeValue::Array(_) => "a list".to_owned(),
            DeValue::Table(_) => "a section".to_owned(),
        }
    }

    /// The text, if it is one.
    pub(super) fn text(self) -> Option<&'a str> {
        self.value.get_ref().as_str()
    }

    /// The whole number, if it is one and not negative.
    pub(super) fn whole(self) -> Option<u64> {
        let number = self.value.get_ref().as_integer()?;
        u64::from_str_radix(number.as_str(), number.radix()).ok()
    }

    /// The text, or a number as it is written, in decimal digits.
    pub(super) fn written(self) -> Option<Cow<'a, str>> {
        match self.value.get_ref() {
            DeValue::String(text) => Some(Cow::Borrowed(text)),
            DeValue::Float(number) => {
                let text = number.as_str();
                Some(Cow::Borrowed(text.strip_prefix('+').unwrap_or(text)))
            }
            _ => self.whole().map(|number| Cow::Owned(number.to_string())),
        }
    }

    /// The value as it is written in a file, if it is a flag, a number or a text.
    pub(super) fn scalar(self) -> Option<String> {
        match self.value.get_ref() {
            DeValue::String(text) => Some(quoted(text)),
            DeValue::Boolean(flag) => Some(flag.to_string()),
            _ => self.written().map(Cow::into_owned),
        }
    }

    /// The section, if it is one.
    pub(super) fn table(self) -> Option<&'a DeTable<'a>> {
        self.value.get_ref().as_table()
    }

    /// Every entry of a list.
    pub(super) fn each<T>(
        self,
        expected: &'static str,
        read: impl Fn(Item<'a>) -> Outcome<T>,
    ) -> Outcome<Vec<T>> {
        let list = self.value.get_ref().as_array().ok_or_else(|| self.wrong(expected))?;
        let mut entries = Vec::new();
        let mut problems = Vec::new();
        for value in list {
            match read(Item { name: self.name, value }) {
                Ok(entry) => entries.push(entry),
                Err(more) => problems.extend(more),
            }
        }
        if problems.is_empty() { Ok(entries) } else { Err(problems) }
    }
}
