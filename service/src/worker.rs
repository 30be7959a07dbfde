//! The seller's side: an offer whose papers are in order is accepted, staged, executed and reported; signs
//! of life renew the lease on the way.

mod arbiter;
mod bond;
mod cancelled;
mod delivery;
mod offer;
mod owner;
mod record;
mod remembered;
mod restore;
mod saving;
mod stalled;
mod storage;
#[cfg(test)]
pub(crate) mod tests;

pub use offer::Terms;
pub use owner::Intake;
pub use record::{Hire, Record};
pub use saving::Snapshot;

use crate::effect::{Effect, Effects};
use crate::journal::Note;
use arbiter::Case;
use delivery::{Claimed, Presented, Reported};
use owner::Owner;
use proto::message::bank::{BankReply, BondReceipt, Settle};
use proto::message::market::Ticket;
use proto::message::service::{
    Acceptance, Blob, Cancel, Declined, NamedBlob, Offer, Outcome, Product, Progress, Recall, Report,
    ServiceMessage,
};
use proto::{
    CommandId, ContractId, Cycles, KeyPair, Peer, PublicKey, Refusal, RefusalCode, Rules, Signed, Span, Time,
};
use remembered::Remembered;
use saving::Savings;
use std::collections::BTreeMap;
use storage::Storage;

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
    /// Cycles metered, with what is in `more`.
    pub cycles: Cycles,
    /// The declared outputs that are there, in the store.
    pub outputs: Vec<NamedBlob>,
    /// Standard output, in the store.
    pub stdout: Option<Blob>,
    /// Standard error, in the store.
    pub stderr: Option<Blob>,
    /// What the repeats of the job came to that succeeded, in the store.
    pub more: Vec<Product>,
    /// Further repeats were not executed, or not to their end, for a reason that is this machine's and not their program's.
    pub is_cut: bool,
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
    /// Contracts that this node was to judge, and has, or will not.
    judged: Remembered,
    /// What the bank has been told to do, by the ids of the orders.
    orders: BTreeMap<CommandId, (ContractId, Errand)>,
    savings: Savings,
    storage: Storage,
    /// Papers that the bank is shown, and has not answered.
    presented: BTreeMap<ContractId, Presented>,
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
    /// How far its program says that it is, in millionths.
    done: Option<u32>,
    /// When it was last seen to move.
    moved_at: Time,
    is_cancelled: bool,
    next_action: Time,
    closes: Time,
    /// The bank's word for the bond, where there is one.
    bond: Option<Signed<BondReceipt>>,
    duty: Duty,
}

/// What a work is done for.
enum Duty {
    /// For its buyer, who pays.
    Sale,
    /// For the bank, which has to know who is right.
    Judgement(Case),
}

/// What an order to the bank was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Errand {
    Bond,
    Claim,
    Judge,
    Present,
    /// To pay a bill for room.
    Rent,
}

enum Stage {
    /// The bank is asked to put the bond up.
    Bonding,
    Staging,
    /// Everything is there, and the owner needs the machine.
    Staged,
    Running,
    /// Told to stop for this reason; a checkpoint may come until the next action is due.
    Stopping(&'static str),
    Reported(Box<Reported>),
    Accepted(Box<Settle>),
    Claimed(Box<Claimed>),
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
            judged: Remembered::default(),
            orders: BTreeMap::new(),
            savings: Savings::default(),
            storage: Storage::default(),
            presented: BTreeMap::new(),
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
        self.works_for(contract) || self.stores(contract)
    }

    /// Whether something is executed for a contract, was, or will be.
    pub(crate) fn works_for(&self, contract: ContractId) -> bool {
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
        self.note_address(from, &message);
        match message {
            ServiceMessage::Offer(offer) => self.offered(from, *offer, verify, now),
            ServiceMessage::Keep(keep) => self.keep(from, *keep, verify, now),
            ServiceMessage::Cancel(Cancel { contract }) if self.stores(contract) => {
                self.stop_keeping(from, contract, now);
            }
            ServiceMessage::Verdict(verdict) if self.stores(verdict.body.contract) => {
                self.bill_judged(from, &verdict, now);
            }
            ServiceMessage::Cancel(Cancel { contract }) => self.cancelled(from, contract, now),
            ServiceMessage::Recall(Recall { contract }) => self.recalled(from, contract),
            ServiceMessage::Taken(paper) => self.taken(from, &paper, now),
            ServiceMessage::Verdict(verdict) => self.heard_verdict(from, &verdict, now),
            _ => {}
        }
    }

