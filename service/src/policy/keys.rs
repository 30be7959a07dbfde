//! Which keys there are, what each one sets, and how it is written again.

mod machine;
mod work;

use super::item::{Item, Outcome};
use super::rule::{self, Draft};
use super::{Opening, Policy, quantity as q, read, schedule, text};

/// A key and how its value goes into a `T`.
pub(super) struct Key<T: 'static> {
    /// The key.
    pub(super) name: &'static str,
    /// Reads the value.
    pub(super) set: fn(&mut T, Item<'_>) -> Outcome<()>,
    /// The value as it is written in a file; `None` when the key is not written then.
    pub(super) show: fn(&T) -> Option<String>,
}

/// A section: its keys, and those that the format has and this version does not act on.
pub(super) struct Section<T: 'static> {
    /// The section; empty for the top of the file.
    pub(super) name: &'static str,
    /// The keys that have an effect.
    pub(super) keys: &'static [Key<T>],
    /// The keys that have none yet.
    pub(super) reserved: &'static [&'static str],
}

/// A key that is read by one function, written by another one, and kept in one field.
macro_rules! key {
    ($name:literal, $read:path, $show:path, $($field:ident).+) => {
        Key {
            name: $name,
            set: |target, item| $read(item).map(|value| target.$($field).+ = value),
            show: |target| $show(&target.$($field).+),
        }
    };
}
use key;

/// The top of the file: the version, and the sections.
pub(super) static TOP: Section<Policy> = Section {
    name: "",
    keys: &[
        Key { name: "version", set: |_, item| q::version(item), show: |_| None },
        key!("start_delay", q::wait, text::span, start_delay),
        Key {
            name: "schedule",
            set: |p, item| read::openings(item).map(|all| p.schedule = all),
            show: |_| None,
        },
        Key { name: "rule", set: |p, item| rule::read_rules(item).map(|all| p.rules = all), show: |_| None },
    ],
    reserved: &[],
};

/// The sections of the file, in the order in which they are described.
pub(super) static SECTIONS: [&Section<Policy>; 17] = [
    &machine::NODE,
    &machine::SHARE,
    &work::MARKET,
    &work::CPU,
    &work::MEMORY,
    &work::IN_USE,
    &work::IDLE_LIMITS,
    &work::IDLE,
    &work::POWER,
    &work::SUSPEND,
    &work::EXCLUSIVE,
    &work::LIMITS,
    &machine::DISK,
    &machine::NETWORK,
    &machine::ACCESS,
    &machine::GPU,
    &TOP,
];

/// One `[[schedule]]`.
pub(super) static SCHEDULE: Section<Opening> = Section {
    name: "schedule",
    keys: &[
        Key {
            name: "kind",
            set: |opening, item| schedule::kind(item).map(|kind| opening.kind = kind),
            show: |_| None,
        },
        Key {
            name: "days",
            set: |opening, item| schedule::days(item).map(|days| opening.days = days),
            show: |_| None,
        },
        Key {
            name: "hours",
            set: |opening, item| schedule::hours(item).map(|hours| opening.hours = hours),
            show: |_| None,
        },
    ],
    reserved: &[],
};

/// One `[[rule]]`.
pub(super) static RULE: Section<Draft> = Section {
    name: "rule",
    keys: &[
        Key {
            name: "when",
            set: |draft, item| rule::when(item).map(|when| draft.when = Some(when)),
            show: |_| None,
        },
        Key {
            name: "set",
            set: |draft, item| rule::set(item).map(|settings| draft.set = Some(settings)),
            show: |_| None,
        },
    ],
    reserved: &[],
};

/// The key with this full name: `cpu.max_cores`.
pub(super) fn find(full: &str) -> Option<&'static Key<Policy>> {
    let (section, name) = full.split_once('.').unwrap_or(("", full));
    let section = SECTIONS.iter().find(|known| known.name == section)?;
    section.keys.iter().find(|key| key.name == name)
}

/// All keys with their full names, in the order in which they are described; those at the top of the file first.
pub(super) fn all() -> impl Iterator<Item = (String, &'static Key<Policy>)> {
    let top = TOP.keys.iter().map(|key| (key.name.to_owned(), key));
    let sections = SECTIONS.iter().filter(|section| !section.name.is_empty());
    top.chain(
        sections.flat_map(|section| {
            section.keys.iter().map(|key| (format!("{}.{}", section.name, key.name), key))
        }),
    )
}

/// The section that has the key, empty for the top of the file; none for sections.
pub(super) fn owner_of(key: &str) -> Option<&'static str> {
    fn has<T>(section: &Section<T>, key: &str) -> Option<&'static str> {
        section.keys.iter().any(|known| known.name == key).then_some(section.name)
    }
    let sections = SECTIONS.iter().filter(|section| !section.name.is_empty());
    let sections = sections.into_iter().find_map(|section| has(section, key));
    let found = sections.or_else(|| has(&SCHEDULE, key)).or_else(|| has(&RULE, key));
    found.or_else(|| has(&TOP, key).filter(|_| !["schedule", "rule"].contains(&key)))
}
