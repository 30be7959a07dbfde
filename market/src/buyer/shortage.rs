//! Why nothing was bought, in figures.

use crate::ticket::TicketFault;
use proto::message::market::NoSeller;
use proto::{Rate, RefusalCode};
use std::fmt;

/// What a purchase that ended without a seller came across. Sums over all owners asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shortage {
    /// Owners that answered.
    pub owners: u32,
    /// Markets whose owner could not be found, did not answer or refused.
    pub unreachable: u32,
    /// Listings looked at.
    pub listings: u32,
    /// Of these, fitting but dearer than the bid.
    pub too_dear: u32,
    /// Of these, not fitting the requirement, or not to be asked: the buyer's own, and those that it avoids.
    pub too_small: u32,
    /// The bid that they were compared with.
    pub bid: Rate,
    /// The lowest ask that fitted but for the price.
    pub lowest_ask: Option<Rate>,
    /// Tickets that were not true.
    pub false_tickets: u32,
    /// What was wrong with the last of them.
    pub last_fault: Option<TicketFault>,
    /// How an owner refused last.
    pub last_refusal: Option<RefusalCode>,
    /// Whether the search was ended by its deadline.
    pub is_out_of_time: bool,
}

impl Shortage {
    /// Whether the answer might have been another one had all owners been reached.
    #[must_use]
    pub const fn is_incomplete(&self) -> bool {
        self.unreachable > 0 || self.false_tickets > 0 || self.is_out_of_time
    }

    pub(crate) fn add_answer(&mut self, answer: &NoSeller) {
        self.owners = self.owners.saturating_add(1);
        self.listings = self.listings.saturating_add(answer.listings);
        self.too_dear = self.too_dear.saturating_add(answer.too_dear);
        self.too_small = self.too_small.saturating_add(answer.too_small);
        if answer.too_dear > 0 {
            let ask = answer.lowest_ask;
            self.lowest_ask = Some(self.lowest_ask.map_or(ask, |lowest| lowest.min(ask)));
        }
    }

    pub(crate) fn add_fault(&mut self, fault: TicketFault) {
        self.false_tickets = self.false_tickets.saturating_add(1);
        self.last_fault = Some(fault);
    }
}

impl fmt::Display for Shortage {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let s = |count: u32| if count == 1 { "" } else { "s" };
        write!(
            out,
            "{} listing{} at {} market owner{}: {} unfit or not to be asked",
            self.listings,
            s(self.listings),
            self.owners,
            s(self.owners),
            self.too_small
        )?;
        write!(out, ", {} above the bid", self.too_dear)?;
        if let Some(ask) = self.lowest_ask {
            write!(out, " of {} (lowest ask {ask})", self.bid)?;
        }
        if self.unreachable > 0 {
            write!(out, "; {} markets could not be asked", self.unreachable)?;
        }
        if let Some(fault) = self.last_fault {
            write!(out, "; {} false tickets ({fault})", self.false_tickets)?;
        }
        if self.is_out_of_time {
            write!(out, "; out of time")?;
        }
        Ok(())
    }
}
