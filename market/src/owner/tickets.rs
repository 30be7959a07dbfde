//! The tickets an owner has signed, for the buyer that asks again because the answer was lost.

use super::MatchKey;
use proto::message::market::{FindSeller, Ticket};
use proto::{Signed, Time};
use std::collections::{BTreeMap, VecDeque};

/// Tickets that are remembered; the oldest goes first.
pub(crate) const MAX_TICKETS: usize = 4_096;

/// A ticket and what it answers.
#[derive(Debug)]
pub(crate) struct Remembered {
    pub(crate) find: FindSeller,
    pub(crate) ticket: Signed<Ticket>,
    pub(crate) until: Time,
}

/// Signed tickets by buyer and id.
#[derive(Debug, Default)]
pub(crate) struct Tickets {
    by_key: BTreeMap<MatchKey, Remembered>,
    /// In the order of signing, which is the order of their ends.
    order: VecDeque<(Time, MatchKey)>,
}

impl Tickets {
    pub(crate) fn recall(&self, key: &MatchKey) -> Option<&Remembered> {
        self.by_key.get(key)
    }

    /// Remembers a ticket of a match that is not remembered yet.
    pub(crate) fn remember(&mut self, key: MatchKey, remembered: Remembered) {
        if self.order.len() >= MAX_TICKETS {
            self.forget_oldest();
        }
        self.order.push_back((remembered.until, key));
        self.by_key.insert(key, remembered);
    }

    pub(crate) fn purge(&mut self, now: Time) {
        while self.next_due().is_some_and(|until| until <= now) {
            self.forget_oldest();
        }
    }

    pub(crate) fn next_due(&self) -> Option<Time> {
        self.order.front().map(|(until, _)| *until)
    }

    fn forget_oldest(&mut self) {
        if let Some((_, key)) = self.order.pop_front() {
            self.by_key.remove(&key);
        }
    }
}
