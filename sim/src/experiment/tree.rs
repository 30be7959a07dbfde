//! A TOML text as a tree that knows its places.

use super::Fault;
use super::parameter::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// The position of the key that it belongs to, or its own in a list; in bytes.
    pub(super) at: usize,
    pub(super) tree: Tree,
}

/// What stands there.
#[derive(Clone, Debug)]
pub(super) enum Tree {
    Value(Value),
    List(Vec<Node>),
    Table(Vec<(String, Node)>),
    /// A date, or a number that does not fit: as it is written.
    Other(String),
}

/// The tree of `text`, or what keeps it from being TOML.
pub(super) fn parse(text: &str) -> Result<Vec<(String, Node)>, Problem> {
    match DeTable::parse(text) {
        Ok(root) => Ok(table(root.get_ref())),
        Err(error) => {
            let at = error.span().map_or(0, |span| span.start);
            Err(Problem { at, message: format!("this is not TOML: {}", error.message()) })
        }
    }
}

/// Something wrong at a position in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) at: usize,
    pub(super) message: String,
}

/// The problems with their lines and columns, in the order of the file.
pub(super) fn faults(text: &str, mut problems: Vec<Problem>) -> Vec<Fault> {
    problems.sort_by_key(|problem| problem.at);
    let fault = |Problem { at, message }: Problem| {
        let before = text.get(..text.floor_char_boundary(at)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        let number = |number| u32::try_from(number).unwrap_or(u32::MAX);
        Fault { line: number(line), column: number(column), message }
    };
    problems.into_iter().map(fault).collect()
}

fn table(table: &DeTable<'_>) -> Vec<(String, Node)> {
    let entry = |(key, value): (&Spanned<toml::de::DeString<'_>>, &Spanned<DeValue<'_>>)| {
        let text: &str = key.get_ref();
        (text.to_owned(), Node { at: key.span().start, tree: tree(value.get_ref()) })
    };
    table.iter().map(entry).collect()
}

fn tree(value: &DeValue<'_>) -> Tree {
    match value {
        DeValue::String(text) => Tree::Value(Value::Text(text.to_string())),
        DeValue::Boolean(flag) => Tree::Value(Value::Flag(*flag)),
        DeValue::Integer(whole) => match i64::from_str_radix(whole.as_str(), whole.radix()) {
            Ok(whole) => Tree::Value(Value::Integer(whole)),
            Err(_) => Tree::Other(whole.to_string()),
        },
        DeValue::Float(real) => match real.as_str().parse::<f64>() {
            Ok(real) if real.is_finite() => Tree::Value(Value::Real(real)),
            _ => Tree::Other(real.as_str().to_owned()),
        },
        DeValue::Datetime(moment) => Tree::Other(moment.to_string()),
        DeValue::Array(list) => {
            let node =
                |value: &Spanned<DeValue<'_>>| Node { at: value.span().start, tree: tree(value.get_ref()) };
            Tree::List(list.iter().map(node).collect())
        }
        DeValue::Table(inner) => Tree::Table(table(inner)),
    }
}

impl Node {
    /// The value that stands here; a list of numbers or of texts is one too.
    pub(super) fn value(&self) -> Result<Value, String> {
        match &self.tree {
            Tree::Value(value) => Ok(value.clone()),
            Tree::Other(text) => Err(format!("expected a value, and not `{text}`")),
            Tree::Table(_) => Err("expected a value, and not a table".into()),
            Tree::List(nodes) => {
                let values = nodes.iter().map(Self::value).collect::<Result<Vec<_>, _>>()?;
                let reals: Option<Vec<f64>> = values.iter().map(Value::number).collect();
                let text = |value: &Value| match value {
                    Value::Text(text) => Some(text.clone()),
                    _ => None,
                };
                let texts: Option<Vec<String>> = values.iter().map(text).collect();
                match (reals, texts) {
                    (Some(reals), _) => Ok(Value::Reals(reals)),
                    (None, Some(texts)) => Ok(Value::Texts(texts)),
                    (None, None) => Err("expected a list of numbers, or one of texts".into()),
                }
            }
        }
    }

    /// As it can be written after `--set KEY=`.
    pub(super) fn text(&self) -> String {
        match &self.tree {
            Tree::Value(value) => value.to_string(),
            Tree::Other(text) => text.clone(),
            Tree::List(nodes) => {
                format!("[{}]", nodes.iter().map(Self::text).collect::<Vec<_>>().join(", "))
            }
            Tree::Table(entries) => {
                let entries = entries.iter().map(|(key, node)| format!("{key} = {}", node.text()));
                format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
            }
        }
    }
}
