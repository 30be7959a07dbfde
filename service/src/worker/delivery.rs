//! From a report to the money: the outputs are shown to who has signed for them, and a seller whose buyer is silent, or
//! rejects what it has taken, presents its papers to the bank (DESIGN §5.4, 7).

use super::{CLAIM_AFTER, CLAIM_BEFORE_END, Errand, REMEMBER_FOR, REPEAT_REPORT, Stage, Work, Worker};
use crate::dispatch::follow_up;
use crate::effect::Effect;
use crate::journal::Note;
use proto::message::bank::{BankOutcome, Claim, ClaimReceipt, Ending, Order, Settle};
use proto::message::service::{Offer, Outcome, Report, Taken, Verdict};
use proto::{ContractId, Peer, Refusal, RefusalCode, Signed, Span, Time};

/// How long a buyer that has taken the outputs may be silent before the seller claims the price.
pub(super) const SILENCE: Span = Span::secs(120);
/// How long after the end of a claim the bank is asked what became of it, if it has not said so.
const ASK_AFTER: Span = Span::secs(5);
/// How long between two such questions.
const ASK_EVERY: Span = Span::secs(60);
/// How many arbiters a bank asks one after the other, and the time before them in which the buyer may object: how many
/// times the rules' time for a dispute a claim lasts at most.
const MOST_TURNS: u64 = 4;
/// How long a claim is remembered beyond its longest time, for a bank that was down meanwhile.
const OUTAGE: Span = Span::secs(3_600);

/// A report that waits for its buyer's word.
pub(super) struct Reported {
    pub(super) report: Signed<Report>,
    /// The buyer has taken the outputs.
    pub(super) taken: Option<Signed<Taken>>,
    /// When the seller claims, if it has `taken`.
    pub(super) claim_at: Time,
}

/// What the bank is shown of a contract whose buyer has accepted the result.
pub(super) struct Presented {
    pub(super) offer: Signed<Offer>,
    pub(super) settle: Box<Settle>,
}

/// A report whose price the seller claims.
pub(super) struct Claimed {
    pub(super) claim: Claim,
    /// Claims made: each is an order of its own, so that the bank says how the contract stands.
    pub(super) asked: u32,
}

impl Reported {
    pub(super) const fn new(report: Signed<Report>, closes: Time) -> Self {
        Self { report, taken: None, claim_at: closes }
    }

    /// When the papers are to be presented, if they are ever.
    fn claims_at(&self, work: &Work) -> Option<Time> {
        let latest = before_end(work.closes);
        match (&self.report.body.outcome, &work.bond) {
            (Outcome::Succeeded, _) if self.taken.is_some() => Some(self.claim_at.min(latest)),
            // To have delivered keeps the bond.
            (outcome, Some(_)) if outcome.is_payable() => Some(latest),
            _ => None,
        }
    }

    /// Whether silence would pay a claim: the bank pays for a success that was taken, and for a checkpoint only on the
    /// buyer's word, since nobody could judge it.
    fn would_pay(&self) -> bool {
        self.report.body.outcome == Outcome::Succeeded && self.taken.is_some()
    }
}

impl Claimed {
    pub(super) const fn report(&self) -> &Signed<Report> {
        &self.claim.report
    }
}

impl Worker {
    /// The buyer signs that it takes the outputs: from now on it is given them.
    pub(super) fn taken(&mut self, from: Peer, paper: &Signed<Taken>, now: Time) {
        let contract = paper.body.contract;
        let Some(work) = self.works.get_mut(&contract) else { return };
        let buyer = work.buyer.key;
        if from.key != buyer || !paper.is_genuine_by(buyer) {
            return;
        }
        let is_meant =
            |report: &Signed<Report>| report.body.outcome.is_payable() && report.hash() == paper.body.report;
        match &mut work.stage {
            Stage::Reported(reported) if is_meant(&reported.report) => {
                if reported.taken.is_none() {
                    reported.taken = Some(paper.clone());
                    reported.claim_at = now.after(SILENCE);
                    let note = Note::Given { taken: paper.clone() };
                    self.effects.push_back(Effect::Append(Box::new(note)));
                }
                let blobs = reported.report.body.contents();
                self.effects.push_back(Effect::Give { to: buyer, blobs });
            }
            Stage::Claimed(claimed) if is_meant(&claimed.claim.report) => {
                let blobs = claimed.claim.report.body.contents();
                self.effects.push_back(Effect::Give { to: buyer, blobs });
                if claimed.claim.taken.is_none() {
                    claimed.claim.taken = Some(paper.clone());
                    self.note(Note::Given { taken: paper.clone() });
                    self.order_claim(contract, now);
                }
            }
            _ => {}
        }
    }

