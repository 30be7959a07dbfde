//! What becomes of a rejected result: its seller may claim the price all the same, and then the buyer has the bank ask
//! for a second execution (DESIGN §5.4, 7). The sub-task itself goes on elsewhere meanwhile.

use super::{Dispatch, Timer, follow_up};
use crate::effect::Effect;
use crate::event::EventKind;
use crate::journal::Note;
use proto::message::bank::{BankOutcome, ClaimReceipt, Dispute, Ending, MAX_MEMO, Order};
use proto::message::service::Offer;
use proto::{ContractId, Hash, Money, RefusalCode, Signed, Span, Time};

/// Rejected results that are remembered at once; beyond it those go whose time ends first.
const MAX_OBJECTIONS: usize = 4_096;
/// How long a rejected result is remembered beyond the time of its contract: a bank that was down lets claims in later.
const OUTAGE: Span = Span::secs(3_600);
/// How many times the rules' time for a dispute a dispute lasts at most: the bank asks three arbiters one after the other.
const MOST_TURNS: u64 = 4;
/// How often a dispute is ordered while there is not enough money for it; the bank gives notice of a claim again and again.
const MOST_TRIES: u32 = 32;
/// Claims on contracts that nothing is known of, of which the user is told.
const MAX_UNKNOWN: usize = 64;

/// A result that the buyer has signed for and rejected.
pub(super) struct Objection {
    task: ContractId,
    sub_task: u32,
    offer: Signed<Offer>,
    report: Hash,
    reason: String,
    stage: Stage,
    /// Disputes ordered.
    tries: u32,
    until: Time,
}

/// Where it stands at the bank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The seller has not claimed.
    Silent,
    /// The seller claims.
    Claimed,
    /// The bank is told to dispute it.
    Disputing,
    /// A second execution decides.
    Disputed,
}

impl Objection {
    pub(super) fn new(
        task: ContractId,
        sub_task: u32,
        offer: Signed<Offer>,
        report: Hash,
        reason: String,
    ) -> Self {
        let until = offer.body.hold.body.expires.after(OUTAGE);
        Self { task, sub_task, offer, report, reason, stage: Stage::Silent, tries: 0, until }
    }

    /// What a journal says of it.
    pub(super) fn to_note(&self) -> Note {
        let (offer, reason) = (Box::new(self.offer.clone()), self.reason.clone());
        Note::Rejected { offer, report: self.report, reason }
    }
}

impl Dispatch {
    /// Remembers why a report was rejected, in case its seller claims the price; it may have done so already.
    pub(super) fn object(&mut self, contract: ContractId, why: &str, now: Time) {
        let Some((task, sub_task, run)) = self.attempt(contract) else { return };
        let Some(attempt) = run.attempt.as_ref() else { return };
        let (Some(offer), Some(report)) = (attempt.offer.clone(), &attempt.report) else { return };
        let (report, claim, lost) = (report.hash(), attempt.claim, attempt.lost);
        if let Some(lost) = lost {
            self.spend(task, lost, now);
            return;
        }
        let mut reason = why.to_owned();
        reason.truncate(reason.floor_char_boundary(MAX_MEMO));
        self.note(Note::Rejected { offer: Box::new(offer.clone()), report, reason: reason.clone() });
        self.remember_objection(Objection::new(task, sub_task, offer, report, reason));
        if let Some(claim) = claim {
            self.claimed(claim);
        }
    }

    /// Notes a rejected result, which may be one of a former life.
    pub(super) fn remember_objection(&mut self, objection: Objection) {
        let (contract, until) = (objection.offer.body.contract, objection.until);
        if self.objections.len() >= MAX_OBJECTIONS {
            let first = self.objections.iter().min_by_key(|(_, objection)| objection.until);
            if let Some(first) = first.map(|(contract, _)| *contract) {
                self.drop_objection(first);
            }
        }
        self.objections.insert(contract, objection);
        self.watch(until, Timer::Objection(contract));
    }

    /// The bank gives notice that a seller claims its price.
    pub(crate) fn claimed(&mut self, claim: ClaimReceipt) {
        let contract = claim.hold;
        // Nothing is paid for what nobody has taken.
        if !claim.is_taken {
            return;
        }
        let is_rejected = self.objections.contains_key(&contract);
        if let Some((_, _, run)) = self.attempt(contract).filter(|_| !is_rejected) {
            // It is being fetched or paid: what follows then counts.
            if let Some(attempt) = run.attempt.as_mut() {
                attempt.claim = Some(claim);
            }
            return;
        }
        let Some(objection) = self.objections.get_mut(&contract) else {
            self.tell_unknown(claim);
            return;
        };
        if objection.report != claim.report || matches!(objection.stage, Stage::Disputing | Stage::Disputed) {
            return;
        }
        objection.stage = Stage::Claimed;
        objection.until = objection.until.max(claim.until.after(OUTAGE));
        let until = objection.until;
        self.watch(until, Timer::Objection(contract));
        self.dispute(contract);
    }

