//! The arbiter: the bank has drawn this node to execute a disputed contract again, and tells what came out.
//!
//! It is work of the node's own that is not for sale: it goes through the same staging and the same executor, and the
//! owner's policy has the same say in it. An arbiter that may not, or cannot, stays silent: the bank draws another one
//! then. It never tells what depends on its own machine, such as how long the program took.

use super::offer::judge_job;
use super::{Duty, Errand, Execution, Stage, Work, Worker};
use crate::dispatch::follow_up;
use crate::effect::Effect;
use proto::message::bank::{Appointed, Appointment, Finding, Judge, Order};
use proto::message::service::{Offer, Outcome};
use proto::{ContractId, Cycles, Signed, Span, Time};

/// Disputed contracts that a node executes at once (issue 5, item 5).
const MAX_CASES: usize = 2;
/// How often an arbiter tries to fetch program and inputs before it tells that they are not to be had.
const FETCH_TRIES: u32 = 3;
/// The wait between two tries.
const FETCH_AGAIN: Span = Span::secs(5);

/// An appointment on its way to a finding.
pub(super) struct Case {
    appointment: Appointment,
    /// Fetches begun.
    fetches: u32,
}

impl Worker {
    /// The bank appoints this node to execute a disputed contract again.
    pub(crate) fn appointed(&mut self, appointed: Appointed, now: Time) {
        let Appointed { appointment, offer } = appointed;
        let contract = appointment.body.contract;
        if self.works.contains_key(&contract) || self.judged.contains(contract) {
            return;
        }
        let cases = self.works.values().filter(|work| matches!(work.duty, Duty::Judgement(_))).count();
        if cases >= MAX_CASES || !self.is_in_order(&appointment, &offer, now) || !self.is_allowed(&offer.body)
        {
            return;
        }
        let closes = appointment.body.until;
        let work = Work {
            buyer: offer.body.buyer,
            offer,
            stage: Stage::Staging,
            cycles: Cycles(0),
            done: None,
            moved_at: now,
            is_cancelled: false,
            next_action: closes,
            closes,
            bond: None,
            duty: Duty::Judgement(Case { appointment: appointment.body, fetches: 0 }),
        };
        self.works.insert(contract, work);
        self.fetch_case(contract);
    }

    /// What is due for a case: another try at its contents, or its end in silence.
    pub(super) fn look_at_case(&mut self, contract: ContractId, now: Time) {
        let Some(work) = self.works.get_mut(&contract) else { return };
        let is_due = work.next_action <= now;
        if is_due {
            work.next_action = work.closes;
        }
        if work.closes <= now {
            self.drop_case(contract);
        } else if is_due && matches!(work.stage, Stage::Staging) {
            self.fetch_case(contract);
        }
    }

    /// The contents of a case could not be had.
    pub(super) fn case_not_fetched(&mut self, contract: ContractId, why: String, now: Time) {
        let Some(work) = self.works.get_mut(&contract) else { return };
        let Duty::Judgement(case) = &work.duty else { return };
        let again = now.after(FETCH_AGAIN);
        if case.fetches < FETCH_TRIES && again < work.closes {
            work.next_action = again;
        } else {
            self.find(contract, Execution::nothing(Outcome::NotFetched(why)));
        }
    }

    /// The second execution has ended.
    pub(super) fn case_executed(&mut self, contract: ContractId, execution: Execution) {
        match execution.outcome {
            _ if execution.is_cut => self.close_case(contract),
            // Of this machine, and not of the program.
            Outcome::WallLimit(_)
            | Outcome::NotFetched(_)
            | Outcome::Cancelled
            | Outcome::Abandoned(_)
            | Outcome::Migrated(_) => self.close_case(contract),
            _ => self.find(contract, execution),
        }
    }

    /// Leaves a case without a word.
    pub(super) fn drop_case(&mut self, contract: ContractId) {
        if self.works.get(&contract).is_some_and(|work| matches!(work.stage, Stage::Running)) {
            self.effects.push_back(Effect::Stop { contract });
        }
        self.close_case(contract);
    }

    /// A case is over, and is not taken up again.
    fn close_case(&mut self, contract: ContractId) {
        if let Some(work) = self.works.remove(&contract) {
            self.judged.insert(contract, work.closes);
        }
    }

    /// Signs what came out, and has the bank decide by it.
    fn find(&mut self, contract: ContractId, execution: Execution) {
        let Some(work) = self.works.remove(&contract) else { return };
        self.judged.insert(contract, work.closes);
        let Duty::Judgement(Case { appointment, .. }) = work.duty else { return };
        let Execution { outcome, cycles, outputs, stdout, stderr, more, .. } = execution;
        let report = appointment.report;
        let finding = Finding { contract, report, outcome, cycles, outputs, stdout, stderr, more };
        let finding = Signed::new(finding, &self.keys);
        let id = follow_up(&self.keys, contract, "judge");
        self.orders.insert(id, (contract, Errand::Judge));
        let order = Order::Judge(Box::new(Judge { hold: contract, finding }));
        self.effects.push_back(Effect::Order { id, order });
    }

    fn fetch_case(&mut self, contract: ContractId) {
        let Some(work) = self.works.get_mut(&contract) else { return };
        let Duty::Judgement(case) = &mut work.duty else { return };
        case.fetches += 1;
        let (from, blobs) = (work.buyer, work.offer.body.job.contents());
        self.effects.push_back(Effect::Fetch { contract, from, blobs });
    }

    /// Whether the bank has appointed this node, for this offer, and there is time.
    fn is_in_order(&self, appointment: &Signed<Appointment>, offer: &Signed<Offer>, now: Time) -> bool {
        let (body, parties) = (&appointment.body, [offer.body.buyer.key, offer.body.seller]);
        appointment.is_genuine_by(self.bank)
            && body.bank == self.bank
            && body.arbiter == self.me.key
            && body.until > now
            && offer.body.contract == body.contract
            && offer.hash() == body.offer
            && offer.is_genuine_by(offer.body.buyer.key)
            && !parties.contains(&self.me.key)
    }

    /// Whether the owner allows it.
    fn is_allowed(&self, offer: &Offer) -> bool {
        let job = &offer.job;
        !self.is_leaving
            && self.owner.refusal().is_none()
            && judge_job(job, &offer.ticket.body.requirement).is_ok()
            && self.terms.allow(&offer.buyer, job).is_ok()
    }
}
