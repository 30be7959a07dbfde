//! Keeping the states of programs that run elsewhere: room that was sold in the disk market (paper §V-C).
//!
//! The buyer says what is to be kept, and says it again as its lease on the room. What is there is billed by size and
//! time when the contract ends; the buyer's word on the bill has the bank pay it. A buyer that says nothing at the end
//! pays nothing: nobody else could judge what was kept. So a storage node risks the price of one contract.

mod restore;

use super::{CLAIM_AFTER, CLAIM_BEFORE_END, Errand, REPEAT_REPORT, VerifyTicket, Worker};
use crate::checkpoint::kept;
use crate::dispatch::follow_up;
use crate::effect::Effect;
use crate::journal::Note;
use bank::client::{Wanted, verify_receipt};
use proto::message::bank::{Order, Settle};
use proto::message::market::Ticket;
use proto::message::service::{Blob, Keep, Kept, Outcome, Report, ServiceMessage, Verdict};
use proto::{Bytes, Commodity, ContractId, Hash, Peer, Refusal, RefusalCode, Signed, Span, Time};
use std::collections::{BTreeMap, BTreeSet};

/// Contracts of storage at once.
const MAX_STORED: usize = 1_024;
/// How long a buyer may say nothing before what is kept for it is thrown away: time for its node to be started again.
const SILENCE: Span = Span::secs(600);
/// Contents that one contract keeps: [`proto::message::service::KEPT_STATES`] states, each with what it rests on.
const MAX_WANTED: usize = 4;
/// Peers that a content is tried from.
const MAX_SOURCES: usize = 8;

/// The contracts of storage of one node.
#[derive(Default)]
pub(super) struct Storage(BTreeMap<ContractId, Stored>);

/// Room that was sold.
struct Stored {
    buyer: Peer,
    ticket: Signed<Ticket>,
    room: Bytes,
    /// When its money comes back.
    closes: Time,
    stage: Stage,
}

enum Stage {
    Keeping(Box<Keeping>),
    /// The bill waits for the buyer's word.
    Billed {
        report: Box<Signed<Report>>,
        again: Time,
    },
    /// The buyer has accepted it, and pays; if it does not, the papers are presented at this time. None: they are.
    Accepted {
        settle: Box<Settle>,
        claim: Option<Time>,
    },
}

struct Keeping {
    /// When the buyer was heard last.
    heard: Time,
    /// Since when anything is here.
    since: Option<Time>,
    wanted: Vec<Blob>,
    has: BTreeSet<Hash>,
    sources: Vec<Peer>,
    /// Fetches that have failed: the next source is asked each time.
    failures: usize,
    fetching: Option<Blob>,
}

impl Keeping {
    const fn new(now: Time) -> Self {
        Self {
            heard: now,
            since: None,
            wanted: Vec::new(),
            has: BTreeSet::new(),
            sources: Vec::new(),
            failures: 0,
            fetching: None,
        }
    }

    /// What a journal says of it.
    fn to_note(&self, contract: ContractId) -> Note {
        Note::Storing { contract, blobs: self.wanted.clone(), since: self.since }
    }
}

impl Storage {
    /// Where the buyer of a contract was heard last.
    pub(super) fn note_address(&mut self, contract: ContractId, from: Peer) {
        if let Some(stored) = self.0.get_mut(&contract).filter(|stored| stored.buyer.key == from.key) {
            stored.buyer = from;
        }
    }

    fn keeping(&mut self, contract: ContractId) -> Option<(Peer, &mut Keeping)> {
        let stored = self.0.get_mut(&contract)?;
        match &mut stored.stage {
            Stage::Keeping(keeping) => Some((stored.buyer, keeping)),
            Stage::Billed { .. } | Stage::Accepted { .. } => None,
        }
    }
}

impl Worker {
    /// Whether a contract is one of storage.
    pub(super) fn stores(&self, contract: ContractId) -> bool {
        self.storage.0.contains_key(&contract)
    }

    /// Contracts under which something is kept.
    pub(crate) fn keeping(&self) -> usize {
        let has_some =
            |stored: &&Stored| matches!(&stored.stage, Stage::Keeping(keeping) if !keeping.has.is_empty());
        self.storage.0.values().filter(has_some).count()
    }

