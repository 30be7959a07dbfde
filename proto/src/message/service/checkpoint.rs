//! What is said of the states of running programs, and of who keeps them (paper §V-C, DESIGN §5.8).
//!
//! The seller of compute power tells its buyer of each state that it has saved ([`Saved`]). The buyer has bought room in
//! the disk market, and tells each storage node what to keep there ([`Keep`]); it fetches that by itself and says what it
//! has ([`Kept`]).

use super::Blob;
use crate::id::{ContractId, Hash, Peer};
use crate::message::bank::HoldReceipt;
use crate::message::market::Ticket;
use crate::quantity::{Bytes, Cycles};
use crate::signed::{Paper, Signed};

/// How many states one contract of storage has room for: the newest, and the one before it as long as the newest is on
/// its way.
pub const KEPT_STATES: u64 = 2;

/// The most storage nodes that keep one state.
pub const MAX_COPIES: u32 = 16;

/// A state of a program, from which it goes on: whole, or as what has changed since a whole one. Never more than two
/// contents, so that not many have to be there for one to be of use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Checkpoint {
    /// What is written for it, compressed and encrypted with the key of the job.
    pub blob: Blob,
    /// The whole state that it is a difference to, if it is one.
    pub base: Option<Blob>,
}

impl Checkpoint {
    /// All that a state is read from, what it rests on first.
    pub fn contents(self) -> impl Iterator<Item = Blob> + Clone {
        self.base.into_iter().chain([self.blob])
    }

    /// What it takes to keep it.
    #[must_use]
    pub fn size(self) -> Bytes {
        self.contents().fold(Bytes(0), |sum, blob| Bytes(sum.0.saturating_add(blob.size.0)))
    }
}

impl From<Blob> for Checkpoint {
    /// A whole one.
    fn from(blob: Blob) -> Self {
        Self { blob, base: None }
    }
}

/// The state of a running program has been saved; signed by the seller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Saved {
    /// Which contract.
    pub contract: ContractId,
    /// Which state of it, from 1.
    pub version: u32,
    /// The cycles that were metered for this contract up to it.
    pub cycles: Cycles,
    /// The state.
    pub checkpoint: Checkpoint,
}

/// The state of a running program could not be saved; the program goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotSaved {
    /// Which contract.
    pub contract: ContractId,
    /// Why, in words.
    pub why: String,
}

/// The buyer of room says what is to be kept there: this, and nothing else. It says so again as long as it lasts, which
/// is the lease of the contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keep {
    /// Which contract: the id of ticket and hold.
    pub contract: ContractId,
    /// The match in the disk market.
    pub ticket: Signed<Ticket>,
    /// The money.
    pub hold: Signed<HoldReceipt>,
    /// What is to be kept: the contents of at most [`KEPT_STATES`].
    pub blobs: Vec<Blob>,
    /// Who has them, as far as the buyer knows.
    pub sources: Vec<Peer>,
}

/// What a storage node has of what it is to keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Which contract.
    pub contract: ContractId,
    /// The contents.
    pub hashes: Vec<Hash>,
}

impl Paper for Saved {
    const DOMAIN: &'static str = "saved";
}
