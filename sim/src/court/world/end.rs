//! The end of a case: everything is back, and what came out is what was expected.

use super::{BEGINS, World};
use crate::court::case::{Buyer, Expected};
use crate::court::deal::HOLD_FOR;
use crate::court::docket::{Closed, MAX_ARBITERS};
use crate::court::outcome::Outcome;
use crate::court::shares::{self, Gains};
use crate::invariant::{Breach, Checked};
use proto::message::bank::How;
use proto::{Span, Time};
use std::collections::BTreeMap;

/// What may be added by outages, leaps of the clock and messages on their way.
const MARGIN: Span = Span::secs(2 * 3_600 + 300);
/// How long everything has to be quiet before the case is over.
const REST: Span = Span::secs(5);

impl World<'_> {
    /// When the last contract has begun.
    fn last_begins(&self) -> Time {
        let deals = u64::try_from(self.deals.len()).unwrap_or(0);
        Time(0).after(BEGINS).after(self.case.every.times(deals))
    }

    /// Whether every contract has ended.
    pub(super) fn is_over(&self) -> Result<bool, Breach> {
        let begun = self.last_begins();
        let dispute = Span(self.case.rules.dispute.0.saturating_mul(MAX_ARBITERS as u64 + 2));
        let limit = begun.after(HOLD_FOR).after(dispute).after(MARGIN);
        let has_ended = self.deals.iter().all(|deal| self.docket.closed.contains_key(&deal.facts.id));
        Breach::unless(self.now <= limit, "ends", || {
            let open = self.deals.iter().filter(|deal| !self.docket.closed.contains_key(&deal.facts.id));
            let open: Vec<String> = open.map(|deal| format!("{:?}", deal.facts.roles)).collect();
            format!("{} contracts have not ended: {}", open.len(), open.join(", "))
        })?;
        let is_quiet = self.upsets_ahead == 0
            && self.teller.kill.is_none()
            && self.teller.bank.is_some()
            && !self.teller.is_syncing();
        Ok(has_ended && is_quiet && self.docket.open.is_empty() && self.now >= begun.after(REST))
    }

    /// Checks what has to hold at the end.
    pub(super) fn conclude(&self) -> Result<Outcome, Breach> {
        let records = self.teller.records().map_err(|what| Breach::new("journal", what))?;
        let bank = self.teller.peer.key;
        let audited = bank::audit(bank, records.iter().cloned());
        let (totals, head) = audited.map_err(|error| Breach::new("audit", error.to_string()))?;
        Breach::unless(totals.held.0 == 0, "rest", || {
            format!("{} credits are held at the end", totals.held)
        })?;
        let known = self.teller.bank.as_ref().map(bank::Bank::head);
        Breach::unless(known == Some(head), "audit", || "the bank's head is not the journal's".into())?;
        self.check_expected()?;
        let mut ends = BTreeMap::new();
        for closed in self.closed() {
            *ends.entry(closed.ending.how).or_default() += 1;
        }
        Ok(Outcome {
            case: self.case.name,
            seed: self.seed,
            ends,
            gains: self
                .closed()
                .map(|closed| shares::told(&closed.ending.shares))
                .fold(Gains::default(), Gains::plus),
            work: self.closed().filter_map(work).sum(),
            drawn: self.drawn,
            records: records.len(),
            bank_starts: self.bank_starts,
            forged: self.forged,
            traffic: self.net.traffic,
            lasted: self.now.since(Time(0)),
            head,
        })
    }

    /// The contracts of the case that have ended.
    fn closed(&self) -> impl Iterator<Item = &Closed> {
        self.deals.iter().filter_map(|deal| self.docket.closed.get(&deal.facts.id))
    }

    fn check_expected(&self) -> Checked {
        let may: &[How] = match &self.case.expected {
            Expected::All(how) => std::slice::from_ref(how),
            Expected::OneOf(how) => how,
            Expected::AsRolesHaveIt => &How::ALL,
        };
        for deal in &self.deals {
            let closed = self.docket.closed.get(&deal.facts.id);
            let how = closed.map(|closed| closed.ending.how);
            let is_plain = deal.facts.roles.buyer != Buyer::Idle;
            Breach::unless(how.is_some_and(|how| may.contains(&how) || !is_plain), "expected", || {
                let how = how.map_or("never placed", How::name);
                format!("the contract of {:?} was {how}, expected was {may:?}", deal.facts.roles)
            })?;
        }
        Ok(())
    }
}

/// What the cycles of a contract cost, if there are any.
fn work(closed: &Closed) -> Option<i128> {
    closed.entry.bill.map(|bill| bill.deposit(closed.entry.at.amount))
}