    /// The bank's answer to a dispute.
    pub(super) fn dispute_answered(&mut self, contract: ContractId, outcome: BankOutcome, now: Time) {
        let lasts = Span(self.rules.dispute.0.saturating_mul(MOST_TURNS)).plus(OUTAGE);
        let Some(objection) = self.objections.get_mut(&contract) else { return };
        let (task, sub_task, tries) = (objection.task, objection.sub_task, objection.tries);
        match outcome {
            BankOutcome::Disputed(receipt) => {
                objection.stage = Stage::Disputed;
                objection.until = now.after(lasts);
                let until = objection.until;
                self.watch(until, Timer::Objection(contract));
                self.tell(task, EventKind::Disputed { sub_task, deposit: receipt.deposit }, now);
            }
            BankOutcome::Refused(refusal) => {
                objection.stage = Stage::Claimed;
                let is_over = !is_passing(refusal.code);
                if is_over {
                    self.drop_objection(contract);
                }
                if is_over || tries == 1 {
                    self.tell(task, EventKind::NotDisputed { sub_task, why: refusal.message }, now);
                }
            }
            _ => {}
        }
    }

    /// The bank tells that a contract has ended.
    pub(crate) fn ended(&mut self, ending: &Ending, now: Time) {
        let contract = ending.hold;
        if ending.buyer != self.me.key {
            return;
        }
        let lost = ending.shares.buyer_held.checked_sub(ending.shares.buyer).unwrap_or(Money::ZERO);
        if let Some(attempt) = self.attempt(contract).and_then(|(_, _, run)| run.attempt.as_mut()) {
            // What is being fetched is paid whatever comes of it.
            attempt.lost = ending.how.is_paid().then_some(lost);
            return;
        }
        self.forget_left(contract);
        self.note_freed(follow_up(&self.keys, contract, "release"));
        let Some(objection) = self.objections.get(&contract) else { return };
        let (task, sub_task) = (objection.task, objection.sub_task);
        self.drop_objection(contract);
        self.tell(task, EventKind::Judged { sub_task, how: ending.how, lost }, now);
        self.spend(task, lost, now);
    }

    /// Whether the buyer is in a claim or in a dispute about a contract.
    pub(super) fn is_contested(&self, contract: ContractId) -> bool {
        self.objections.get(&contract).is_some_and(|objection| objection.stage != Stage::Silent)
    }

    /// Whether it is in any.
    pub(super) fn is_any_contested(&self) -> bool {
        self.objections.values().any(|objection| objection.stage != Stage::Silent)
    }

    /// Its time is over.
    pub(super) fn drop_objection(&mut self, contract: ContractId) {
        self.objections.remove(&contract);
        self.timers.clear(Timer::Objection(contract));
    }

    /// Has the bank ask for a second execution. What it needs is kept for the arbiter.
    fn dispute(&mut self, contract: ContractId) {
        let keys = self.keys.clone();
        let Some(objection) = self.objections.get_mut(&contract) else { return };
        if objection.tries >= MOST_TRIES {
            return;
        }
        let id = follow_up(&keys, contract, &format!("dispute {}", objection.tries));
        objection.tries += 1;
        objection.stage = Stage::Disputing;
        let (offer, reason) = (objection.offer.clone(), objection.reason.clone());
        let blobs = offer.body.job.contents();
        self.disputes.insert(id, contract);
        self.effects.push_back(Effect::Keep { contract, blobs });
        let order = Order::Dispute(Box::new(Dispute { hold: contract, offer, reason }));
        self.effects.push_back(Effect::Order { id, order });
    }

    /// A seller claims for a contract that this node does not know, or has given up after it had taken the outputs: it
    /// is paid. The user hears of it once.
    fn tell_unknown(&mut self, claim: ClaimReceipt) {
        let contract = claim.hold;
        if self.told.contains(&contract) {
            return;
        }
        if self.told.len() >= MAX_UNKNOWN {
            self.told.pop_first();
        }
        self.told.insert(contract);
        let message = format!(
            "a seller claims its price for contract {contract:#}, whose outputs this node has taken; the node has \
             given it up, or was started anew since, and does not object: the seller is paid"
        );
        self.effects.push_back(Effect::Warn { message });
    }
}

/// Whether the same dispute may stand when the bank gives notice of the claim again.
const fn is_passing(code: RefusalCode) -> bool {
    use RefusalCode::{Busy, DiskFull, Frozen, NotEnoughMoney, Quota};
    matches!(code, NotEnoughMoney | Frozen | Busy | Quota | DiskFull)
}
