//! What the seller's side writes down, and how it goes on after its process has ended.
//!
//! A program that was running has ended with the process: its buyer is told at once, and goes elsewhere. What had been
//! reported is shown and repeated until the buyer judges it, what was signed for or accepted is claimed, and nothing of
//! that is signed away. Room on the disk goes on where it was ([`super::storage`]).

use super::delivery::{Claimed, Reported, SILENCE};
use super::{Duty, Execution, REMEMBER_FOR, Stage, Work, Worker};
use crate::effect::Effect;
use crate::journal::{Kept, Note};
use proto::message::bank::{BondReceipt, Claim, Settle};
use proto::message::service::{Offer, Outcome, Report, ServiceMessage, Taken, Verdict};
use proto::{ContractId, Cycles, Peer, Signed, Time};
use std::collections::BTreeMap;

/// What the buyer reads of work that the end of the process has ended.
const STARTED_ANEW: &str = "its node was started anew";

/// What the notes of one contract come to.
struct Draft {
    offer: Signed<Offer>,
    bond: Option<Signed<BondReceipt>>,
    report: Option<Signed<Report>>,
    taken: Option<Signed<Taken>>,
    verdict: Option<Signed<Verdict>>,
    asked: Option<u32>,
}

impl Worker {
    /// Writes something down before anything that follows is done.
    pub(super) fn note(&mut self, note: Note) {
        self.effects.push_back(Effect::Append(Box::new(note)));
    }

    /// A buyer may have come back at another address: it is answered where it was heard last.
    pub(super) fn note_address(&mut self, from: Peer, message: &ServiceMessage) {
        let contract = match message {
            ServiceMessage::Offer(offer) => offer.body.contract,
            ServiceMessage::Cancel(cancel) => cancel.contract,
            ServiceMessage::Taken(taken) => taken.body.contract,
            ServiceMessage::Verdict(verdict) => verdict.body.contract,
            ServiceMessage::Keep(keep) => keep.contract,
            _ => return,
        };
        self.storage.note_address(contract, from);
        if let Some(work) = self.works.get_mut(&contract)
            && work.buyer.key == from.key
        {
            work.buyer = from;
        }
    }

    /// Whose program is executed for a contract, if one is.
    pub(crate) fn executes_for(&self, contract: ContractId) -> Option<proto::PublicKey> {
        let work = self.works.get(&contract)?;
        let is_running = matches!(work.stage, Stage::Running | Stage::Stopping(_));
        (is_running && matches!(work.duty, Duty::Sale)).then_some(work.buyer.key)
    }

    /// What a journal has to say of the seller's side.
    pub(crate) fn notes(&self) -> Vec<Note> {
        let mut notes: Vec<Note> = self.experience_note().into_iter().collect();
        let is_sale = |work: &&Work| matches!(work.duty, Duty::Sale) && !matches!(work.stage, Stage::Bonding);
        for work in self.works.values().filter(is_sale) {
            let (offer, bond) = (Box::new(work.offer.clone()), work.bond.clone().map(Box::new));
            notes.push(Note::Hired { offer, bond });
            work.stage.add_notes(&mut notes);
        }
        for presented in self.presented.values() {
            notes.push(Note::Hired { offer: Box::new(presented.offer.clone()), bond: None });
            accepted(&presented.settle, &mut notes);
        }
        notes.extend(self.storage.notes());
        let is_over = |(contract, _): &(ContractId, Time)| {
            !self.works.contains_key(contract) && !self.presented.contains_key(contract)
        };
        let over = self.delivered.iter().filter(is_over);
        notes.extend(over.map(|(contract, until)| Note::Closed { contract, until }));
        notes
    }

    /// Goes on with what a former run of the node has left.
    pub(crate) fn restore(&mut self, kept: &Kept, now: Time) {
        let mut drafts = BTreeMap::new();
        for note in &kept.notes {
            self.recall(note, &mut drafts, now);
        }
        for (contract, draft) in drafts {
            self.take_up(contract, draft, now);
        }
        self.take_up_rents(now);
    }

