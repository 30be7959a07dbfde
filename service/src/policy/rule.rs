//! `[[rule]]`: other values of some keys while a condition holds.

use super::expression::{Expression, Facts};
use super::fault::FaultKind;
use super::hint::shortened;
use super::item::{Item, Outcome};
use super::keys::{self, RULE, SECTIONS};
use super::{Policy, Problem, read};
use std::borrow::Cow;
use toml::Spanned;
use toml::de::{DeString, DeValue};

/// The most rules that a policy may have.
pub const MAX_RULES: usize = 100;

const RULES: &str = "at most 100 sections in double brackets, `[[rule]]`";
const WHEN: &str = "a condition in quotes, such as \"hour >= 22 || day in [sat, sun]\"";
const SET: &str = "keys and values in braces, such as { \"cpu.max_cores_pct\" = 100 }";

/// What a rule may not change: what is set up once for the whole run, what sensors and conditions need, and who
/// is served. Whole sections end in a point.
const FIXED: [&str; 19] = [
    "access.",
    "disk.dir",
    "exclusive.",
    "gpu.",
    "idle.after",
    "idle.min_use",
    "idle.sources",
    "limits.sandbox",
    "network.code_servers",
    "network.listen",
    "network.relay",
    "network.volume",
    "node.",
    "rule",
    "schedule",
    "share.files",
    "share.storage",
    "start_delay",
    "version",
];

/// The keys of `[cpu]` and `[memory]` that `[in_use]` and `[idle_limits]` have too, with their names there.
const OVERRIDDEN: [(&str, &str); 4] = [
    ("cpu.max_cores_pct", "max_cores_pct"),
    ("cpu.max_other_load_pct", "max_other_load_pct"),
    ("cpu.throttle_pct", "throttle_pct"),
    ("memory.max_pct", "memory_max_pct"),
];

/// One `[[rule]]`. Of the rules whose condition holds, the first one counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The condition.
    pub when: Expression,
    /// What is set while it holds; at least one.
    pub set: Vec<Setting>,
}

/// One key that a rule sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The key with its section: `cpu.max_cores_pct`.
    key: String,
    /// The value as it is written in a file; [`read_rules`] has looked that the key takes it.
    value: String,
}

impl Setting {
    /// The key with its section: `cpu.max_cores_pct`.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The value as it is written in a file.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }

    fn apply(&self, policy: &mut Policy) {
        let (Some(key), Ok(value)) = (keys::find(&self.key), DeValue::parse(&self.value)) else { return };
        // Reading succeeded when the file was read, and means the same every time.
        let _ = (key.set)(policy, Item { name: &self.key, value: &value });
    }
}

impl Policy {
    /// Which rule counts, by its place in [`Policy::rules`].
    #[must_use]
    pub fn rule_for(&self, facts: &Facts) -> Option<usize> {
        self.rules.iter().position(|rule| rule.when.holds(facts))
    }

    /// The policy with what the rule at `place` sets; the policy itself if there is no such rule. A rule has the
    /// last word: what it sets in `[cpu]` or `[memory]` holds whether somebody is there or not, unless it sets
    /// `[in_use]` or `[idle_limits]` too.
    #[must_use]
    pub fn under_rule(&self, place: Option<usize>) -> Cow<'_, Self> {
        let Some(rule) = place.and_then(|place| self.rules.get(place)) else { return Cow::Borrowed(self) };
        let mut policy = self.clone();
        for (_, name) in OVERRIDDEN.iter().filter(|(key, _)| rule.set.iter().any(|set| set.key == *key)) {
            for limits in [&mut policy.in_use, &mut policy.idle_limits] {
                match *name {
                    "max_cores_pct" => limits.max_cores_pct = None,
                    "max_other_load_pct" => limits.max_other_load_pct = None,
                    "throttle_pct" => limits.throttle_pct = None,
                    _ => limits.memory_max_pct = None,
                }
            }
        }
        for setting in &rule.set {
            setting.apply(&mut policy);
        }
        Cow::Owned(policy)
    }
}