    /// The buyer's word on a report.
    pub(super) fn heard_verdict(&mut self, from: Peer, verdict: &Signed<Verdict>, now: Time) {
        let contract = verdict.body.contract;
        let Some(work) = self.works.get(&contract) else { return };
        let (report, is_claimed) = match &work.stage {
            Stage::Reported(reported) => (&reported.report, false),
            Stage::Claimed(claimed) => (claimed.report(), true),
            _ => return,
        };
        if !verdict.is_genuine_by(work.buyer.key)
            || from.key != work.buyer.key
            || verdict.body.report != report.hash()
        {
            return;
        }
        let is_payable = report.body.outcome.is_payable();
        match (verdict.body.is_accepted && is_payable, is_claimed) {
            (true, false) => self.accept(contract, verdict, now),
            (true, true) => self.accepted_late(contract, verdict, now),
            (false, false) => self.rejected(contract, now),
            (false, true) => {}
        }
    }

    /// The buyer accepts the report: it is paid whoever presents the papers.
    fn accept(&mut self, contract: ContractId, verdict: &Signed<Verdict>, now: Time) {
        let Some(work) = self.works.get_mut(&contract) else { return };
        let report = match &work.stage {
            Stage::Reported(reported) => reported.report.clone(),
            Stage::Claimed(claimed) => claimed.report().clone(),
            _ => return,
        };
        let ticket = work.offer.body.ticket.clone();
        self.record.paid(&work.offer, &report);
        let settle = Settle { hold: contract, ticket, report, verdict: verdict.clone() };
        work.stage = Stage::Accepted(Box::new(settle));
        // The buyer may have less than a claim's time left: then it is claimed at once.
        let spare = work.closes.since(now.after(CLAIM_BEFORE_END));
        work.next_action = now.after(CLAIM_AFTER.min(spare));
        self.delivered.insert(contract, work.closes.after(REMEMBER_FOR));
        self.note(Note::Judged { verdict: verdict.clone() });
    }

    /// Presents the papers of a result that the buyer has accepted; the desk repeats that until the bank answers.
    pub(super) fn claim(&mut self, contract: ContractId) {
        if let Some(Work { stage: Stage::Accepted(settle), offer, .. }) = self.works.remove(&contract) {
            let id = follow_up(&self.keys, contract, "claim");
            self.orders.insert(id, (contract, Errand::Present));
            self.presented.insert(contract, Presented { offer, settle: settle.clone() });
            self.effects.push_back(Effect::Order { id, order: Order::Settle(settle) });
        }
    }

    /// The bank has answered what it was shown: it has paid, or had done so before.
    pub(super) fn presented(&mut self, contract: ContractId, now: Time) {
        self.presented.remove(&contract);
        self.note(Note::Closed { contract, until: now.after(REMEMBER_FOR) });
    }

    /// The report once more, or the claim, whichever is due.
    pub(super) fn look_at_report(&mut self, contract: ContractId, now: Time) {
        let Some(work) = self.works.get(&contract) else { return };
        let Stage::Reported(reported) = &work.stage else { return };
        let claims_at = reported.claims_at(work);
        if claims_at.is_some_and(|at| at <= now) {
            self.contend(contract, now);
            return;
        }
        let again = now.after(REPEAT_REPORT);
        if let Some(work) = self.works.get_mut(&contract) {
            work.next_action = claims_at.map_or(again, |at| again.min(at));
        }
        self.repeat_answer(contract);
    }

    /// The buyer rejects the report. What it has taken the seller believes in, and a second execution may decide; what
    /// it has not taken is signed away, so that the money of both need not wait for the hold's end. A checkpoint is
    /// signed away as well: no second execution comes to the same one.
    fn rejected(&mut self, contract: ContractId, now: Time) {
        let Some(Work { stage: Stage::Reported(reported), .. }) = self.works.get(&contract) else { return };
        if reported.would_pay() {
            self.contend(contract, now);
            return;
        }
        let is_payable = reported.report.body.outcome.is_payable();
        let Some(work) = self.works.remove(&contract) else { return };
        self.note(Note::Closed { contract, until: Time(0) });
        if is_payable {
            let refusal = Refusal::new(RefusalCode::Mismatch, "the buyer did not accept the result", "");
            self.decline(work.buyer, contract, refusal, now);
        }
    }

    /// Whether a claim for a contract would pay.
    pub(super) fn can_claim(&self, contract: ContractId) -> bool {
        let stage = self.works.get(&contract).map(|work| &work.stage);
        matches!(stage, Some(Stage::Reported(reported)) if reported.would_pay())
    }

