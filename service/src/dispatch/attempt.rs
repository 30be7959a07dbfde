//! One attempt at a sub-task, from its ticket on; and what is left of attempts that were given up.

use proto::message::market::Ticket;
use proto::message::service::{Offer, Report};
use proto::{ContractId, Cycles, Peer, Signed, Time};

pub(super) struct Attempt {
    /// Ticket, hold and contract have this one id.
    pub(super) contract: ContractId,
    pub(super) ticket: Signed<Ticket>,
    pub(super) offer: Option<Signed<Offer>>,
    pub(super) report: Option<Signed<Report>>,
    /// What the report names is in the store.
    pub(super) has_contents: bool,
    pub(super) offered_at: Time,
    pub(super) running_since: Option<Time>,
    pub(super) last_heard: Time,
    pub(super) cycles: Cycles,
    /// The connection to the seller broke and the offer was sent again to see whether it is still there.
    pub(super) is_doubtful: bool,
}

impl Attempt {
    pub(super) const fn new(ticket: Signed<Ticket>, now: Time) -> Self {
        let contract = ticket.body.id;
        Self {
            contract,
            ticket,
            offer: None,
            report: None,
            has_contents: false,
            offered_at: now,
            running_since: None,
            last_heard: now,
            cycles: Cycles(0),
            is_doubtful: false,
        }
    }

    pub(super) const fn seller(&self) -> Peer {
        self.ticket.body.winner.body.seller
    }
}

/// A contract that the buyer gave up while its hold may stand: the seller is asked to sign that nothing is
/// owed, until it does or the hold expires by itself.
pub(super) struct Abandoned {
    pub(super) seller: Peer,
    pub(super) until: Time,
    pub(super) tries: u32,
}