    /// An answer of the bank, given back if it is not for the seller's side.
    pub(crate) fn bank_answered(&mut self, reply: BankReply, now: Time) -> Option<BankReply> {
        let Some((contract, errand)) = self.orders.remove(&reply.command) else { return Some(reply) };
        match errand {
            Errand::Bond => self.bond_answered(contract, reply.outcome, now),
            Errand::Claim => self.claim_answered(contract, reply.outcome, now),
            // Paid or refused: there is nothing more to do.
            Errand::Judge => {}
            Errand::Present => self.presented(contract, now),
            Errand::Rent => self.close_rent(contract),
        }
        None
    }

    /// Program and inputs are in the store, or could not be had.
    pub(crate) fn fetched(&mut self, contract: ContractId, result: Result<(), String>, now: Time) {
        self.stored(contract, &result, now);
        let Some(work) = self.works.get_mut(&contract) else { return };
        if !matches!(work.stage, Stage::Staging) {
            return;
        }
        if let Err(why) = result {
            if matches!(work.duty, Duty::Judgement(_)) {
                self.case_not_fetched(contract, why, now);
                return;
            }
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
        (work.next_action, work.moved_at) = (now, now);
        let mut job = work.offer.body.job.clone();
        if matches!(work.duty, Duty::Judgement(_)) {
            // A slow machine is no reason to find otherwise.
            job.limits.wall = work.closes.since(now);
        }
        self.effects.push_back(Effect::Execute { contract, job: Box::new(job) });
        if let Some(throttle_pct) = self.owner.throttle() {
            self.effects.push_back(Effect::Pace { contract, throttle_pct });
        }
        self.begin_saving(contract, now);
    }

    /// The execution ended.
    pub(crate) fn executed(&mut self, contract: ContractId, execution: Execution, now: Time) {
        let Some(work) = self.works.get(&contract) else { return };
        match (&work.stage, &work.duty) {
            (Stage::Running, Duty::Judgement(_)) => self.case_executed(contract, execution),
            (Stage::Running, Duty::Sale) if work.is_cancelled && execution.is_cut => {
                self.report(contract, Execution::nothing(Outcome::Cancelled), now);
            }
            (Stage::Running, Duty::Sale) => self.report(contract, execution, now),
            (&Stage::Stopping(why), _) => self.stopped(contract, why, execution, now),
            _ => {}
        }
    }

    /// Takes no more offers, gives up everything that is at work and claims what is owed.
    pub(crate) fn leave(&mut self, now: Time) {
        self.is_leaving = true;
        self.bill_all(now);
        let why = "its node leaves the network";
        for contract in self.works.keys().copied().collect::<Vec<_>>() {
            let Some(work) = self.works.get(&contract) else { continue };
            match &work.stage {
                _ if matches!(work.duty, Duty::Judgement(_)) => self.drop_case(contract),
                Stage::Reported(_) if self.can_claim(contract) => self.contend(contract, now),
                Stage::Accepted(_) => self.claim(contract),
                Stage::Reported(_) | Stage::Claimed(_) => {}
                Stage::Bonding | Stage::Staging | Stage::Staged | Stage::Running | Stage::Stopping(_) => {
                    self.effects.push_back(Effect::Stop { contract });
                    self.report(contract, Execution::nothing(Outcome::Abandoned(why.into())), now);
                }
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
        self.ask_for_states(now);
        self.look_at_storage(now);
        self.delivered.forget_until(now);
        self.signed_away.forget_until(now);
        self.judged.forget_until(now);
    }

    pub(crate) fn poll_timeout(&self) -> Option<Time> {
        let next = self.works.values().map(|work| work.next_action.min(work.closes)).min();
        let next = next.into_iter().chain(self.vacates_at());
        next.chain(self.next_state()).chain(self.next_of_storage()).min()
    }

    fn offered(&mut self, from: Peer, offer: Signed<Offer>, verify: &VerifyTicket<'_>, now: Time) {
        let contract = offer.body.contract;
        if let Some(work) = self.works.get(&contract) {
            if work.buyer.key == from.key && matches!(work.duty, Duty::Sale) {
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
        let (buyer, closes) = (offer.body.buyer, offer.body.hold.body.expires);
        let next_action = now.after(self.rules.sign_of_life());
        let work = Work {
            offer,
            buyer,
            stage: Stage::Bonding,
            cycles: Cycles(0),
            done: None,
            moved_at: now,
            is_cancelled: false,
            next_action,
            closes,
            bond: None,
            duty: Duty::Sale,
        };
        self.works.insert(contract, work);
        self.owner.took_one();
        self.effects.push_back(Effect::Take { ticket: contract });
        if self.rules.bond_percent > 0 {
            self.put_up(contract);
        } else {
            self.begin(contract, now);
        }
    }

    /// Accepts the offer, and fetches what it needs.
    fn begin(&mut self, contract: ContractId, now: Time) {
        let next_action = now.after(self.rules.sign_of_life());
        let Some(work) = self.works.get_mut(&contract) else { return };
        work.stage = Stage::Staging;
        work.next_action = next_action;
        let (from, blobs) = (work.buyer, work.offer.body.job.contents());
        self.record.hired(&work.offer, now);
        let (offer, bond) = (Box::new(work.offer.clone()), work.bond.clone().map(Box::new));
        self.note(Note::Hired { offer, bond });
        self.repeat_answer(contract);
        self.effects.push_back(Effect::Fetch { contract, from, blobs });
    }

    /// Ends the work: the slice is idle again at once, the report is repeated until the buyer judges it.
    fn report(&mut self, contract: ContractId, execution: Execution, now: Time) {
        self.end_saving(contract, &execution.outcome, now);
        let Some(work) = self.works.get_mut(&contract) else { return };
        self.record.ended();
        let Execution { outcome, cycles, outputs, stdout, stderr, more, .. } = execution;
        let offer = work.offer.hash();
        let report = Report { contract, offer, outcome, cycles, outputs, stdout, stderr, more };
        let report = Signed::new(report, &self.keys);
        self.effects.push_back(Effect::Append(Box::new(Note::Reported { report: Box::new(report.clone()) })));
        // What is not paid is shown without more ado; what is, to who has signed for it.
        let blobs = report.body.contents();
        if !report.body.outcome.is_payable() && !blobs.is_empty() {
            self.effects.push_back(Effect::Give { to: work.buyer.key, blobs });
        }
        work.stage = Stage::Reported(Box::new(Reported::new(report, work.closes)));
        work.next_action = now.after(REPEAT_REPORT);
        self.effects.push_back(Effect::Free { ticket: contract });
        self.repeat_answer(contract);
    }

    /// What is due for a contract: a sign of life, the report once more, the seller's own claim, or the end.
    fn act(&mut self, contract: ContractId, now: Time) {
        let sign_of_life = self.rules.sign_of_life();
        self.give_up_if_late(contract, now);
        self.end_if_stalled(contract, now);
        let Some(work) = self.works.get_mut(&contract) else { return };
        if matches!(work.duty, Duty::Judgement(_)) {
            self.look_at_case(contract, now);
            return;
        }
        if work.closes <= now {
            if work.is_active() {
                self.effects.push_back(Effect::Stop { contract });
                self.effects.push_back(Effect::Free { ticket: contract });
            }
            self.works.remove(&contract);
            return;
        }
        match &work.stage {
            Stage::Bonding | Stage::Staging | Stage::Staged | Stage::Running => {
                work.next_action = now.after(sign_of_life);
                let phase = work.phase(&self.owner);
                let message = ServiceMessage::Progress(Progress {
                    contract,
                    phase,
                    cycles: work.cycles,
                    done: work.done,
                });
                self.effects.push_back(Effect::Send { to: work.buyer, message });
                self.repeat_saved(contract);
            }
            Stage::Stopping(why) if work.next_action <= now => {
                let why = *why;
                self.stopped(contract, why, Execution::nothing(Outcome::Cancelled), now);
            }
            Stage::Stopping(_) => {}
            Stage::Reported(_) => self.look_at_report(contract, now),
            Stage::Accepted(_) => self.claim(contract),
            Stage::Claimed(_) if work.next_action <= now => self.order_claim(contract, now),
            Stage::Claimed(_) => {}
        }
    }

    fn repeat_answer(&mut self, contract: ContractId) {
        let Some(work) = self.works.get(&contract) else { return };
        let message = match &work.stage {
            Stage::Staging | Stage::Staged | Stage::Running => {
                let acceptance = Acceptance { contract, offer: work.offer.hash(), bond: work.bond.clone() };
                ServiceMessage::Accept(Box::new(Signed::new(acceptance, &self.keys)))
            }
            Stage::Reported(reported) => ServiceMessage::Report(Box::new(reported.report.clone())),
            Stage::Bonding | Stage::Stopping(_) | Stage::Accepted(_) | Stage::Claimed(_) => return,
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
        match self.stage {
            Stage::Bonding | Stage::Staging | Stage::Staged | Stage::Running | Stage::Stopping(_) => true,
            Stage::Reported(_) | Stage::Accepted(_) | Stage::Claimed(_) => false,
        }
    }

    const fn is_claimed(&self) -> bool {
        matches!(self.stage, Stage::Claimed(_))
    }
}

impl Execution {
    /// An end without a run.
    #[must_use]
    pub const fn nothing(outcome: Outcome) -> Self {
        let cycles = Cycles(0);
        Self {
            outcome,
            cycles,
            outputs: Vec::new(),
            stdout: None,
            stderr: None,
            more: Vec::new(),
            is_cut: false,
        }
    }
}