    /// Claims the price.
    pub(super) fn contend(&mut self, contract: ContractId, now: Time) {
        let lasts = self.claim_lasts();
        let Some(work) = self.works.get_mut(&contract) else { return };
        let Stage::Reported(reported) = &work.stage else { return };
        let (report, taken) = (reported.report.clone(), reported.taken.clone());
        let claim = Claim { hold: contract, ticket: work.offer.body.ticket.clone(), report, taken };
        work.stage = Stage::Claimed(Box::new(Claimed { claim, asked: 0 }));
        work.closes = work.closes.max(now).after(lasts);
        self.order_claim(contract, now);
    }

    /// How long a claim is remembered.
    pub(super) const fn claim_lasts(&self) -> Span {
        Span(self.rules.dispute.0.saturating_mul(MOST_TURNS)).plus(OUTAGE)
    }

    /// Orders the claim, or asks how it stands: a claim that stands is told again, one that has ended is refused by
    /// its end.
    pub(super) fn order_claim(&mut self, contract: ContractId, now: Time) {
        let Some(work) = self.works.get_mut(&contract) else { return };
        let Stage::Claimed(claimed) = &mut work.stage else { return };
        let id = follow_up(&self.keys, contract, &format!("claim {}", claimed.asked));
        claimed.asked += 1;
        work.next_action = now.after(ASK_EVERY);
        let note = Note::Contended { contract, asked: claimed.asked };
        let order = Order::Claim(Box::new(claimed.claim.clone()));
        self.orders.insert(id, (contract, Errand::Claim));
        self.note(note);
        self.effects.push_back(Effect::Order { id, order });
    }

    /// The bank's answer to a claim.
    pub(super) fn claim_answered(&mut self, contract: ContractId, outcome: BankOutcome, now: Time) {
        let Some(work) = self.works.get_mut(&contract) else { return };
        if !matches!(work.stage, Stage::Claimed(_)) {
            return;
        }
        match outcome {
            BankOutcome::Claimed(ClaimReceipt { until, .. }) => {
                work.next_action = until.after(ASK_AFTER).max(now.after(ASK_AFTER));
            }
            // It stands already, or is being judged.
            BankOutcome::Refused(refusal) if refusal.code == RefusalCode::WrongState => {
                work.next_action = now.after(ASK_EVERY);
            }
            // The buyer has paid meanwhile, or its silence has.
            BankOutcome::Refused(refusal) if refusal.code == RefusalCode::HoldClosed => {
                self.count_claim(contract);
                self.close_claim(contract, now);
            }
            BankOutcome::Refused(refusal) => {
                let message = format!("the bank does not pay for contract {contract:#}: {refusal}");
                self.effects.push_back(Effect::Warn { message });
                self.close_claim(contract, now);
            }
            _ => {}
        }
    }

    /// The bank tells that a contract has ended.
    pub(crate) fn ended(&mut self, ending: &Ending, now: Time) {
        let contract = ending.hold;
        let is_claimed = self.works.get(&contract).is_some_and(Work::is_claimed);
        if ending.seller != self.me.key || !is_claimed {
            return;
        }
        if ending.how.is_paid() {
            self.record.earned(ending.shares.seller.checked_sub(ending.shares.seller_held));
        } else {
            let how = ending.how.name();
            let message = format!("contract {contract:#} has ended without pay: {how}");
            self.effects.push_back(Effect::Warn { message });
        }
        self.close_claim(contract, now);
    }

    /// The buyer accepts what is claimed already: the bank is shown its word at once.
    fn accepted_late(&mut self, contract: ContractId, verdict: &Signed<Verdict>, now: Time) {
        self.accept(contract, verdict, now);
        self.claim(contract);
    }

    fn count_claim(&mut self, contract: ContractId) {
        let Some(work) = self.works.get(&contract) else { return };
        if let Stage::Claimed(claimed) = &work.stage {
            self.record.paid(&work.offer, &claimed.claim.report);
        }
    }

    /// Nothing more is to be had for a contract; it is never signed away all the same.
    fn close_claim(&mut self, contract: ContractId, now: Time) {
        self.works.remove(&contract);
        let until = now.after(REMEMBER_FOR);
        self.delivered.insert(contract, until);
        self.note(Note::Closed { contract, until });
    }
}

/// The last moment at which papers are presented that have to be there before `closes`.
const fn before_end(closes: Time) -> Time {
    Time(closes.0.saturating_sub(CLAIM_BEFORE_END.0))
}
