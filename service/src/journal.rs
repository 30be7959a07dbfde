//! The journal of a node: what buyer and seller must not forget when their process ends.
//!
//! The core says what is to be written ([`crate::Output::Append`]), before anything is done that rests on it; the driver
//! makes it durable before it carries out what stands behind it (DESIGN §2). After a restart the core is given what was
//! written ([`crate::Input::Restore`]) together with the submissions, which the driver keeps as they were made. The buyer
//! takes its contracts up again then, the seller presents what it is owed for, and neither signs away what the other was
//! promised.
//!
//! A journal is replayed from its beginning, so it is replaced from time to time by what the state comes to
//! ([`crate::Node::notes`]).

mod encoding;
pub mod log;
mod replica;
mod saved;
mod voting;

pub use saved::{SavedState, Saving, States};
pub use voting::Voting;

use crate::checkpoint::Experience;
use crate::dispatch::Submission;
use crate::event::End;
use crate::plan::Part;
use proto::message::bank::BondReceipt;
use proto::message::market::Ticket;
use proto::message::service::{Blob, Offer, Report, Taken, Verdict};
use proto::{ContractId, Hash, Peer, PublicKey, Signed, Time};

/// One thing that a node must not forget.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the sentence at each variant names its fields")]
pub enum Note {
    /// Buyer: a seller was found, and the bank is about to be asked for the hold.
    Bought { task: ContractId, sub_task: u32, contract: ContractId, seller: Peer },
    /// Buyer: the money is set aside, and the seller is about to be asked.
    Offered { offer: Box<Signed<Offer>> },
    /// Buyer: it signs that it takes the outputs of this report.
    Taking { report: Box<Signed<Report>> },
    /// Buyer: it accepts the report that it has taken, and has the bank pay.
    Accepted { contract: ContractId },
    /// Buyer: a part of a sub-task is paid, and another seller goes on from there.
    Part { task: ContractId, sub_task: u32, part: Part },
    /// Buyer: an attempt has come to nothing; so many there were, and these sellers are not asked again.
    Tried { task: ContractId, sub_task: u32, tries: Tries },
    /// Buyer: a seller was given up, and is asked until then to sign that nothing is owed.
    Left { contract: ContractId, seller: Peer, until: Time },
    /// Buyer: that seller has signed, or the bank has decided.
    Freed { contract: ContractId },
    /// Buyer: it has rejected a result that it had signed for.
    Rejected { offer: Box<Signed<Offer>>, report: Hash, reason: String },
    /// Buyer: a sub-task has ended, or all that share its contract have: one note, so that none of them is bought again.
    Ended { task: ContractId, ends: Vec<(u32, End)> },
    /// Buyer: what there is of the saved states of a sub-task, or of the room for them.
    Saving(Saving),
    /// Buyer: what there is of the vote on a sub-task.
    Voting(Voting),
    /// Buyer: a task that has ended need not be remembered any more.
    Forgotten { task: ContractId },
    /// Seller: it takes an offer.
    Hired { offer: Box<Signed<Offer>>, bond: Option<Box<Signed<BondReceipt>>> },
    /// Seller: it reports.
    Reported { report: Box<Signed<Report>> },
    /// Seller: the buyer has signed for the outputs.
    Given { taken: Signed<Taken> },
    /// Seller: the buyer accepts the report.
    Judged { verdict: Signed<Verdict> },
    /// Seller: it has claimed its price so many times.
    Contended { contract: ContractId, asked: u32 },
    /// Seller: room on its disk is sold, until its money comes back.
    Rented { buyer: Peer, ticket: Box<Signed<Ticket>>, closes: Time },
    /// Seller: what is to be kept in room that it has sold, and since when something of it is here.
    Storing { contract: ContractId, blobs: Vec<Blob>, since: Option<Time> },
    /// Seller: what it has seen of its own failures so far.
    Worked { experience: Experience },
    /// Seller: nothing more is to be had for a contract, which it never signs away, and forgets then.
    Closed { contract: ContractId, until: Time },
}

/// The attempts at a sub-task so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tries {
    /// How many.
    pub attempts: u32,
    /// How many of them count as failures.
    pub failures: u32,
    /// How many were given up by their sellers in order.
    pub returns: u32,
    /// Sellers that are not asked again.
    pub avoid: Vec<PublicKey>,
    /// Why the last one came to nothing.
    pub why: String,
}

/// What a node gets back at its start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Tasks that had not ended, with the moment at which they were submitted.
    pub submissions: Vec<(Submission, Time)>,
    /// What was written down, in order.
    pub notes: Vec<Note>,
}
