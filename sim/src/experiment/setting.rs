//! The values that a model runs with.

use super::Model;
use super::parameter::{Parameter, Usual, Value};
use std::collections::BTreeMap;

/// A value for each parameter of a model: those that were given, the defaults for the others.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    values: BTreeMap<&'static str, Value>,
}

/// Why a setting is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{key}`: {why}")]
pub struct SettingError {
    /// Of which parameter.
    pub key: String,
    /// What is wrong and what was expected.
    pub why: String,
}

impl SettingError {
    /// `key` is wrong because of `why`.
    #[must_use]
    pub fn new(key: impl Into<String>, why: impl Into<String>) -> Self {
        Self { key: key.into(), why: why.into() }
    }
}

impl Setting {
    /// The values of `given`, each checked against its parameter, and the defaults of `model`; then what the model
    /// itself says of them.
    ///
    /// # Errors
    /// The first key that is unknown, with the nearest that is known, or the first value that is not allowed.
    pub fn new<K: AsRef<str>>(
        model: &dyn Model,
        given: impl IntoIterator<Item = (K, Value)>,
    ) -> Result<Self, SettingError> {
        let parameters = model.parameters();
        let mut setting = Self::unchecked(&parameters, given)?;
        for parameter in parameters {
            setting.values.entry(parameter.key).or_insert_with(|| parameter.default.value());
        }
        model.check(&setting)?;
        Ok(setting)
    }

    /// Those of `given` alone, each checked against its parameter.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub(super) fn unchecked<K: AsRef<str>>(
        parameters: &[Parameter],
        given: impl IntoIterator<Item = (K, Value)>,
    ) -> Result<Self, SettingError> {
        let mut values = BTreeMap::new();
        for (key, value) in given {
            let key = key.as_ref();
            let Some(parameter) = parameters.iter().find(|parameter| parameter.key == key) else {
                return Err(SettingError::new(key, unknown(key, parameters.iter().map(|known| known.key))));
            };
            let value = parameter.accept(value).map_err(|why| SettingError::new(key, why))?;
            values.insert(parameter.key, value);
        }
        Ok(Self { values })
    }

    /// Every value, in the order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        self.values.iter().map(|(key, value)| (*key, value))
    }

    /// Every value that is not the default of `model`, in the order of the keys.
    pub fn unusual(&self, model: &dyn Model) -> impl Iterator<Item = (&'static str, &Value)> {
        let parameters = model.parameters();
        self.iter().filter(move |(key, value)| {
            let known = parameters.iter().find(|known| known.key == *key);
            known.is_none_or(|known| known.default.value() != **value)
        })
    }

    /// The same with another value, which has to be one that the parameter takes.
    pub(crate) fn with(mut self, parameter: &Parameter, value: Value) -> Self {
        self.values.insert(parameter.key, value);
        self
    }

    /// The value of `key`, if there is such a parameter.
    #[must_use]
    pub fn value(&self, key: &str) -> Option<&Value> {
        self.values.get(key)
    }

    /// A whole number; that of `parameter` by default, 0 where it is none.
    #[must_use]
    pub fn integer(&self, parameter: &Parameter) -> i64 {
        match (self.values.get(parameter.key), parameter.default) {
            (Some(Value::Integer(whole)), _) => *whole,
            (_, Usual::Integer(whole)) => whole,
            _ => 0,
        }
    }

    /// A whole number that is not negative.
    #[must_use]
    pub fn count(&self, parameter: &Parameter) -> u64 {
        u64::try_from(self.integer(parameter)).unwrap_or(0)
    }

    /// A number.
    #[must_use]
    pub fn real(&self, parameter: &Parameter) -> f64 {
        match (self.values.get(parameter.key), parameter.default) {
            (Some(Value::Real(real)), _) => *real,
            (_, Usual::Real(real)) => real,
            _ => 0.0,
        }
    }

    /// Whether it is `true`.
    #[must_use]
    pub fn flag(&self, parameter: &Parameter) -> bool {
        match (self.values.get(parameter.key), parameter.default) {
            (Some(Value::Flag(flag)), _) => *flag,
            (_, Usual::Flag(flag)) => flag,
            _ => false,
        }
    }

    /// A word or a text.
    #[must_use]
    pub fn text(&self, parameter: &Parameter) -> &str {
        match (self.values.get(parameter.key), parameter.default) {
            (Some(Value::Text(text)), _) => text,
            (_, Usual::Text(text)) => text,
            _ => "",
        }
    }

    /// A list of numbers.
    #[must_use]
    pub fn reals(&self, parameter: &Parameter) -> &[f64] {
        match (self.values.get(parameter.key), parameter.default) {
            (Some(Value::Reals(reals)), _) => reals,
            (_, Usual::Reals(reals)) => reals,
            _ => &[],
        }
    }

    /// A list of words.
    #[must_use]
    pub fn texts(&self, parameter: &Parameter) -> Vec<&str> {
        match (self.values.get(parameter.key), parameter.default) {
            (Some(Value::Texts(texts)), _) => texts.iter().map(String::as_str).collect(),
            (_, Usual::Texts(texts)) => texts.to_vec(),
            _ => Vec::new(),
        }
    }
}

/// That there is no `key`, with the nearest of those that there are.
pub(super) fn unknown<'a>(key: &str, known: impl Iterator<Item = &'a str>) -> String {
    let distance = |name: &str| strsim::damerau_levenshtein(name, key);
    // A key without its table, or in another one, is near by its last part.
    let last = |name: &str| {
        name.rsplit('.').next().unwrap_or_default() == key.rsplit('.').next().unwrap_or_default()
    };
    let known: Vec<&str> = known.collect();
    let same = known.iter().find(|name| last(name));
    match same.or_else(|| known.iter().min_by_key(|name| distance(name))) {
        Some(nearest) => format!("there is no such key; the nearest is `{nearest}`"),
        None => "there is no such key, and there are no others".into(),
    }
}
