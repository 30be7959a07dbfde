//! Reads texts and attributes with their variables replaced, and notes what is wrong with them where they
//! stand.

use super::fault::FaultKind;
use super::hint::shortened;
use super::notes::Notes;
use super::value::{self, Wrong};
use super::variable::{self, Scope};
use super::warning::WarningKind;
use roxmltree::{Attribute, Node};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// What XML counts as spaces.
pub(super) const SPACES: [char; 4] = [' ', '\t', '\r', '\n'];

/// The first child of each name.
pub(super) type Parts<'a, 'input> = BTreeMap<&'input str, Node<'a, 'input>>;

/// The elements that stand in an element, by name.
pub(super) fn parts<'a, 'input>(node: Node<'a, 'input>) -> Parts<'a, 'input> {
    let mut parts = Parts::new();
    for inner in node.children().filter(Node::is_element) {
        parts.entry(inner.tag_name().name()).or_insert(inner);
    }
    parts
}

/// All the text of an element, comments left out.
pub(super) fn text_of<'a>(node: Node<'a, '_>) -> Cow<'a, str> {
    let mut texts = node.children().filter_map(|inner| if inner.is_text() { inner.text() } else { None });
    let first = Cow::Borrowed(texts.next().unwrap_or_default());
    texts.fold(first, |text, more| text + more)
}

/// `text` without the spaces around it.
pub(super) fn trimmed(text: &str) -> &str {
    text.trim_matches(SPACES)
}

/// Where the text of an element begins, spaces skipped; the element itself where it has none.
pub(super) fn place_of(node: Node<'_, '_>) -> usize {
    let said =
        |inner: &Node<'_, '_>| inner.is_text() && !trimmed(inner.text().unwrap_or_default()).is_empty();
    node.children().find(said).map_or(node.range().start, first_letter)
}

/// Where a piece of text begins, spaces skipped.
pub(super) fn first_letter(text: Node<'_, '_>) -> usize {
    let written = text.document().input_text().get(text.range()).unwrap_or_default();
    let spaces = written.len() - written.trim_start_matches(SPACES).len();
    text.range().start + spaces
}

/// Reads with the variables of one scope.
pub(super) struct Reader<'a> {
    /// The variables.
    pub(super) scope: &'a Scope<'a>,
    /// Where faults go.
    pub(super) notes: &'a mut Notes,
}

impl Reader<'_> {
    /// The text of an element, spaces kept; `None` where a variable has no value.
    pub(super) fn exact(&mut self, node: Node<'_, '_>, name: &'static str) -> Option<String> {
        let place = Some(place_of(node));
        variable::replace(name, &text_of(node), self.scope, |kind| self.notes.fault(place, kind))
    }

    /// What the text of an element means; `None` where that cannot be said, which has been noted.
    pub(super) fn value<T>(
        &mut self,
        node: Node<'_, '_>,
        name: &'static str,
        read: impl FnOnce(&str) -> Result<T, Wrong>,
    ) -> Option<T> {
        let text = self.exact(node, name)?;
        self.judge(trimmed(&text), name, place_of(node), read)
    }

    /// What the text of an element means; `None` where that cannot be said, which somebody else notes.
    pub(super) fn quiet<T>(
        &mut self,
        node: Node<'_, '_>,
        name: &'static str,
        read: impl FnOnce(&str) -> Result<T, Wrong>,
    ) -> Option<T> {
        let text = variable::replace(name, &text_of(node), self.scope, |_| {})?;
        read(trimmed(&text)).ok()
    }

    /// What the text of the element `name` means, where there is one.
    pub(super) fn child<T>(
        &mut self,
        parts: &Parts<'_, '_>,
        name: &'static str,
        read: impl FnOnce(&str) -> Result<T, Wrong>,
    ) -> Option<T> {
        self.value(*parts.get(name)?, name, read)
    }

    /// What an attribute means; `None` where that cannot be said, which has been noted.
    pub(super) fn attribute<T>(
        &mut self,
        given: Attribute<'_, '_>,
        name: &'static str,
        read: impl FnOnce(&str) -> Result<T, Wrong>,
    ) -> Option<T> {
        let place = given.range_value().start;
        let text =
            variable::replace(name, given.value(), self.scope, |kind| self.notes.fault(Some(place), kind))?;
        self.judge(trimmed(&text), name, place, read)
    }

    /// What an attribute without variables means; `None` where that cannot be said, which has been noted.
    pub(super) fn plain_attribute<T>(
        &mut self,
        given: Attribute<'_, '_>,
        name: &'static str,
        read: impl FnOnce(&str) -> Result<T, Wrong>,
    ) -> Option<T> {
        self.judge(given.value(), name, given.range_value().start, read)
    }

    /// The entries of the list `list`, as `read` reads them; warns where its `Count` says another number.
    pub(super) fn list<T>(
        &mut self,
        parts: &Parts<'_, '_>,
        list: &'static str,
        entry: &'static str,
        mut read: impl FnMut(&mut Self, Node<'_, '_>) -> Option<T>,
    ) -> Vec<T> {
        let Some(node) = parts.get(list) else { return Vec::new() };
        let entries: Vec<_> = node.children().filter(|inner| inner.has_tag_name(entry)).collect();
        if let Some(counted) = node.children().find(|inner| inner.has_tag_name("Count")) {
            let number = u64::try_from(entries.len()).unwrap_or(u64::MAX);
            if let Some(count) = self.value(counted, "Count", value::count).filter(|count| *count != number) {
                let kind = WarningKind::CountDiffers { list, entry, count, entries: number };
                self.notes.warn(Some(place_of(counted)), kind);
            }
        }
        entries.into_iter().filter_map(|inner| read(self, inner)).collect()
    }

    fn judge<T>(
        &mut self,
        text: &str,
        name: &'static str,
        place: usize,
        read: impl FnOnce(&str) -> Result<T, Wrong>,
    ) -> Option<T> {
        let wrong = match read(text) {
            Ok(value) => return Some(value),
            Err(wrong) => wrong,
        };
        let text = shortened(text);
        let kind = match wrong {
            Wrong::Expected(expected) => FaultKind::Value { name, text, expected },
            Wrong::AtMost(most) => FaultKind::TooLarge { name, text, most },
            Wrong::Path(problem) => FaultKind::Path { name, text, problem },
            Wrong::Fault(kind) => kind,
        };
        self.notes.fault(Some(place), kind);
        None
    }
}
