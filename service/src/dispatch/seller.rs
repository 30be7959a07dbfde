//! The buyer's dealings with the seller of an attempt, and with sellers that fell silent.

use super::experience::Seen;
use super::{Abandoned, Dispatch, State, Timer, follow_up, staging};
use crate::effect::Effect;
use crate::event::{EventKind, Verdict};
use proto::message::bank::BondReceipt;
use proto::message::service::{
    Acceptance, Cancel, Declined, Offer, Outcome, Phase, Progress, ServiceMessage,
};
use proto::{ContractId, Peer, Refusal, RefusalCode, Signed, Span, Time};

/// The wait before a silent seller is asked again to sign that nothing is owed; doubled each time.
pub(super) const FIRST_ASK_AGAIN: Span = Span::secs(1);
/// What the buyer's user reads of a sub-task that stands still.
const SUSPENDED: &str = "suspended by its owner, who needs the machine";
/// Attempts of one sub-task that sellers gave up in order and that do not count as failures. Beyond it they do, or
/// sellers that only pretend to work could keep a sub-task for ever.
const FREE_RETURNS: u32 = 16;
/// How long a seller that was given up is asked; its hold expires by itself in any case.
pub(super) const ASK_FOR: Span = Span::secs(3_600);
/// Releases of holds that nothing is known of, under way at once: anybody can claim to be such a seller.
const MAX_STRAYS: usize = 64;

impl Dispatch {
    /// A message from whoever holds the key of `from`.
    pub(crate) fn receive(&mut self, from: Peer, message: ServiceMessage, now: Time) {
        let Some(message) = self.hear_of_states(from, message, now) else { return };
        let contract = match &message {
            ServiceMessage::Accept(paper) => paper.body.contract,
            ServiceMessage::Decline(paper) => paper.body.contract,
            ServiceMessage::Progress(progress) => progress.contract,
            ServiceMessage::Report(paper) => paper.body.contract,
            _ => return,
        };
        if self.abandoned.get(&contract).is_some_and(|left| left.seller.key == from.key) {
            self.hear_abandoned(from, message);
            return;
        }
        let Some((_, _, run)) = self.attempt(contract) else {
            self.answer_stray(from, message);
            return;
        };
        let Some(attempt) = run.attempt.as_mut().filter(|attempt| attempt.seller().key == from.key) else {
            return;
        };
        attempt.last_heard = now;
        attempt.at = from;
        attempt.is_doubtful = false;
        match message {
            ServiceMessage::Accept(paper) => self.accepted(&paper, now),
            ServiceMessage::Decline(paper) => self.declined(paper, now),
            ServiceMessage::Progress(progress) => self.progressed(progress, now),
            ServiceMessage::Report(paper) => self.reported(*paper, now),
            _ => {}
        }
    }

    /// The connection to `peer` broke: offers are sent again to see whether it is still there; when that
    /// fails as well, the attempt is lost without waiting for the lease.
    pub(crate) fn unreachable(&mut self, peer: Peer, now: Time) {
        self.room_unreachable(peer, now);
        let concerned: Vec<ContractId> = self.contracts.keys().copied().collect();
        for contract in concerned {
            let Some((task, index, run)) = self.attempt(contract) else { continue };
            if !run.state.is_sellers_turn() {
                continue;
            }
            // A seller that has come back at another address is not the one that cannot be reached.
            let attempt = run.attempt.as_mut().filter(|attempt| attempt.seller() == peer);
            let Some(attempt) = attempt else { continue };
            if attempt.is_doubtful {
                self.lose(task, index, now);
            } else if let Some(offer) = attempt.offer.clone() {
                attempt.is_doubtful = true;
                let message = ServiceMessage::Offer(Box::new(offer));
                self.effects.push_back(Effect::Send { to: peer, message });
            }
        }
    }

