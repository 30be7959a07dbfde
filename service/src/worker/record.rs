//! A seller's own book: who hired it, and what it earned. Of this run only; the driver keeps the sum of all runs.

use crate::dispatch::shares;
use proto::message::service::{Offer, Report};
use proto::{Money, Peer, Rate, Signed, Time};

/// What a seller did since its node was started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// Contracts that it took on.
    pub hired: u64,
    /// Contracts that it has ended, with whatever report.
    pub ended: u64,
    /// Contracts whose result the buyer accepted.
    pub paid: u64,
    /// What these are worth: the bank pays it when it is shown the papers, which either side can do.
    pub earned: Money,
    /// The last contract that it took on.
    pub last: Option<Hire>,
}

/// A contract as its seller remembers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hire {
    /// When it was taken on.
    pub at: Time,
    /// For whom.
    pub buyer: Peer,
    /// What is paid for a Gc.
    pub price: Rate,
}

impl Record {
    pub(super) fn hired(&mut self, offer: &Signed<Offer>, now: Time) {
        self.hired = self.hired.saturating_add(1);
        let (buyer, price) = (offer.body.buyer, offer.body.ticket.body.clearing);
        self.last = Some(Hire { at: now, buyer, price });
    }

    pub(super) const fn ended(&mut self) {
        self.ended = self.ended.saturating_add(1);
    }

    /// The buyer has accepted a result: worth its cycles at the ticket's clearing price, at most what was set aside
    /// beyond the fee, as the bank reckons it; what the rule gives the market owner is not the seller's.
    pub(super) fn paid(&mut self, offer: &Signed<Offer>, report: &Signed<Report>) {
        self.earned(Some(worth(offer, report)));
    }

    /// The bank has paid so much for a contract.
    pub(super) fn earned(&mut self, worth: Option<Money>) {
        self.paid = self.paid.saturating_add(1);
        self.earned = Money(self.earned.0.saturating_add(worth.unwrap_or(Money::ZERO).0));
    }
}

fn worth(offer: &Signed<Offer>, report: &Signed<Report>) -> Money {
    let (seller, _) = shares(&offer.body.ticket.body, offer.body.hold.body.amount, report.body.cycles);
    seller
}
