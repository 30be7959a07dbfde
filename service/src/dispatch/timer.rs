//! Deadlines as a table: what is due, and when. A deadline that moved is set again when it fires.

use proto::{ContractId, Time};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    /// The queue of a task is to be looked at.
    Place(ContractId),
    /// The seller of a contract may have been silent for too long.
    Lease(ContractId),
    /// An abandoned contract is to be cancelled once more.
    Abandoned(ContractId),
    /// A sub-task may be bought again.
    Rested(ContractId, u32),
    /// A sub-task has to have ended.
    Deadline(ContractId, u32),
    /// A sub-task may have run for too long.
    Straggler(ContractId),
    /// A rejected result need not be remembered any more.
    Objection(ContractId),
    /// A storage node is to hear what it keeps, or may have been silent for too long.
    Room(ContractId),
}

#[derive(Default)]
pub(super) struct Timers {
    due: BTreeSet<(Time, Timer)>,
    at: BTreeMap<Timer, Time>,
}

impl Timers {
    /// Sets `timer` to `at`, whatever it was set to before.
    pub(super) fn set(&mut self, at: Time, timer: Timer) {
        self.clear(timer);
        self.at.insert(timer, at);
        self.due.insert((at, timer));
    }

    pub(super) fn clear(&mut self, timer: Timer) {
        if let Some(before) = self.at.remove(&timer) {
            self.due.remove(&(before, timer));
        }
    }

    pub(super) fn pop_due(&mut self, now: Time) -> Option<Timer> {
        let (at, timer) = *self.due.first()?;
        if at > now {
            return None;
        }
        self.clear(timer);
        Some(timer)
    }

    pub(super) fn first(&self) -> Option<Time> {
        self.due.first().map(|(at, _)| *at)
    }

    pub(super) fn watches(&self, contract: ContractId) -> bool {
        self.at.contains_key(&Timer::Lease(contract))
    }
}