/// A rule of which not everything has been read yet.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) when: Option<Expression>,
    pub(super) set: Option<Vec<Setting>>,
}

/// Reads all `[[rule]]`.
pub(super) fn read_rules(item: Item<'_>) -> Outcome<Vec<Rule>> {
    let rules = item.each(RULES, |item| {
        let table = item.table().ok_or_else(|| item.wrong(RULES))?;
        let mut draft = Draft::default();
        read::entries(&RULE, &mut draft, table)?;
        let missing = |key| item.problem(FaultKind::Missing { section: "rule", key });
        let when = draft.when.ok_or_else(|| missing("when"))?;
        Ok(Rule { when, set: draft.set.ok_or_else(|| missing("set"))? })
    })?;
    if rules.len() > MAX_RULES { Err(item.wrong(RULES)) } else { Ok(rules) }
}

/// Reads `when`.
pub(super) fn when(item: Item<'_>) -> Outcome<Expression> {
    let text = item.text().ok_or_else(|| item.wrong(WHEN))?;
    Expression::parse(text).map_err(|wrong| {
        let span = item.value.span();
        // Without escapes, the text stands in the file as it is, after one quote.
        let is_plain = span.len() == text.len() + 2;
        let at = if is_plain { span.start + 1 + wrong.at } else { span.start };
        vec![Problem { at: Some(at), kind: FaultKind::Condition { reason: wrong.reason } }]
    })
}

/// Reads `set`: keys with their sections in quotes, or sections inside.
pub(super) fn set(item: Item<'_>) -> Outcome<Vec<Setting>> {
    let table = item.table().filter(|table| !table.is_empty()).ok_or_else(|| item.wrong(SET))?;
    let mut settings = Vec::new();
    let mut problems = Vec::new();
    let mut note = |outcome: Outcome<Setting>| match outcome {
        Ok(setting) => settings.push(setting),
        Err(more) => problems.extend(more),
    };
    for (key, value) in table {
        match (key.get_ref().split_once('.'), value.get_ref()) {
            (Some((section, name)), _) => note(setting(key, section, name, value)),
            (None, DeValue::Table(inner)) if is_section(key.get_ref()) => {
                inner
                    .iter()
                    .for_each(|(name, value)| note(setting(name, key.get_ref(), name.get_ref(), value)));
            }
            (None, _) => note(setting(key, "", key.get_ref(), value)),
        }
    }
    if problems.is_empty() { Ok(settings) } else { Err(problems) }
}

fn is_section(name: &str) -> bool {
    SECTIONS.iter().any(|section| section.name == name)
}

/// One key of a rule; `place` is where it stands.
fn setting(
    place: &Spanned<DeString<'_>>,
    section: &str,
    name: &str,
    value: &Spanned<DeValue<'_>>,
) -> Outcome<Setting> {
    let key = if section.is_empty() { name.to_owned() } else { format!("{section}.{name}") };
    let problem = |kind| vec![Problem { at: Some(place.span().start), kind }];
    let found = SECTIONS.iter().find(|known| known.name == section);
    match (found, found.is_some_and(|found| found.keys.iter().any(|known| known.name == name))) {
        (_, true) => {}
        (Some(found), false) if !section.is_empty() => return Err(read::unknown(found, place, name)),
        _ => return Err(problem(FaultKind::UnknownSetting { key: shortened(&key) })),
    }
    let is_fixed = |fixed: &&str| if fixed.ends_with('.') { key.starts_with(*fixed) } else { key == **fixed };
    if FIXED.iter().any(is_fixed) {
        return Err(problem(FaultKind::NotInRule { key }));
    }
    let item = Item { name: &key, value };
    if let Some(known) = keys::find(&key) {
        (known.set)(&mut Policy::default(), item)?;
    }
    let value = item.scalar().ok_or_else(|| item.wrong("a single value in a rule"))?;
    Ok(Setting { key, value })
}
