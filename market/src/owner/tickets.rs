//! The tickets an owner has signed, for the buyer that asks again because the answer was lost.

use super::MatchKey;
use proto::Time;
use proto::message::market::{FindSeller, Matched};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Tickets that are remembered; the oldest batch goes first.
pub(crate) const MAX_TICKETS: usize = 4_096;

/// Tickets and what they answer.
#[derive(Debug)]
pub(crate) struct Remembered {
    pub(crate) find: FindSeller,
    pub(crate) matched: Matched,
    pub(crate) until: Time,
}

/// Answers with signed tickets by buyer and first id of the question.
#[derive(Debug, Default)]
pub(crate) struct Tickets {
    by_key: BTreeMap<MatchKey, Remembered>,
    /// The buyers and ids of the tickets.
    signed: BTreeSet<MatchKey>,
    /// In the order of signing, which is the order of their ends.
    order: VecDeque<(Time, MatchKey)>,
}

impl Tickets {
    pub(crate) fn recall(&self, key: &MatchKey) -> Option<&Remembered> {
        self.by_key.get(key)
    }

    /// Whether a ticket of this buyer and id is remembered.
    pub(crate) fn has_signed(&self, ticket: &MatchKey) -> bool {
        self.signed.contains(ticket)
    }

    /// Remembers the answer of a match that is not remembered yet.
    pub(crate) fn remember(&mut self, key: MatchKey, remembered: Remembered) {
        let count = remembered.matched.tickets.len();
        while !self.order.is_empty() && self.signed.len() + count > MAX_TICKETS {
            self.forget_oldest();
        }
        self.signed.extend(remembered.matched.tickets.iter().map(|ticket| (key.0, ticket.body.id)));
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
            let forgotten = self.by_key.remove(&key);
            for ticket in forgotten.iter().flat_map(|known| &known.matched.tickets) {
                self.signed.remove(&(key.0, ticket.body.id));
            }
        }
    }
}
