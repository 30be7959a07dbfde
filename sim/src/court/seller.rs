//! The seller's side of a contract.

use super::case::Seller;
use super::deal::{Facts, Said, Word};
use super::papers;
use super::party::Party;
use proto::message::bank::{AcceptHold, Claim, Order, ReleaseHold};
use proto::message::service::{Declined, Offer, Report, Taken, Verdict};
use proto::{Refusal, RefusalCode, Signed, Span, Time};

/// How long the work takes.
const WORK: Span = Span::secs(3);
/// For how long a seller waits for the buyer's verdict before it claims.
const PATIENCE: Span = Span::secs(8);
/// How long after the offer a seller proves that it has delivered, where it has put a bond up: well before the hold's end.
const PROVES_AFTER: Span = Span::secs(35);
/// How long after the buyer has taken the outputs a seller gives in that has lied: it is objected to by then.
const GIVES_IN: Span = Span::secs(14);
/// How long after the offer the hold has ended for certain.
const TOO_LATE: Span = Span::secs(65);

/// What the seller knows.
#[derive(Debug, Default)]
pub(super) struct Selling {
    offer: Option<(Signed<Offer>, Time)>,
    begun_at: Option<Time>,
    /// What it has told.
    pub(super) report: Option<Signed<Report>>,
    taken: Option<(Signed<Taken>, Time)>,
    verdict: Option<Signed<Verdict>>,
}

impl Selling {
    /// The other side says something.
    pub(super) fn hear(&mut self, facts: &Facts, word: &Word, now: Time) -> Vec<Said> {
        match word {
            Word::Offer(offer) => {
                self.offer.get_or_insert_with(|| (Signed::clone(offer), now));
            }
            Word::Taken(paper) => {
                self.taken.get_or_insert_with(|| (paper.clone(), now));
                if !matches!(facts.roles.seller, Seller::Withholding | Seller::Vanishing) {
                    return vec![(facts.buyer, Word::Outputs)];
                }
            }
            Word::Verdict(paper) if paper.body.is_accepted => self.verdict = Some(paper.clone()),
            _ => {}
        }
        Vec::new()
    }

    /// Goes on.
    pub(super) fn act(&mut self, facts: &Facts, me: &mut Party, now: Time) -> Vec<Said> {
        let Some((offer, offered_at)) = self.offer.clone() else { return Vec::new() };
        if me.knows_end(facts) {
            return Vec::new();
        }
        if facts.roles.seller == Seller::Declining {
            return decline(facts, me);
        }
        let bond = papers::id("accept", &facts.id.0);
        if facts.asks_bond && facts.roles.seller != Seller::LazyBroke && !me.desk.is_done(bond) {
            me.order(bond, Order::AcceptHold(AcceptHold { hold: facts.id }));
            return Vec::new();
        }
        let begun_at = *self.begun_at.get_or_insert(now);
        let is_done = match facts.roles.seller {
            Seller::Vanishing => false,
            Seller::Late => now >= offered_at.after(TOO_LATE),
            _ => now >= begun_at.after(WORK),
        };
        if !is_done {
            return Vec::new();
        }
        let write = || {
            let told = papers::told(facts.roles.seller, &offer.body);
            papers::report(facts.id, offer.hash(), told, &me.keys)
        };
        let report = self.report.get_or_insert_with(write).clone();
        self.deliver(facts, me, &report, offered_at, now)
    }

    fn deliver(
        &self,
        facts: &Facts,
        me: &mut Party,
        report: &Signed<Report>,
        offered_at: Time,
        now: Time,
    ) -> Vec<Said> {
        let mut said = Vec::new();
        if self.taken.is_none() {
            said.push((facts.buyer, Word::Report(Box::new(report.clone()))));
        }
        if !report.body.outcome.is_payable() {
            release(facts, me, None, Some(report.clone()));
            return said;
        }
        let bold = papers::id("claim", &facts.id.0);
        let since = self.taken.as_ref().map(|(_, at)| at.after(GIVES_IN));
        let is_over = since.is_some_and(|since| now >= since) && me.desk.is_done(bold);
        if facts.roles.seller == Seller::Yielding && is_over {
            release(facts, me, None, None);
            return said;
        }
        if let Some(verdict) = &self.verdict {
            let order = Order::Settle(Box::new(papers::settle(facts, report, verdict)));
            me.order(papers::id("settled", &facts.id.0), order);
            return said;
        }
        let proves = facts.asks_bond && now >= offered_at.after(PROVES_AFTER);
        match (facts.roles.seller, &self.taken) {
            (Seller::Hasty | Seller::Late, _) => claim(facts, me, "proof", report, None),
            (Seller::Replaying, _) => claim(facts, me, "claim", report, Some(facts.former.clone())),
            (_, Some((taken, at))) if now >= at.after(PATIENCE) => {
                claim(facts, me, "claim", report, Some(taken.clone()));
            }
            (_, None) if proves => claim(facts, me, "proof", report, None),
            _ => {}
        }
        said
    }
}

fn claim(facts: &Facts, me: &mut Party, name: &str, report: &Signed<Report>, taken: Option<Signed<Taken>>) {
    let (hold, ticket, report) = (facts.id, facts.ticket.clone(), report.clone());
    me.order(papers::id(name, &facts.id.0), Order::Claim(Box::new(Claim { hold, ticket, report, taken })));
}

fn decline(facts: &Facts, me: &mut Party) -> Vec<Said> {
    let refusal = Refusal::new(RefusalCode::Policy, "not today", "");
    let paper = Signed::new(Declined { contract: facts.id, refusal }, &me.keys);
    release(facts, me, Some(paper.clone()), None);
    vec![(facts.buyer, Word::Decline(paper))]
}

fn release(
    facts: &Facts,
    me: &mut Party,
    declined: Option<Signed<Declined>>,
    report: Option<Signed<Report>>,
) {
    let order = ReleaseHold { hold: facts.id, declined, report };
    me.order(papers::id("gives back", &facts.id.0), Order::ReleaseHold(Box::new(order)));
}