    pub(crate) fn handle_timeouts(&mut self, now: Time) {
        while let Some(timer) = self.timers.pop_due(now) {
            match timer {
                Timer::Place(task) => self.place(task, now),
                Timer::Lease(contract) => self.look_at_lease(contract, now),
                Timer::Abandoned(contract) => self.ask_again(contract, now),
                Timer::Objection(contract) => self.drop_objection(contract),
                Timer::Room(contract) => self.look_at_room(contract, now),
                Timer::Straggler(contract) => self.look_at_straggler(contract, now),
                Timer::Rested(task, index) => self.has_rested(task, index, now),
                Timer::Deadline(task, index) => self.is_too_late(task, index, now),
            }
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Time> {
        self.timers.first()
    }

    /// Gives up what is with a seller; the seller is asked to stop and to sign that nothing is owed.
    pub(super) fn abandon_attempt(&mut self, task: ContractId, index: u32, now: Time) {
        let Some(run) = self.run(task, index) else { return };
        let is_concerned = run.state == State::Holding || run.state.is_with_seller();
        let Some(attempt) = run.attempt.as_ref().filter(|_| is_concerned) else { return };
        let (contract, seller) = (attempt.contract, attempt.seller());
        self.timers.clear(Timer::Lease(contract));
        self.leave_to(contract, Abandoned::new(seller, now));
        self.ask_again(contract, now);
    }

    fn accepted(&mut self, paper: &Signed<Acceptance>, now: Time) {
        let contract = paper.body.contract;
        let Some((task, index, run)) = self.attempt(contract) else { return };
        let Some(offer) = run.attempt.as_ref().and_then(|attempt| attempt.offer.clone()) else { return };
        if run.state != State::Offered || offer.hash() != paper.body.offer {
            return;
        }
        if !run.is_signed_by_seller(paper) {
            return;
        }
        run.fruitless_since = None;
        if let Err(refusal) = check_bond(&paper.body, &offer.body, self.rules.bond_percent, self.bank) {
            self.abandon_attempt(task, index, now);
            self.try_again_or_end(task, index, Verdict::Declined(refusal), now);
            return;
        }
        self.become_state(task, index, State::Staging);
        self.tell(task, EventKind::Staging { sub_task: index }, now);
    }

    fn declined(&mut self, paper: Signed<Declined>, now: Time) {
        let contract = paper.body.contract;
        let Some((task, index, run)) = self.attempt(contract) else { return };
        if !run.state.is_sellers_turn() || !run.is_signed_by_seller(&paper) {
            return;
        }
        let refusal = paper.body.refusal.clone();
        run.avoid.push(paper.signer);
        run.why = format!("declined: {refusal}");
        // What may pass by itself is tried again as long as the patience lasts.
        run.failures += u32::from(!refusal.is_retryable);
        let is_hopeless = run.failures > run.plan.retries;
        self.timers.clear(Timer::Lease(contract));
        self.release(contract, Some(paper), None);
        if is_hopeless {
            self.end(task, index, Verdict::Declined(refusal), now);
        } else {
            self.retry(task, index, format!("declined: {refusal}"), Span(0), now);
        }
    }

    fn progressed(&mut self, progress: Progress, now: Time) {
        let Some((task, index, run)) = self.attempt(progress.contract) else { return };
        let state = run.state;
        let Some(attempt) = run.attempt.as_mut() else { return };
        attempt.hear_progress(&progress, now);
        let (next, event) = match progress.phase {
            Phase::Staging => (State::Staging, EventKind::Staging { sub_task: index }),
            Phase::Running => (State::Running, EventKind::Running { sub_task: index }),
            Phase::Suspended => (State::Suspended, EventKind::Suspended { sub_task: index }),
        };
        // A sign of life may come late, or before the acceptance: then it is no news.
        let is_accepted = matches!(state, State::Staging | State::Running | State::Suspended);
        if !is_accepted || !state.may_become(next) {
            return;
        }
        attempt.note(progress.phase, now);
        run.why = if next == State::Suspended { SUSPENDED.into() } else { String::new() };
        let contract = progress.contract;
        self.become_state(task, index, next);
        if next == State::Running {
            self.watch_straggler(contract, now);
        }
        self.tell(task, event, now);
    }

    /// The seller's turn: silence for a lease loses the attempt, and so does running for longer than the limit
    /// on time allows. An offer that is not answered is sent again, since it or its answer may have been lost.
    fn look_at_lease(&mut self, contract: ContractId, now: Time) {
        let (lease, again) = (self.rules.lease, self.rules.sign_of_life());
        let Some((task, index, run)) = self.attempt(contract) else { return };
        let (state, wall) = (run.state, run.plan.job.limits.wall);
        let stage_within = staging::within(&run.plan.job);
        match state {
            State::Fetching => return self.look_at_fetch(contract, now),
            State::Voting => return self.look_at_vote(contract, now),
            _ => {}
        }
        let Some(attempt) = run.attempt.as_ref() else { return };
        let over = attempt.over(stage_within, wall.plus(lease), now);
        let deadline = attempt.last_heard.after(lease).min(over);
        let is_sellers_turn = state.is_sellers_turn();
        let is_stalled = state == State::Running && attempt.is_stalled(now);
        if is_sellers_turn && (deadline <= now || is_stalled) {
            self.lose(task, index, now);
            return;
        }
        if let (State::Offered, Some(offer)) = (state, attempt.offer.clone()) {
            let to = attempt.seller();
            self.effects.push_back(Effect::Send { to, message: ServiceMessage::Offer(Box::new(offer)) });
        }
        let next = now.after(if state == State::Offered { again } else { lease });
        self.watch(if is_sellers_turn { next.min(deadline) } else { next }, Timer::Lease(contract));
    }

    fn lose(&mut self, task: ContractId, index: u32, now: Time) {
        self.abandon_attempt(task, index, now);
        let Some(run) = self.run(task, index) else { return };
        let verdict = Verdict::Lost { attempts: run.attempts };
        self.try_again_or_end(task, index, verdict, now);
    }

    /// After a failed attempt: another one elsewhere, or the end with `verdict`.
    pub(super) fn try_again_or_end(&mut self, task: ContractId, index: u32, verdict: Verdict, now: Time) {
        let Some(run) = self.run(task, index) else { return };
        let seller = run.attempt.as_ref().map(|attempt| attempt.seller().key);
        // That it is taken from a seller that failed a probe is not the sub-task's failure either.
        let is_taken = seller.is_some_and(|seller| self.is_distrusted(task, seller));
        let is_returned = is_taken
            || matches!(
                &verdict,
                Verdict::Failed(Outcome::Abandoned(_) | Outcome::Migrated(_) | Outcome::NotResumed(_))
            )
            || self.has_progressed(task, index);
        let has_not_begun = matches!(&verdict, Verdict::Failed(Outcome::NotResumed(_)));
        if has_not_begun {
            self.discredit(task, index);
        }
        let Some(run) = self.run(task, index) else { return };
        run.returns += u32::from(is_returned);
        run.failures += u32::from(!is_returned || run.returns > FREE_RETURNS);
        run.why = verdict.to_string();
        let is_worth_retrying = match &verdict {
            Verdict::Failed(outcome) => outcome.is_worth_retrying(),
            _ => true,
        };
        let is_over = !is_worth_retrying || run.failures > run.plan.retries;
        // Who gave it up in order has not failed; but no seller has two replicas of one sub-task, if it has begun one.
        let has_failed = !is_returned || (run.head.is_some() && !has_not_begun);
        let rest = if is_returned { Span(0) } else { run.plan.backoff };
        run.avoid.extend(seller);
        if let Some(contract) = run.contract() {
            self.timers.clear(Timer::Lease(contract));
        }
        if let (Some(seller), Some(run)) = (seller.filter(|_| has_failed), self.tasks.get_mut(&task)) {
            run.shun(index, seller);
        }
        // A program that fails by itself says nothing of who ran it; what is rejected is noted where it is.
        let is_sellers = is_worth_retrying && !is_returned && !matches!(verdict, Verdict::Rejected(_));
        if let Some(seller) = seller.filter(|_| is_sellers) {
            self.memory.note(seller, Seen::Failed, now);
        }
        if is_over {
            self.end(task, index, verdict, now);
        } else {
            self.retry(task, index, verdict.to_string(), rest, now);
        }
    }

    /// A seller that was given up speaks again: what it signs frees the hold.
    fn hear_abandoned(&mut self, from: Peer, message: ServiceMessage) {
        if let Some(contract) = self.release_on(from, message, "the buyer had given this attempt up") {
            self.forget_left(contract);
        }
    }

    /// A seller speaks of a contract that is over, or that this node forgot in a restart. Its verdict may have
    /// been lost, and a hold of a former life comes back on its word.
    fn answer_stray(&mut self, from: Peer, message: ServiceMessage) {
        if self.strays.len() >= MAX_STRAYS {
            return;
        }
        let reason = "the buyer knows of no such contract that is open";
        if let Some(contract) = self.release_on(from, message, reason) {
            self.strays.insert(follow_up(&self.keys, contract, "release"));
        }
    }

    /// Releases the hold of a contract if `from` signs that nothing is owed for it; a report is rejected, and a
    /// seller that hears this of a success then signs so. Tells which hold was released.
    fn release_on(&mut self, from: Peer, message: ServiceMessage, reason: &str) -> Option<ContractId> {
        match message {
            ServiceMessage::Decline(paper) if paper.is_genuine_by(from.key) => {
                let contract = paper.body.contract;
                self.release(contract, Some(paper), None);
                Some(contract)
            }
            ServiceMessage::Report(paper) if paper.is_genuine_by(from.key) => {
                self.reject(from, &paper, reason);
                let contract = paper.body.contract;
                (!paper.body.outcome.is_payable()).then(|| {
                    self.release(contract, None, Some(*paper));
                    contract
                })
            }
            _ => None,
        }
    }

    pub(super) fn ask_again(&mut self, contract: ContractId, now: Time) {
        let Some(left) = self.abandoned.get_mut(&contract) else { return };
        if now >= left.until {
            self.abandoned.remove(&contract);
            return;
        }
        let wait = FIRST_ASK_AGAIN.times(1 << left.tries.min(6));
        left.tries += 1;
        let seller = left.seller;
        self.watch(now.after(wait), Timer::Abandoned(contract));
        let message = ServiceMessage::Cancel(Cancel { contract });
        self.effects.push_back(Effect::Send { to: seller, message });
    }
}

/// Whether the seller has put up the bond that the network's rules ask for (`reference/ledger.md` §3, 8).
fn check_bond(
    acceptance: &Acceptance,
    offer: &Offer,
    percent: u16,
    bank: proto::PublicKey,
) -> Result<(), Refusal> {
    let is_bond = |receipt: &Signed<BondReceipt>| {
        let body = &receipt.body;
        receipt.is_genuine_by(bank)
            && (body.bank, body.hold, body.seller) == (bank, offer.contract, offer.seller)
            && body.bond >= bank::bond(offer.hold.body.amount, percent)
    };
    if percent == 0 || acceptance.bond.as_ref().is_some_and(is_bond) {
        return Ok(());
    }
    let message = format!("the seller has not put up its bond of {percent} % of what is set aside for it");
    Err(Refusal::new(RefusalCode::Mismatch, message, ""))
}
