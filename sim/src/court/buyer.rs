//! The buyer's side of a contract.

use super::case::Buyer;
use super::deal::{Facts, HOLD_FOR, Said, Word};
use super::papers;
use super::party::Party;
use proto::message::bank::{BankOutcome, Dispute, HoldReceipt, Order, PlaceHold, ReleaseHold};
use proto::message::service::{Declined, Offer, Report};
use proto::{Signed, Span, Time};

/// For how long a buyer waits for outputs that it has taken before it disputes the claim on them.
const OUTPUTS_WITHIN: Span = Span::secs(6);

/// What the buyer knows.
#[derive(Debug, Default)]
pub(super) struct Buying {
    pub(super) offer: Option<Signed<Offer>>,
    pub(super) report: Option<Signed<Report>>,
    declined: Option<Signed<Declined>>,
    taken_at: Option<Time>,
    pub(super) has_outputs: bool,
    /// Whether an arbiter has asked for the work.
    is_judged: bool,
}

impl Buying {
    /// The other side says something.
    pub(super) fn hear(&mut self, facts: &Facts, word: &Word) {
        match word {
            Word::Report(report) if report.is_genuine_by(facts.seller_key) => {
                self.report.get_or_insert_with(|| Signed::clone(report));
            }
            Word::Decline(paper) if paper.is_genuine_by(facts.seller_key) => {
                self.declined = Some(paper.clone());
            }
            Word::Fetch => self.is_judged = true,
            Word::Outputs => self.has_outputs = self.taken_at.is_some(),
            _ => {}
        }
    }

    /// What an arbiter gets that asks for program and inputs.
    pub(super) const fn gives_contents(facts: &Facts) -> bool {
        !matches!(facts.roles.buyer, Buyer::Secretive | Buyer::Yielding)
    }

    /// Goes on.
    pub(super) fn act(&mut self, facts: &Facts, me: &mut Party, now: Time) -> Vec<Said> {
        if now < facts.begins || me.knows_end(facts) {
            return Vec::new();
        }
        let Some(receipt) = held(facts, me) else {
            let (seller, ticket, amount) = (facts.seller_key, facts.ticket.hash(), facts.amount);
            let order = PlaceHold { seller, ticket, amount, expires_in: HOLD_FOR };
            me.order(facts.id, Order::PlaceHold(order));
            return Vec::new();
        };
        if facts.roles.buyer == Buyer::Idle {
            return Vec::new();
        }
        let offer = self.offer.get_or_insert_with(|| write_offer(facts, receipt, me)).clone();
        if self.declined.is_some() || self.report.as_ref().is_some_and(|r| !r.body.outcome.is_payable()) {
            let (declined, report) = (self.declined.clone(), self.report.clone());
            let order = ReleaseHold { hold: facts.id, declined, report };
            me.order(papers::id("release", &facts.id.0), Order::ReleaseHold(Box::new(order)));
            return Vec::new();
        }
        match self.report.clone() {
            None => vec![(facts.seller, Word::Offer(Box::new(offer)))],
            Some(report) => self.judge(facts, me, &offer, &report, now),
        }
    }

    /// There is a report that is to be paid.
    fn judge(
        &mut self,
        facts: &Facts,
        me: &mut Party,
        offer: &Signed<Offer>,
        report: &Signed<Report>,
        now: Time,
    ) -> Vec<Said> {
        if facts.roles.buyer == Buyer::Absent {
            return Vec::new();
        }
        let taken_at = *self.taken_at.get_or_insert(now);
        let mut said = Vec::new();
        if !self.has_outputs {
            said.push((facts.seller, Word::Taken(papers::taken(facts.id, report, &me.keys))));
        }
        let is_late = now >= taken_at.after(OUTPUTS_WITHIN);
        let (accepts, objects) = match facts.roles.buyer {
            Buyer::Honest | Buyer::Broke => {
                let is_right = papers::is_right(&offer.body, &report.body);
                (is_right && self.has_outputs, !is_right && self.has_outputs || !self.has_outputs && is_late)
            }
            Buyer::OwnSeller => (true, false),
            Buyer::Quarrelsome | Buyer::Secretive => (false, self.has_outputs),
            Buyer::Yielding => (self.is_judged, self.has_outputs),
            Buyer::Silent | Buyer::Absent | Buyer::Idle => (false, false),
        };
        if accepts {
            let verdict = papers::accepted(facts.id, report, &me.keys);
            let order = Order::Settle(Box::new(papers::settle(facts, report, &verdict)));
            me.order(papers::id("settle", &facts.id.0), order);
            said.push((facts.seller, Word::Verdict(verdict)));
        }
        if objects && me.claimed.contains(&facts.id) {
            let dispute = Dispute { hold: facts.id, offer: offer.clone(), reason: "not what I know".into() };
            me.order(papers::id("dispute", &facts.id.0), Order::Dispute(Box::new(dispute)));
        }
        said
    }
}

/// The bank's word for the money, once it is set aside.
fn held(facts: &Facts, me: &Party) -> Option<Signed<HoldReceipt>> {
    match me.desk.answer(facts.id) {
        Some(BankOutcome::Held(receipt)) => Some(receipt.clone()),
        _ => None,
    }
}

fn write_offer(facts: &Facts, hold: Signed<HoldReceipt>, me: &Party) -> Signed<Offer> {
    let offer = Offer {
        contract: facts.id,
        task: papers::id("task", &facts.id.0),
        sub_task: 0,
        attempt: 1,
        buyer: facts.buyer_at,
        seller: facts.seller_key,
        job: facts.job.clone(),
        hold,
        ticket: facts.ticket.clone(),
    };
    Signed::new(offer, &me.keys)
}
