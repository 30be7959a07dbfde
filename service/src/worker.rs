//! The seller's side: an offer whose papers are in order is accepted, staged, executed and reported; signs
//! of life renew the lease on the way.

mod offer;
mod owner;
mod record;
mod remembered;
#[cfg(test)]
mod tests;

pub use offer::Terms;
pub use owner::Intake;
pub use record::{Hire, Record};

use crate::dispatch::follow_up;
use crate::effect::{Effect, Effects};
use owner::Owner;
use proto::message::bank::{Order, Settle};
use proto::message::market::Ticket;
use proto::message::service::{
    Acceptance, Blob, Cancel, Declined, NamedBlob, Offer, Outcome, Progress, Report, ServiceMessage, Verdict,
};
use proto::{ContractId, Cycles, KeyPair, Peer, PublicKey, Refusal, RefusalCode, Rules, Signed, Span, Time};
use remembered::Remembered;
use std::collections::BTreeMap;

/// Contracts a seller works on at once, whatever its cores.
const MAX_CONTRACTS: usize = 4_096;
/// How long a seller remembers what it has signed away; no ticket lives nearly as long.
const REMEMBER_FOR: Span = Span::secs(3_600);
/// The wait before a report is sent again.
const REPEAT_REPORT: Span = Span::secs(2);
/// How long a seller with an accepted result waits for the buyer to settle before it presents the papers itself.
const CLAIM_AFTER: Span = Span::secs(30);
/// How long before the end of a hold its seller presents the papers at the latest: time for a bank that is down.
const CLAIM_BEFORE_END: Span = Span::secs(60);

/// What became of an execution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Execution {
    /// How it ended.
    pub outcome: Outcome,
    /// Cycles metered.
    pub cycles: Cycles,
    /// The declared outputs that are there, in the store.
    pub outputs: Vec<NamedBlob>,
    /// Standard output, in the store.
    pub stdout: Option<Blob>,
    /// Standard error, in the store.
    pub stderr: Option<Blob>,
}

/// Whether the market knows a ticket to be true and keeps its slice.
pub(crate) type VerifyTicket<'a> = dyn Fn(&Signed<Ticket>) -> Result<(), market::TicketFault> + 'a;

pub(crate) struct Worker {
    me: Peer,
    keys: KeyPair,
    bank: PublicKey,
    rules: Rules,
    terms: Terms,
    works: BTreeMap<ContractId, Work>,
    /// Contracts whose results were accepted: this seller never signs them away.
    delivered: Remembered,
    /// Contracts that this seller has signed away: it takes no offer for them any more.
    signed_away: Remembered,
    is_leaving: bool,
    owner: Owner,
    pub(crate) record: Record,
    pub(crate) effects: Effects,
}

struct Work {
    offer: Signed<Offer>,
    buyer: Peer,
    stage: Stage,
    cycles: Cycles,
    is_cancelled: bool,
    next_action: Time,
    closes: Time,
}

enum Stage {
    Staging,
    /// Everything is there, and the owner needs the machine.
    Staged,
    Running,
    Reported(Box<Signed<Report>>),
    Accepted(Box<Settle>),
}

impl Worker {
    pub(crate) fn new(me: Peer, keys: KeyPair, bank: PublicKey, rules: Rules, terms: Terms) -> Self {
        Self {
            me,
            keys,
            bank,
            rules,
            terms,
            works: BTreeMap::new(),
            delivered: Remembered::default(),
            signed_away: Remembered::default(),
            is_leaving: false,
            owner: Owner::new(),
            record: Record::default(),
            effects: Effects::new(),
        }
    }

    pub(crate) fn set_terms(&mut self, terms: Terms) {
        self.terms = terms;
    }

    pub(crate) fn owns(&self, contract: ContractId) -> bool {
        self.works.contains_key(&contract)
    }

    /// Contracts that are staged or executed at the moment.
    pub(crate) fn active(&self) -> usize {
        self.works.values().filter(|work| work.is_active()).count()
    }

    /// A message from whoever holds the key of `from`. `verify` tells whether the market knows the ticket of
    /// an offer to be true and keeps its slice.
    pub(crate) fn receive(
        &mut self,
        from: Peer,
        message: ServiceMessage,
        verify: &VerifyTicket<'_>,
        now: Time,
    ) {
        match message {
            ServiceMessage::Offer(offer) => self.offered(from, *offer, verify, now),
            ServiceMessage::Cancel(Cancel { contract }) => self.cancelled(from, contract, now),
            ServiceMessage::Verdict(verdict) => self.judged(from, &verdict, now),
            _ => {}
        }
    }

    /// Program and inputs are in the store, or could not be had.
    pub(crate) fn fetched(&mut self, contract: ContractId, result: Result<(), String>, now: Time) {
        let Some(work) = self.works.get_mut(&contract) else { return };
        if !matches!(work.stage, Stage::Staging) {
            return;
        }
        if let Err(why) = result {
            self.report(contract, Execution::nothing(Outcome::NotFetched(why)), now);
            return;
        }
        work.stage = Stage::Staged;
        if !self.owner.is_suspended() {
            self.execute(contract, now);
            self.act(contract, now);
        }
    }

