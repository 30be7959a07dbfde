//! What was measured.

use super::script::Pooled;
use proto::{Hash, Span};

/// What a run came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Churned {
    /// Requests whose buyer stayed until they ended.
    pub requests: u64,
    /// Requests whose buyer went away meanwhile; they count nowhere else.
    pub abandoned: u64,
    /// Requests that ended in a contract, by the number of purchases that took: the first, the second, …
    pub contracts: Vec<u64>,
    /// Requests that found nobody until their patience was over.
    pub unserved: u64,
    /// Purchases that ended without a ticket.
    pub empty: u64,
    /// Tickets that buyers were given.
    pub tickets: u64,
    /// Of these, naming a seller that was gone when the ticket came.
    pub dead_tickets: u64,
    /// Tickets whose seller declined the offer.
    pub declined: u64,
    /// Tickets whose seller did not answer the offer.
    pub vanished: u64,
    /// Times that a market owner asked a seller for a slice.
    pub questions: u64,
    /// Of these, put to sellers that were gone.
    pub dead_questions: u64,
    /// From each request to its contract, in microseconds, in order.
    pub waits: Vec<u64>,
    /// Messages between buyers, owners and sellers for matches and offers.
    pub match_messages: u64,
    /// Messages that list, de-list and hand over.
    pub listing_messages: u64,
    /// Messages of the ring: its maintenance and all lookups.
    pub ring_messages: u64,
    /// Lookups of markets.
    pub lookups: u64,
    /// Sessions that began.
    pub arrivals: u64,
    /// Sessions that ended.
    pub departures: u64,
    /// Members of the ring at the end.
    pub members: u32,
    /// Events.
    pub events: u64,
    /// What came of the script; nothing without one.
    pub pooled: Pooled,
    /// Virtual time.
    pub lasted: Span,
    /// The hash over all events.
    pub trace: Hash,
}

impl Churned {
    /// Requests that ended in a contract at the `most`-th purchase or before.
    #[must_use]
    pub fn within(&self, most: usize) -> u64 {
        self.contracts.iter().take(most).sum()
    }

    /// Requests that ended in a contract.
    #[must_use]
    pub fn traded(&self) -> u64 {
        self.contracts.iter().sum()
    }

    /// The wait that so many in a thousand did not exceed.
    #[must_use]
    pub fn wait(&self, per_mille: usize) -> Span {
        let place = self.waits.len().saturating_mul(per_mille) / 1_000;
        let last = self.waits.len().saturating_sub(1);
        Span(self.waits.get(place.min(last)).copied().unwrap_or(0))
    }

    pub(super) fn contract(&mut self, matches: usize, wait: Span) {
        if self.contracts.len() < matches {
            self.contracts.resize(matches, 0);
        }
        if let Some(count) = matches.checked_sub(1).and_then(|place| self.contracts.get_mut(place)) {
            *count += 1;
        }
        self.waits.push(wait.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contracts_are_counted_by_their_match_and_waits_have_quantiles() {
        let mut churned = Churned::default();
        for (matches, wait) in [(1, 10), (3, 40), (1, 20), (2, 30)] {
            churned.contract(matches, Span(wait));
        }
        churned.waits.sort_unstable();
        assert_eq!((churned.contracts.clone(), churned.traded()), (vec![2, 1, 1], 4));
        assert_eq!([1, 2, 9].map(|most| churned.within(most)), [2, 3, 4]);
        assert_eq!([0, 500, 1_000].map(|part| churned.wait(part)), [Span(10), Span(30), Span(40)]);
        assert_eq!(Churned::default().wait(500), Span(0));
    }
}