    /// A buyer says what is to be kept for it.
    pub(super) fn keep(&mut self, from: Peer, keep: Keep, verify: &VerifyTicket<'_>, now: Time) {
        let contract = keep.contract;
        match self.storage.0.get(&contract) {
            Some(stored) if stored.buyer.key != from.key => return,
            Some(_) => {}
            None => {
                if let Err(refusal) = self.judge_keep(from, &keep, verify, now) {
                    self.decline(from, contract, refusal, now);
                    return;
                }
                let stored = Stored::new(from, keep.ticket, keep.hold.body.expires, now);
                self.note(stored.to_note());
                self.storage.0.insert(contract, stored);
                self.effects.push_back(Effect::Take { ticket: contract });
            }
        }
        self.want(contract, keep.blobs, keep.sources, now);
    }

    /// What was to be fetched is in the store, or could not be had.
    pub(super) fn stored(&mut self, contract: ContractId, result: &Result<(), String>, now: Time) {
        let Some((buyer, keeping)) = self.storage.keeping(contract) else { return };
        let Some(blob) = keeping.fetching.take() else { return };
        if result.is_err() {
            // The buyer's next word is the next try, at the next source.
            keeping.failures = keeping.failures.saturating_add(1);
            return;
        }
        if !keeping.wanted.contains(&blob) {
            self.effects.push_back(Effect::Drop { contract, blobs: vec![blob] });
        } else {
            keeping.has.insert(blob.hash);
            let first = keeping.since.is_none();
            keeping.since = keeping.since.or(Some(now));
            let kept = Kept { contract, hashes: keeping.has.iter().copied().collect() };
            if let Some(note) = first.then(|| keeping.to_note(contract)) {
                self.note(note);
            }
            self.effects.push_back(Effect::Send { to: buyer, message: ServiceMessage::Kept(kept) });
        }
        self.fetch_next(contract);
    }

    /// The buyer needs the room no longer: what is owed is billed.
    pub(super) fn stop_keeping(&mut self, from: Peer, contract: ContractId, now: Time) {
        match self.storage.0.get(&contract).map(|stored| (&stored.stage, stored.buyer)) {
            Some((Stage::Keeping(_), buyer)) if buyer.key == from.key => self.bill(contract, now),
            Some((Stage::Billed { .. }, buyer)) if buyer.key == from.key => self.repeat_bill(contract, now),
            _ => {}
        }
    }

    /// Bills all that is kept: the node leaves.
    pub(super) fn bill_all(&mut self, now: Time) {
        for contract in self.storage.0.keys().copied().collect::<Vec<_>>() {
            if self.storage.keeping(contract).is_some() {
                self.bill(contract, now);
            }
        }
    }

    /// The buyer's word on a bill.
    pub(super) fn bill_judged(&mut self, from: Peer, verdict: &Signed<Verdict>, now: Time) {
        let contract = verdict.body.contract;
        let Some(stored) = self.storage.0.get_mut(&contract) else { return };
        let Stage::Billed { report, .. } = &stored.stage else { return };
        let buyer = stored.buyer;
        let is_meant = verdict.body.report == report.hash() && from.key == buyer.key;
        if !is_meant || !verdict.is_genuine_by(buyer.key) {
            return;
        }
        if verdict.body.is_accepted {
            let (ticket, report) = (stored.ticket.clone(), (**report).clone());
            let settle = Box::new(Settle { hold: contract, ticket, report, verdict: verdict.clone() });
            let spare = stored.closes.since(now.after(CLAIM_BEFORE_END));
            stored.stage = Stage::Accepted { settle, claim: Some(now.after(CLAIM_AFTER.min(spare))) };
            self.note(Note::Judged { verdict: verdict.clone() });
        } else {
            self.close_rent(contract);
            let refusal = Refusal::new(RefusalCode::Mismatch, "the buyer did not accept the bill", "");
            self.decline(buyer, contract, refusal, now);
        }
    }

