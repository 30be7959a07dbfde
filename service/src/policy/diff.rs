//! What differs between two policies, key by key.

use super::text::quoted;
use super::{Opening, Policy, Rule, keys};

/// What differs between `old` and `new`, a key a line, in the order of `docs/policy.md`; empty when nothing does.
/// Values are written as in the file.
#[must_use]
pub fn diff(old: &Policy, new: &Policy) -> Vec<String> {
    let none = || "none".to_owned();
    let changed = keys::all().filter_map(|(name, key)| {
        let (before, after) = ((key.show)(old), (key.show)(new));
        (before != after)
            .then(|| format!("{name}: {} -> {}", before.unwrap_or_else(none), after.unwrap_or_else(none)))
    });
    let listed = |name: &str, old: Vec<String>, new: Vec<String>| {
        let gone = old.iter().filter(|entry| !new.contains(entry)).map(|entry| format!("{name}: - {entry}"));
        let come = new.iter().filter(|entry| !old.contains(entry)).map(|entry| format!("{name}: + {entry}"));
        let lines: Vec<String> = gone.chain(come).collect();
        // The order of rules counts: the first one that holds wins.
        if lines.is_empty() && old != new { vec![format!("{name}: in another order")] } else { lines }
    };
    let schedules = listed(
        "[[schedule]]",
        old.schedule.iter().map(ToString::to_string).collect(),
        new.schedule.iter().map(ToString::to_string).collect(),
    );
    let rules = listed(
        "[[rule]]",
        old.rules.iter().map(ToString::to_string).collect(),
        new.rules.iter().map(ToString::to_string).collect(),
    );
    changed.chain(schedules).chain(rules).collect()
}

impl std::fmt::Display for Opening {
    /// As in the policy, on one line: `kind = "compute", days = ["mon", "fri"], hours = ["22:00-07:00"]`.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let list = |entries: Vec<String>| {
            entries.iter().map(|entry| format!("\"{entry}\"")).collect::<Vec<_>>().join(", ")
        };
        let days = list(self.days.iter().map(ToString::to_string).collect());
        let hours = list(self.hours.iter().map(ToString::to_string).collect());
        write!(out, "kind = \"{}\", days = [{days}], hours = [{hours}]", self.kind)
    }
}

impl std::fmt::Display for Rule {
    /// As in the policy, on one line: `when = "idle", set = { "cpu.max_cores_pct" = 100 }`.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let set: Vec<String> =
            self.set.iter().map(|setting| format!("\"{}\" = {}", setting.key(), setting.value())).collect();
        write!(out, "when = {}, set = {{ {} }}", quoted(&self.when.to_string()), set.join(", "))
    }
}
