//! What may be sold at this moment.

use super::view::{View, facts};
use super::{Machine, Policy, Presence, Weekday};
use proto::{Bytes, Rate};

/// What may be sold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sale {
    /// Nothing.
    Nothing {
        /// Why, as a sentence.
        why: String,
    },
    /// This much, our own running sub-tasks included.
    Offer {
        /// Cores; at least 1.
        cores: u32,
        /// Memory; more than 0.
        memory: Bytes,
        /// Disk space; more than 0.
        disk: Bytes,
        /// What is asked for the work.
        ask: Rate,
    },
}

impl Policy {
    /// What may be sold of `machine` on `weekday` at `minute_of_day` (0 to 1439), both in local time, by this
    /// moment alone: without grace, hysteresis and what the owner has said since. [`super::Governor`] knows those.
    #[must_use]
    pub fn sale(&self, machine: &Machine, weekday: Weekday, minute_of_day: u16) -> Sale {
        let policy = self.under_rule(self.rule_at(machine, (weekday, minute_of_day)));
        let view = policy.view_at(machine, (weekday, minute_of_day));
        match view.conditions().first() {
            Some(condition) => Sale::Nothing { why: condition.to_string() },
            None => view.offer().unwrap_or_else(|condition| Sale::Nothing { why: condition.to_string() }),
        }
    }

    /// The rule that counts at this moment alone.
    pub(super) fn rule_at(&self, machine: &Machine, place: (Weekday, u16)) -> Option<usize> {
        self.rule_for(&facts(machine, place, Presence::at_once(machine.untouched, self.idle.after)))
    }

    /// This moment alone, without what was before.
    pub(super) fn view_at<'a>(&'a self, machine: &'a Machine, place: (Weekday, u16)) -> View<'a> {
        let hot = machine.cpu_temp_c.zip(self.heat());
        View {
            policy: self,
            machine,
            weekday: place.0,
            minute_of_day: place.1,
            presence: Presence::at_once(machine.untouched, self.idle.after),
            unused_for: machine.untouched,
            is_hot: hot.is_some_and(|(temp, (most, _))| temp > most),
        }
    }
}