    /// Starts what is staged.
    fn execute(&mut self, contract: ContractId, now: Time) {
        let Some(work) = self.works.get_mut(&contract) else { return };
        work.stage = Stage::Running;
        work.next_action = now;
        let job = Box::new(work.offer.body.job.clone());
        self.effects.push_back(Effect::Execute { contract, job });
        if let Some(throttle_pct) = self.owner.throttle() {
            self.effects.push_back(Effect::Pace { contract, throttle_pct });
        }
    }

    /// The executor is at `cycles`.
    pub(crate) fn progressed(&mut self, contract: ContractId, cycles: Cycles) {
        if let Some(work) = self.works.get_mut(&contract) {
            work.cycles = work.cycles.max(cycles);
        }
    }

    /// The execution ended.
    pub(crate) fn executed(&mut self, contract: ContractId, execution: Execution, now: Time) {
        if self.works.get(&contract).is_some_and(|work| matches!(work.stage, Stage::Running)) {
            self.report(contract, execution, now);
        }
    }

    /// Takes no more offers, gives up everything that is at work and claims what is owed.
    pub(crate) fn leave(&mut self, now: Time) {
        self.is_leaving = true;
        let why = "its node leaves the network";
        for contract in self.works.keys().copied().collect::<Vec<_>>() {
            match self.works.get(&contract).map(|work| &work.stage) {
                Some(Stage::Staging | Stage::Staged | Stage::Running) => {
                    self.effects.push_back(Effect::Stop { contract });
                    self.report(contract, Execution::nothing(Outcome::Abandoned(why.into())), now);
                }
                Some(Stage::Accepted(_)) => self.claim(contract),
                Some(Stage::Reported(_)) | None => {}
            }
        }
    }

    pub(crate) fn handle_timeouts(&mut self, now: Time) {
        let is_due = |work: &Work| work.next_action <= now || work.closes <= now;
        let due = self.works.iter().filter(|(_, work)| is_due(work)).map(|(contract, _)| *contract);
        for contract in due.collect::<Vec<_>>() {
            self.act(contract, now);
        }
        self.vacate_if_due(now);
        self.delivered.forget_until(now);
        self.signed_away.forget_until(now);
    }

    pub(crate) fn poll_timeout(&self) -> Option<Time> {
        let next = self.works.values().map(|work| work.next_action.min(work.closes)).min();
        next.into_iter().chain(self.vacates_at()).min()
    }

    fn offered(&mut self, from: Peer, offer: Signed<Offer>, verify: &VerifyTicket<'_>, now: Time) {
        let contract = offer.body.contract;
        if let Some(work) = self.works.get(&contract) {
            if work.buyer.key == from.key {
                self.repeat_answer(contract);
            }
            return;
        }
        if self.delivered.contains(contract) {
            return;
        }
        if self.signed_away.contains(contract) {
            let refusal =
                Refusal::new(RefusalCode::SoldOut, "this seller has declined this contract before", "");
            self.decline(from, contract, refusal, now);
            return;
        }
        if let Err(refusal) = self.judge_offer(from, &offer, verify, now) {
            self.decline(from, contract, refusal, now);
            return;
        }
        let job = &offer.body.job;
        let mut blobs: Vec<Blob> = vec![job.program];
        blobs.extend(job.inputs.iter().map(|input| input.blob).chain(job.stdin));
        blobs.sort();
        blobs.dedup();
        let acceptance = Signed::new(Acceptance { contract, offer: offer.hash(), bond: None }, &self.keys);
        let (buyer, closes) = (offer.body.buyer, offer.body.hold.body.expires);
        let next_action = now.after(self.rules.sign_of_life());
        self.record.hired(&offer, now);
        let stage = Stage::Staging;
        let work = Work { offer, buyer, stage, cycles: Cycles(0), is_cancelled: false, next_action, closes };
        self.works.insert(contract, work);
        self.owner.took_one();
        self.effects.push_back(Effect::Take { ticket: contract });
        self.effects
            .push_back(Effect::Send { to: buyer, message: ServiceMessage::Accept(Box::new(acceptance)) });
        self.effects.push_back(Effect::Fetch { contract, from: buyer, blobs });
    }

    /// A buyer wants to stop. What is not known, and was not delivered, is declined: that frees the hold of
    /// an attempt that this node forgot in a crash.
    fn cancelled(&mut self, from: Peer, contract: ContractId, now: Time) {
        let Some(work) = self.works.get_mut(&contract) else {
            if !self.delivered.contains(contract) {
                let refusal = Refusal::new(RefusalCode::SoldOut, "this seller has no such contract", "");
                self.decline(from, contract, refusal, now);
            }
            return;
        };
        if work.buyer.key != from.key {
            return;
        }
        match work.stage {
            Stage::Staging | Stage::Staged => {
                self.report(contract, Execution::nothing(Outcome::Cancelled), now);
            }
            Stage::Running if !work.is_cancelled => {
                work.is_cancelled = true;
                self.effects.push_back(Effect::Stop { contract });
            }
            Stage::Running => {}
            Stage::Reported(_) | Stage::Accepted(_) => self.repeat_answer(contract),
        }
    }

