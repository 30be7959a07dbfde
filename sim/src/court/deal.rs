//! One contract: the facts that do not change, and what either side knows.

use super::buyer::Buying;
use super::case::Roles;
use super::seller::Selling;
use proto::message::market::Ticket;
use proto::message::service::{Declined, Job, Offer, Report, Taken, Verdict};
use proto::{ContractId, Money, Peer, PublicKey, Signed, Span, Time};

/// For how long the money of a contract is set aside.
pub(super) const HOLD_FOR: Span = Span::secs(60);

/// What does not change.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    /// The id of its hold.
    pub(super) id: ContractId,
    pub(super) roles: Roles,
    /// The numbers of the parties.
    pub(super) buyer: usize,
    pub(super) seller: usize,
    /// Where the buyer is.
    pub(super) buyer_at: Peer,
    /// Whose work it is to be.
    pub(super) seller_key: PublicKey,
    pub(super) ticket: Signed<Ticket>,
    pub(super) job: Job,
    pub(super) amount: Money,
    /// When it begins.
    pub(super) begins: Time,
    /// What the buyer once signed for another contract.
    pub(super) former: Signed<Taken>,
    /// Whether the network's rules ask the seller for a bond.
    pub(super) asks_bond: bool,
}

/// A contract.
#[derive(Debug)]
pub(super) struct Deal {
    pub(super) facts: Facts,
    pub(super) buying: Buying,
    pub(super) selling: Selling,
}

/// What parties say to each other.
#[derive(Clone, Debug)]
pub(super) enum Word {
    Offer(Box<Signed<Offer>>),
    Decline(Signed<Declined>),
    Report(Box<Signed<Report>>),
    Taken(Signed<Taken>),
    /// The outputs themselves.
    Outputs,
    Verdict(Signed<Verdict>),
    /// An arbiter asks for program and inputs.
    Fetch,
    /// Program and inputs.
    Contents,
}

impl Word {
    /// Its name in a trace.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Offer(_) => "offer",
            Self::Decline(_) => "decline",
            Self::Report(_) => "report",
            Self::Taken(_) => "taken",
            Self::Outputs => "outputs",
            Self::Verdict(_) => "verdict",
            Self::Fetch => "fetch",
            Self::Contents => "contents",
        }
    }
}

/// Something to be said, and to whom.
pub(super) type Said = (usize, Word);