    pub(super) fn look_at_storage(&mut self, now: Time) {
        let due = self.storage.0.iter().filter(|(_, stored)| stored.next_action() <= now);
        for contract in due.map(|(contract, _)| *contract).collect::<Vec<_>>() {
            let Some(stored) = self.storage.0.get(&contract) else { continue };
            match &stored.stage {
                _ if stored.closes <= now => self.forget_stored(contract, now),
                Stage::Keeping(_) => self.bill(contract, now),
                Stage::Billed { .. } => self.repeat_bill(contract, now),
                Stage::Accepted { .. } => self.claim_rent(contract),
            }
        }
    }

    /// Presents the papers of a bill that the buyer has accepted; the desk repeats that until the bank answers.
    fn claim_rent(&mut self, contract: ContractId) {
        let Some(stored) = self.storage.0.get_mut(&contract) else { return };
        let Stage::Accepted { settle, claim } = &mut stored.stage else { return };
        *claim = None;
        let id = follow_up(&self.keys, contract, "claim");
        self.orders.insert(id, (contract, Errand::Rent));
        self.effects.push_back(Effect::Order { id, order: Order::Settle(settle.clone()) });
    }

    /// Nothing more is to be had for room.
    pub(super) fn close_rent(&mut self, contract: ContractId) {
        if self.storage.0.remove(&contract).is_some() {
            self.note(Note::Closed { contract, until: Time(0) });
        }
    }

    pub(super) fn next_of_storage(&self) -> Option<Time> {
        self.storage.0.values().map(Stored::next_action).min()
    }

    /// Whether the papers are in order, and the owner sells room to this buyer.
    fn judge_keep(
        &self,
        from: Peer,
        keep: &Keep,
        verify: &VerifyTicket<'_>,
        now: Time,
    ) -> Result<(), Refusal> {
        let refuse = |code, what: &str| Err(Refusal::new(code, what, "ask the market again"));
        let (ticket, contract) = (&keep.ticket.body, keep.contract);
        if self.signed_away.contains(contract) || self.works.contains_key(&contract) {
            return refuse(RefusalCode::SoldOut, "this seller has declined this contract before");
        }
        if ticket.id != contract
            || ticket.buyer != from.key
            || ticket.requirement.commodity != Commodity::Disk
            || ticket.winner.body.seller.key != self.me.key
        {
            return refuse(RefusalCode::Mismatch, "the ticket is not for this room");
        }
        if self.is_leaving {
            return refuse(RefusalCode::Leaving, "this seller leaves the network");
        }
        if self.storage.0.len() >= MAX_STORED {
            return refuse(RefusalCode::Busy, "this seller keeps too much already");
        }
        self.terms.admit(&from)?;
        verify(&keep.ticket).map_err(|fault| {
            Refusal::new(
                RefusalCode::SoldOut,
                format!("the ticket does not hold: {fault}"),
                "ask the market again",
            )
        })?;
        let wanted = Wanted {
            bank: self.bank,
            buyer: from.key,
            seller: self.me.key,
            contract,
            ticket: keep.ticket.hash(),
            amount: self.rules.owner_fee,
            until: now.after(CLAIM_BEFORE_END),
        };
        verify_receipt(&keep.hold, &wanted)
    }

    /// From now on this is to be kept, as far as it fits into the room.
    fn want(&mut self, contract: ContractId, blobs: Vec<Blob>, mut sources: Vec<Peer>, now: Time) {
        let Some(room) = self.storage.0.get(&contract).map(|stored| stored.room) else { return };
        let me = self.me;
        let Some((buyer, keeping)) = self.storage.keeping(contract) else { return };
        let mut left = room.0;
        let mut wanted = blobs;
        wanted.truncate(MAX_WANTED);
        wanted.retain(|blob| left.checked_sub(blob.size.0).inspect(|rest| left = *rest).is_some());
        let dropped: Vec<Blob> =
            keeping.wanted.iter().filter(|blob| !wanted.contains(blob)).copied().collect();
        keeping.has.retain(|hash| wanted.iter().any(|blob| blob.hash == *hash));
        let is_news = keeping.wanted != wanted;
        sources.retain(|source| source.key != me.key);
        sources.truncate(MAX_SOURCES);
        (keeping.wanted, keeping.sources, keeping.heard) = (wanted, sources, now);
        let kept = Kept { contract, hashes: keeping.has.iter().copied().collect() };
        if let Some(note) = is_news.then(|| keeping.to_note(contract)) {
            self.note(note);
        }
        if !dropped.is_empty() {
            self.effects.push_back(Effect::Drop { contract, blobs: dropped });
        }
        self.effects.push_back(Effect::Send { to: buyer, message: ServiceMessage::Kept(kept) });
        self.fetch_next(contract);
    }