    fn recall(&mut self, note: &Note, drafts: &mut BTreeMap<ContractId, Draft>, now: Time) {
        if self.storage.recall(note, now) {
            return;
        }
        match note {
            Note::Hired { offer, bond } => {
                let bond = bond.as_deref().cloned();
                drafts.insert(offer.body.contract, Draft::new((**offer).clone(), bond));
            }
            Note::Reported { report } => {
                if let Some(draft) = drafts.get_mut(&report.body.contract) {
                    draft.report = Some((**report).clone());
                }
            }
            Note::Given { taken } => {
                if let Some(draft) = drafts.get_mut(&taken.body.contract) {
                    draft.taken = Some(taken.clone());
                }
            }
            Note::Judged { verdict } => {
                if let Some(draft) = drafts.get_mut(&verdict.body.contract) {
                    draft.verdict = Some(verdict.clone());
                }
            }
            Note::Contended { contract, asked } => {
                if let Some(draft) = drafts.get_mut(contract) {
                    draft.asked = Some(*asked);
                }
            }
            Note::Closed { contract, until } => {
                drafts.remove(contract);
                if *until > now {
                    self.delivered.insert(*contract, *until);
                }
            }
            Note::Worked { experience } => self.recall_experience(*experience),
            // The buyer's.
            _ => {}
        }
    }

    fn take_up(&mut self, contract: ContractId, draft: Draft, now: Time) {
        let closes = draft.offer.body.hold.body.expires;
        let lasts = self.claim_lasts();
        let Draft { offer, bond, report, taken, verdict, asked } = draft;
        let is_owed = verdict.is_some() || asked.is_some();
        if closes <= now && !is_owed {
            return;
        }
        let (buyer, ticket) = (offer.body.buyer, offer.body.ticket.clone());
        let blobs = report.as_ref().map(|report| report.body.contents()).unwrap_or_default();
        let is_shown =
            taken.is_some() || report.as_ref().is_some_and(|report| !report.body.outcome.is_payable());
        let mut ends = closes;
        let stage = match (report, verdict, asked) {
            (Some(report), Some(verdict), _) => {
                self.delivered.insert(contract, closes.max(now).after(REMEMBER_FOR));
                // What is owed is claimed at once.
                ends = closes.max(now).after(lasts);
                Stage::Accepted(Box::new(Settle { hold: contract, ticket, report, verdict }))
            }
            (Some(report), None, Some(asked)) => {
                ends = closes.max(now).after(lasts);
                let claim = Claim { hold: contract, ticket, report, taken };
                Stage::Claimed(Box::new(Claimed { claim, asked }))
            }
            (Some(report), None, None) => {
                let mut reported = Reported::new(report, closes);
                if taken.is_some() {
                    (reported.taken, reported.claim_at) = (taken, now.after(SILENCE));
                }
                Stage::Reported(Box::new(reported))
            }
            (None, ..) => Stage::Running,
        };
        let is_lost = matches!(stage, Stage::Running);
        let work = Work {
            offer,
            buyer,
            stage,
            cycles: Cycles(0),
            done: None,
            moved_at: now,
            is_cancelled: false,
            next_action: now,
            closes: ends,
            bond,
            duty: Duty::Sale,
        };
        self.works.insert(contract, work);
        self.effects.push_back(Effect::Keep { contract, blobs: blobs.clone() });
        if is_shown && !blobs.is_empty() {
            self.effects.push_back(Effect::Give { to: buyer.key, blobs });
        }
        if is_lost {
            self.learn_of_crash();
            self.report(contract, Execution::nothing(Outcome::Abandoned(STARTED_ANEW.into())), now);
        }
    }
}

impl Stage {
    fn add_notes(&self, notes: &mut Vec<Note>) {
        match self {
            Self::Bonding | Self::Staging | Self::Staged | Self::Running | Self::Stopping(_) => {}
            Self::Reported(reported) => {
                notes.push(Note::Reported { report: Box::new(reported.report.clone()) });
                notes.extend(reported.taken.clone().map(|taken| Note::Given { taken }));
            }
            Self::Accepted(settle) => accepted(settle, notes),
            Self::Claimed(claimed) => {
                let Claimed { claim, asked } = &**claimed;
                notes.push(Note::Reported { report: Box::new(claim.report.clone()) });
                notes.extend(claim.taken.clone().map(|taken| Note::Given { taken }));
                notes.push(Note::Contended { contract: claim.hold, asked: *asked });
            }
        }
    }
}

fn accepted(settle: &Settle, notes: &mut Vec<Note>) {
    notes.push(Note::Reported { report: Box::new(settle.report.clone()) });
    notes.push(Note::Judged { verdict: settle.verdict.clone() });
}

impl Draft {
    const fn new(offer: Signed<Offer>, bond: Option<Signed<BondReceipt>>) -> Self {
        Self { offer, bond, report: None, taken: None, verdict: None, asked: None }
    }
}