    fn judged(&mut self, from: Peer, verdict: &Signed<Verdict>, now: Time) {
        let contract = verdict.body.contract;
        let Some(work) = self.works.get_mut(&contract) else { return };
        let Stage::Reported(report) = &work.stage else { return };
        if !verdict.is_genuine_by(work.buyer.key)
            || from.key != work.buyer.key
            || verdict.body.report != report.hash()
        {
            return;
        }
        if verdict.body.is_accepted {
            let (ticket, report) = (work.offer.body.ticket.clone(), (**report).clone());
            let settle = Settle { hold: contract, ticket, report, verdict: verdict.clone() };
            self.record.paid(&work.offer, &settle);
            work.stage = Stage::Accepted(Box::new(settle));
            // The buyer may have less than a claim's time left: then it is claimed at once.
            let spare = work.closes.since(now.after(CLAIM_BEFORE_END));
            work.next_action = now.after(CLAIM_AFTER.min(spare));
            self.delivered.insert(contract, work.closes);
        } else {
            let is_success = report.body.outcome == Outcome::Succeeded;
            let buyer = work.buyer;
            self.works.remove(&contract);
            if is_success {
                // Nobody will pay for it any more: the buyer's money need not wait for the hold's end.
                let refusal = Refusal::new(RefusalCode::Mismatch, "the buyer did not accept the result", "");
                self.decline(buyer, contract, refusal, now);
            }
        }
    }

    /// Ends the work: the slice is idle again at once, the report is repeated until the buyer judges it.
    fn report(&mut self, contract: ContractId, execution: Execution, now: Time) {
        let Some(work) = self.works.get_mut(&contract) else { return };
        self.record.ended();
        let Execution { outcome, cycles, outputs, stdout, stderr } = execution;
        let offer = work.offer.hash();
        let report = Report { contract, offer, outcome, cycles, outputs, stdout, stderr };
        let report = Signed::new(report, &self.keys);
        work.stage = Stage::Reported(Box::new(report));
        work.next_action = now.after(REPEAT_REPORT);
        self.effects.push_back(Effect::Free { ticket: contract });
        self.repeat_answer(contract);
    }

    /// What is due for a contract: a sign of life, the report once more, the seller's own claim, or the end.
    fn act(&mut self, contract: ContractId, now: Time) {
        let sign_of_life = self.rules.sign_of_life();
        self.give_up_if_late(contract, now);
        let Some(work) = self.works.get_mut(&contract) else { return };
        if work.closes <= now {
            if work.is_active() {
                self.effects.push_back(Effect::Stop { contract });
                self.effects.push_back(Effect::Free { ticket: contract });
            }
            self.works.remove(&contract);
            return;
        }
        match &work.stage {
            Stage::Staging | Stage::Staged | Stage::Running => {
                work.next_action = now.after(sign_of_life);
                let phase = work.phase(&self.owner);
                let message = ServiceMessage::Progress(Progress { contract, phase, cycles: work.cycles });
                self.effects.push_back(Effect::Send { to: work.buyer, message });
            }
            Stage::Reported(_) => {
                work.next_action = now.after(REPEAT_REPORT);
                self.repeat_answer(contract);
            }
            Stage::Accepted(_) => self.claim(contract),
        }
    }

    /// Presents the papers of an accepted result; the desk repeats that until the bank answers.
    fn claim(&mut self, contract: ContractId) {
        if let Some(Work { stage: Stage::Accepted(settle), .. }) = self.works.remove(&contract) {
            let id = follow_up(&self.keys, contract, "claim");
            self.effects.push_back(Effect::Order { id, order: Order::Settle(settle) });
        }
    }

    fn repeat_answer(&mut self, contract: ContractId) {
        let Some(work) = self.works.get(&contract) else { return };
        let message = match &work.stage {
            Stage::Staging | Stage::Staged | Stage::Running => {
                let acceptance = Acceptance { contract, offer: work.offer.hash(), bond: None };
                ServiceMessage::Accept(Box::new(Signed::new(acceptance, &self.keys)))
            }
            Stage::Reported(report) => ServiceMessage::Report(report.clone()),
            Stage::Accepted(_) => return,
        };
        self.effects.push_back(Effect::Send { to: work.buyer, message });
    }

    /// Signs that nothing is owed for a contract, which is never taken after that.
    fn decline(&mut self, to: Peer, contract: ContractId, refusal: Refusal, now: Time) {
        self.signed_away.insert(contract, now.after(REMEMBER_FOR));
        let declined = Signed::new(Declined { contract, refusal }, &self.keys);
        self.effects.push_back(Effect::Send { to, message: ServiceMessage::Decline(declined) });
    }
}

impl Work {
    const fn is_active(&self) -> bool {
        matches!(self.stage, Stage::Staging | Stage::Staged | Stage::Running)
    }
}

impl Execution {
    /// An end without a run.
    #[must_use]
    pub const fn nothing(outcome: Outcome) -> Self {
        Self { outcome, cycles: Cycles(0), outputs: Vec::new(), stdout: None, stderr: None }
    }
}
