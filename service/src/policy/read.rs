//! From the tables of the file to a policy.

use super::fault::{FaultKind, shown};
use super::hint::{hint, shortened};
use super::item::{Item, Outcome};
use super::keys::{CLOSED, SCHEDULE, Section, TOP};
use super::{Opening, Policy, Problem};
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

const SECTION: &str = "a section, such as `[cpu]`";
const OPENINGS: &str = "sections in double brackets, `[[schedule]]`";

/// The policy that a file describes, and everything that is wrong with it.
pub(super) fn policy(root: &DeTable<'_>) -> (Policy, Vec<Problem>) {
    let mut policy = Policy::default();
    let mut problems = Vec::new();
    for (key, value) in root {
        let closed = CLOSED.iter().find(|section| section.name == key.get_ref());
        let outcome = match (closed, value.get_ref()) {
            (Some(section), DeValue::Table(table)) if !table.is_empty() => {
                entries(section, &mut policy, table)
            }
            (Some(section), _) => Err(vec![not_offered(key, format!("`{}`", shown(section.name)))]),
            (None, _) => entry(&TOP, &mut policy, key, value),
        };
        problems.extend(outcome.err().unwrap_or_default());
    }
    (policy, problems)
}

/// Reads a section into `target`.
pub(super) fn section<T>(section: &Section<T>, target: &mut T, item: Item<'_>) -> Outcome<()> {
    let table = item.table().ok_or_else(|| item.wrong(SECTION))?;
    entries(section, target, table)
}

/// Reads all `[[schedule]]`.
pub(super) fn openings(item: Item<'_>) -> Outcome<Vec<Opening>> {
    item.each(OPENINGS, |item| {
        let table = item.table().ok_or_else(|| item.wrong(OPENINGS))?;
        let mut opening = Opening::default();
        entries(&SCHEDULE, &mut opening, table).map(|()| opening)
    })
}

fn entries<T>(section: &Section<T>, target: &mut T, table: &DeTable<'_>) -> Outcome<()> {
    let mut problems = Vec::new();
    for (key, value) in table {
        problems.extend(entry(section, target, key, value).err().unwrap_or_default());
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

fn entry<T>(
    section: &Section<T>,
    target: &mut T,
    key: &Spanned<DeString<'_>>,
    value: &Spanned<DeValue<'_>>,
) -> Outcome<()> {
    let text: &str = key.get_ref();
    let full = if section.name.is_empty() { text.to_owned() } else { format!("{}.{text}", section.name) };
    if let Some(known) = section.keys.iter().find(|known| known.name == text) {
        return (known.set)(target, Item { name: &full, value });
    }
    if section.reserved.contains(&text) {
        return Err(vec![not_offered(key, format!("`{full}`"))]);
    }
    let keys = section.keys.iter().map(|known| known.name);
    let kind = FaultKind::UnknownKey {
        key: shortened(text),
        section: section.name,
        hint: hint(text, section),
        allowed: if section.keys.is_empty() { section.reserved.to_vec() } else { keys.collect() },
    };
    Err(vec![Problem { at: Some(key.span().start), kind }])
}

fn not_offered(key: &Spanned<DeString<'_>>, what: String) -> Problem {
    Problem { at: Some(key.span().start), kind: FaultKind::NotOffered { what } }
}