    /// Fetches what is wanted and not here, the newest first.
    fn fetch_next(&mut self, contract: ContractId) {
        let Some((_, keeping)) = self.storage.keeping(contract) else { return };
        if keeping.fetching.is_some() || keeping.sources.is_empty() {
            return;
        }
        let missing = keeping.wanted.iter().rev().find(|blob| !keeping.has.contains(&blob.hash)).copied();
        let which = keeping.failures.checked_rem(keeping.sources.len()).unwrap_or(0);
        if let (Some(blob), Some(from)) = (missing, keeping.sources.get(which).copied()) {
            keeping.fetching = Some(blob);
            self.effects.push_back(Effect::Fetch { contract, from, blobs: vec![blob] });
        }
    }

    /// Ends the keeping. Where nothing was ever kept nothing is owed.
    fn bill(&mut self, contract: ContractId, now: Time) {
        let Some(stored) = self.storage.0.get_mut(&contract) else { return };
        let Stage::Keeping(keeping) = &stored.stage else { return };
        let (buyer, since) = (stored.buyer, keeping.since);
        let until = now.min(keeping.heard.after(self.rules.lease));
        self.effects.push_back(Effect::Free { ticket: contract });
        self.effects.push_back(Effect::Drop { contract, blobs: keeping.wanted.clone() });
        let Some(since) = since else {
            self.close_rent(contract);
            let refusal = Refusal::new(RefusalCode::SoldOut, "nothing has been kept here", "");
            self.decline(buyer, contract, refusal, now);
            return;
        };
        let report = Report {
            contract,
            offer: stored.ticket.hash(),
            outcome: Outcome::Succeeded,
            cycles: kept(stored.room, until.since(since)),
            outputs: Vec::new(),
            stdout: None,
            stderr: None,
            more: Vec::new(),
        };
        let report = Box::new(Signed::new(report, &self.keys));
        stored.stage = Stage::Billed { report: report.clone(), again: now };
        self.note(Note::Reported { report });
        self.repeat_bill(contract, now);
    }

    fn repeat_bill(&mut self, contract: ContractId, now: Time) {
        let Some(stored) = self.storage.0.get_mut(&contract) else { return };
        let Stage::Billed { report, again } = &mut stored.stage else { return };
        *again = now.after(REPEAT_REPORT);
        let message = ServiceMessage::Report(report.clone());
        self.effects.push_back(Effect::Send { to: stored.buyer, message });
    }

    /// The money has gone back to its buyer.
    fn forget_stored(&mut self, contract: ContractId, now: Time) {
        let is_kept = self.storage.keeping(contract).is_some();
        if let Some(closes) = self.storage.0.get(&contract).map(|stored| stored.closes) {
            self.signed_away.insert(contract, closes.max(now).after(SILENCE));
            self.close_rent(contract);
        }
        if is_kept {
            self.effects.push_back(Effect::Free { ticket: contract });
        }
    }
}

impl Stored {
    fn new(buyer: Peer, ticket: Signed<Ticket>, closes: Time, now: Time) -> Self {
        let room = ticket.body.requirement.disk;
        Self { buyer, ticket, room, closes, stage: Stage::Keeping(Box::new(Keeping::new(now))) }
    }

    /// What a journal says of its beginning.
    fn to_note(&self) -> Note {
        Note::Rented { buyer: self.buyer, ticket: Box::new(self.ticket.clone()), closes: self.closes }
    }

    fn next_action(&self) -> Time {
        let next = match &self.stage {
            Stage::Keeping(keeping) => keeping.heard.after(SILENCE),
            Stage::Billed { again, .. } => *again,
            Stage::Accepted { claim, .. } => claim.unwrap_or(self.closes),
        };
        next.min(self.closes)
    }
}
