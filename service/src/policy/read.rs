//! From the tables of the file to a policy.

use super::fault::FaultKind;
use super::hint::{hint, shortened};
use super::item::{Item, Outcome};
use super::keys::{SCHEDULE, SECTIONS, Section, TOP};
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
        let text: &str = key.get_ref();
        let section = SECTIONS.iter().find(|section| section.name == text && !text.is_empty());
        let outcome = match section {
            Some(section) => self::section(section, &mut policy, Item { name: text, value }),
            None => entry(&TOP, &mut policy, key, value),
        };
        problems.extend(outcome.err().unwrap_or_default());
    }
    if problems.is_empty() {
        problems = contradictions(root, &policy);
    }
    (policy, problems)
}

/// Reads a section into `target`.
fn section<T>(section: &Section<T>, target: &mut T, item: Item<'_>) -> Outcome<()> {
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

/// Reads the entries of a section into `target`.
pub(super) fn entries<T>(section: &Section<T>, target: &mut T, table: &DeTable<'_>) -> Outcome<()> {
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
        let kind = FaultKind::NotOffered { what: format!("`{full}`") };
        return Err(vec![Problem { at: Some(key.span().start), kind }]);
    }
    Err(unknown(section, key, text))
}

/// That `section` has no key `name`, which stands at `place`.
pub(super) fn unknown<T>(section: &Section<T>, place: &Spanned<DeString<'_>>, name: &str) -> Vec<Problem> {
    let sections = SECTIONS.iter().map(|known| known.name).filter(|known| !known.is_empty());
    let sections: Vec<&str> = if section.name.is_empty() { sections.collect() } else { Vec::new() };
    let allowed: Vec<&str> = section.keys.iter().map(|known| known.name).chain(sections).collect();
    let kind = FaultKind::UnknownKey {
        key: shortened(name),
        section: section.name,
        hint: hint(name, section.name, &allowed),
        allowed,
    };
    vec![Problem { at: Some(place.span().start), kind }]
}

/// Values that are in their ranges, but not together.
fn contradictions(root: &DeTable<'_>, policy: &Policy) -> Vec<Problem> {
    let (power, model) = (&policy.power, &policy.cost_model);
    let find = |key: &str| {
        let (section, name) = key.split_once('.')?;
        root.get(section)?.get_ref().as_table()?.get(name)
    };
    let is_warmer =
        power.resume_cpu_temp_c.zip(power.max_cpu_temp_c).is_some_and(|(resume, max)| resume >= max);
    let table = [
        (is_warmer, "power.resume_cpu_temp_c", "less than `power.max_cpu_temp_c`"),
        (
            power.resume_cpu_temp_c.is_some() && power.max_cpu_temp_c.is_none(),
            "power.resume_cpu_temp_c",
            "`power.max_cpu_temp_c` beside it",
        ),
        (
            model.idle_watts > model.busy_watts && find("market.idle_watts").is_some(),
            "market.idle_watts",
            "not more than `market.busy_watts`, which is 65 if not given",
        ),
        (
            model.idle_watts > model.busy_watts && find("market.idle_watts").is_none(),
            "market.busy_watts",
            "not less than `market.idle_watts`, which is 20 if not given",
        ),
    ];
    let wrong = |(_, key, expected): (bool, &'static str, &'static str)| {
        Some(Item { name: key, value: find(key)? }.wrong(expected))
    };
    table.into_iter().filter(|(is_wrong, ..)| *is_wrong).filter_map(wrong).flatten().collect()
}
