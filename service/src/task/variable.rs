//! Variables: which names a text mentions, and the text with their values in place.

use super::MAX_TEXT;
use super::fault::FaultKind;
use super::hint::{closest, shortened};
use super::notes::Notes;
use super::warning::WarningKind;
use roxmltree::Node;
use std::collections::{BTreeMap, BTreeSet};

/// The longest name of a variable in bytes.
const MAX_NAME: usize = 64;

/// What a variable must be called, for messages.
pub(super) const NAME_EXPECTED: &str =
    "a name of at most 64 letters, digits and `_` that does not begin with a digit";

/// The variables that a text can use.
pub(super) struct Scope<'a> {
    /// What the caller set.
    pub(super) set: &'a BTreeMap<String, String>,
    /// The texts of files whose lines sweeps go over, by their paths.
    pub(super) lines: &'a BTreeMap<String, String>,
    /// The point of the sweep; `None` for a variable whose values could not be read.
    pub(super) point: Vec<(&'a str, Option<String>)>,
}

/// What a text is made of.
#[derive(Debug, PartialEq, Eq)]
enum Piece<'a> {
    Plain(&'a str),
    Variable(&'a str),
    /// A `${` without an end.
    Open(&'a str),
}

/// Whether a variable can have this name.
pub(super) fn is_name(text: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.len() <= MAX_NAME
        && text.bytes().all(legal)
        && text.bytes().next().is_some_and(|b| !b.is_ascii_digit())
}

/// `text` with its variables replaced. `None` where that is not possible: either `wrong` has been told why,
/// or a value is unknown because of a fault that was told before.
pub(super) fn replace(
    name: &str,
    text: &str,
    scope: &Scope<'_>,
    mut wrong: impl FnMut(FaultKind),
) -> Option<String> {
    let mut out = Some(String::with_capacity(text.len()));
    for piece in Pieces(text) {
        let value = match piece {
            Piece::Plain(plain) => Some(plain),
            Piece::Variable(variable) if is_name(variable) => scope.value(variable, &mut wrong),
            Piece::Variable(_) | Piece::Open(_) => {
                let whole = match piece {
                    Piece::Variable(variable) => format!("${{{variable}}}"),
                    Piece::Plain(text) | Piece::Open(text) => text.to_owned(),
                };
                wrong(FaultKind::BadReference { text: shortened(&whole) });
                None
            }
        };
        match (&mut out, value) {
            (Some(so_far), Some(value)) => so_far.push_str(value),
            (_, None) => out = None,
            (None, _) => {}
        }
        let bytes = out.as_ref().map_or(0, String::len);
        if bytes > MAX_TEXT {
            if text.len() <= MAX_TEXT {
                wrong(FaultKind::TextTooLong { name: name.to_owned(), bytes, most: MAX_TEXT });
            }
            return None;
        }
    }
    out
}

impl Scope<'_> {
    fn value(&self, name: &str, wrong: &mut impl FnMut(FaultKind)) -> Option<&str> {
        if let Some((_, value)) = self.point.iter().find(|(swept, _)| *swept == name) {
            return value.as_deref();
        }
        let value = self.set.get(name);
        if value.is_none() {
            let known = self.point.iter().map(|(name, _)| *name).chain(self.set.keys().map(String::as_str));
            let hint = closest(name, known).map(str::to_owned);
            wrong(FaultKind::UndefinedVariable { name: name.to_owned(), hint });
        }
        value.map(String::as_str)
    }
}

/// The variables that an element mentions, in its texts and attributes and those of the elements in it.
pub(super) fn mentioned<'a>(node: Node<'a, '_>) -> BTreeSet<&'a str> {
    let texts = node.descendants().filter(Node::is_text).filter_map(|text| text.text());
    let attributes =
        node.descendants().flat_map(|inner| inner.attributes()).map(|attribute| attribute.value());
    let pieces = texts.chain(attributes).filter(|text| text.contains("${")).flat_map(Pieces);
    pieces.filter_map(|piece| if let Piece::Variable(name) = piece { Some(name) } else { None }).collect()
}

/// Looks at what the caller set: names, values, and whether the file uses them.
pub(super) fn check_set(set: &BTreeMap<String, String>, root: Node<'_, '_>, notes: &mut Notes) {
    if set.is_empty() {
        return;
    }
    let mentioned = mentioned(root);
    for (name, value) in set {
        if !is_name(name) {
            let text = shortened(name);
            notes.fault(None, FaultKind::Value { name: "--set", text, expected: NAME_EXPECTED });
        } else if value.len() > MAX_TEXT {
            let kind = FaultKind::TextTooLong { name: name.to_owned(), bytes: value.len(), most: MAX_TEXT };
            notes.fault(None, kind);
        } else if value.contains('\0') {
            let expected = "a text without the character U+0000";
            notes.fault(None, FaultKind::Value { name: "--set", text: shortened(value), expected });
        } else if !mentioned.contains(name.as_str()) {
            notes.warn(None, WarningKind::UnusedSet { name: name.to_owned() });
        }
    }
}

/// Goes over the pieces of a text.
struct Pieces<'a>(&'a str);

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        let text = self.0;
        if text.is_empty() {
            return None;
        }
        let (end, piece): (usize, fn(&'a str) -> Piece<'a>) = match text.find("${") {
            _ if text.starts_with("$${") => return self.escaped(),
            None => (text.len(), Piece::Plain),
            Some(0) => match text.find('}') {
                None => (text.len(), Piece::Open),
                Some(end) => (end + 1, variable),
            },
            Some(at) if text.get(..at).is_some_and(|before| before.ends_with('$')) => (at - 1, Piece::Plain),
            Some(at) => (at, Piece::Plain),
        };
        let (head, rest) = text.split_at_checked(end)?;
        self.0 = rest;
        Some(piece(head))
    }
}

impl<'a> Pieces<'a> {
    /// The plain `${` that `$${` stands for.
    fn escaped(&mut self) -> Option<Piece<'a>> {
        let (_, after) = self.0.split_at_checked(1)?;
        let (plain, rest) = after.split_at_checked(2)?;
        self.0 = rest;
        Some(Piece::Plain(plain))
    }
}

/// The name in `${name}`.
fn variable(text: &str) -> Piece<'_> {
    Piece::Variable(text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')).unwrap_or(text))
}
