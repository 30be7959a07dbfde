//! Room that was sold before the node was started again: it stays the buyer's, and what is in it is billed.
//!
//! The slice is used again before anything is for sale. What was kept is fetched from the store, which outlives the
//! process: what is still there is there at once, what is not may be had of the buyer, and the buyer is told of each.

use super::super::Worker;
use super::{Stage, Storage, Stored};
use crate::effect::Effect;
use crate::journal::Note;
use market::requirement::slice;
use proto::message::bank::Settle;
use proto::{ContractId, Time};

impl Storage {
    /// What a journal has to say of room that is sold.
    pub(in crate::worker) fn notes(&self) -> Vec<Note> {
        let mut notes = Vec::new();
        for (contract, stored) in &self.0 {
            notes.push(stored.to_note());
            match &stored.stage {
                Stage::Keeping(keeping) => notes.push(keeping.to_note(*contract)),
                Stage::Billed { report, .. } => notes.push(Note::Reported { report: report.clone() }),
                Stage::Accepted { settle, .. } => {
                    notes.push(Note::Reported { report: Box::new(settle.report.clone()) });
                    notes.push(Note::Judged { verdict: settle.verdict.clone() });
                }
            }
        }
        notes
    }

    /// Takes in what was written down of room. Whether the note is about some.
    pub(in crate::worker) fn recall(&mut self, note: &Note, now: Time) -> bool {
        let contract = match note {
            Note::Rented { buyer, ticket, closes } => {
                let stored = Stored::new(*buyer, (**ticket).clone(), *closes, now);
                self.0.insert(ticket.body.id, stored);
                return true;
            }
            Note::Storing { contract, .. } | Note::Closed { contract, .. } => *contract,
            Note::Reported { report } => report.body.contract,
            Note::Judged { verdict } => verdict.body.contract,
            _ => return false,
        };
        let Some(stored) = self.0.get_mut(&contract) else { return false };
        match (note, &mut stored.stage) {
            (Note::Storing { blobs, since, .. }, Stage::Keeping(keeping)) => {
                (keeping.wanted, keeping.since) = (blobs.clone(), *since);
            }
            (Note::Reported { report }, _) => {
                stored.stage = Stage::Billed { report: report.clone(), again: now };
            }
            (Note::Judged { verdict }, Stage::Billed { report, .. }) => {
                let (ticket, report) = (stored.ticket.clone(), (**report).clone());
                let settle = Settle { hold: contract, ticket, report, verdict: verdict.clone() };
                stored.stage = Stage::Accepted { settle: Box::new(settle), claim: Some(now) };
            }
            (Note::Closed { .. }, _) => {
                self.0.remove(&contract);
            }
            _ => {}
        }
        true
    }
}

impl Worker {
    /// Goes on with room that is sold, but for what has been paid back.
    pub(in crate::worker) fn take_up_rents(&mut self, now: Time) {
        self.storage.0.retain(|_, stored| stored.closes > now);
        for contract in self.storage.0.keys().copied().collect::<Vec<_>>() {
            self.take_up_rent(contract);
        }
    }

    fn take_up_rent(&mut self, contract: ContractId) {
        let Some(stored) = self.storage.0.get_mut(&contract) else { return };
        let (buyer, part) = (stored.buyer, slice(&stored.ticket.body.requirement));
        let Stage::Keeping(keeping) = &mut stored.stage else { return };
        keeping.sources = vec![buyer];
        let blobs = keeping.wanted.clone();
        self.effects.push_back(Effect::Retake { ticket: contract, buyer: buyer.key, part });
        self.effects.push_back(Effect::Keep { contract, blobs });
        self.fetch_next(contract);
    }
}
