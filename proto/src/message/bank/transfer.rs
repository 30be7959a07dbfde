//! Money that moves outside of contracts: transfers, what the operator orders, and who may open an account.

use crate::id::{CommandId, RequestId};
use crate::key::PublicKey;
use crate::money::Money;
use crate::signed::{Paper, Signed};
use crate::time::Time;

/// How many payments one transfer may hold.
pub const MAX_PAYMENTS: usize = 4_096;
/// The longest memo of a transfer and the longest reason of an operator, in bytes.
pub const MAX_MEMO: usize = 140;

/// Opens the sender's account with the initial grant; done once, repeated freely.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenAccount {
    /// The operator's word for this account, where the network's rules ask for one.
    pub invitation: Option<Signed<Invitation>>,
    /// The proof of work, where the rules ask for one: with it, BLAKE3(domain ‖ bank ‖ account ‖ nonce) begins with so
    /// many zero bits ([`crate::admission::work`]).
    pub nonce: u64,
}

/// An account may be opened; signed by the bank's operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// For which bank.
    pub bank: PublicKey,
    /// For which account.
    pub account: PublicKey,
    /// Until when, by the bank's clock.
    pub expires: Time,
}

/// One line of a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payment {
    /// To which account.
    pub to: PublicKey,
    /// How much; more than nothing.
    pub amount: Money,
}

/// Moves available money of the sender to others: all payments or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// The payments, 1 to [`MAX_PAYMENTS`].
    pub payments: Vec<Payment>,
    /// What it is for, at most [`MAX_MEMO`] bytes.
    pub memo: String,
}

/// Issues money to an account; the operator's order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// To which account; it is made if it is not there.
    pub to: PublicKey,
    /// How much.
    pub amount: Money,
    /// Why, at most [`MAX_MEMO`] bytes.
    pub reason: String,
}

/// Freezes an account or frees it; the operator's order. A frozen account is paid, and cannot spend; its open holds
/// come to their end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Freeze {
    /// Which.
    pub account: PublicKey,
    /// Whether it is frozen from now on.
    pub is_frozen: bool,
    /// Why, at most [`MAX_MEMO`] bytes.
    pub reason: String,
}

/// An order stands in the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordedReceipt {
    /// The number of its record.
    pub sequence: u64,
    /// The record's time.
    pub time: Time,
}

/// Asks for the latest movements of the sender's account, the newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatementQuery {
    /// The asker's number for it.
    pub request: RequestId,
    /// Only records with a smaller number; `u64::MAX` for the newest.
    pub before: u64,
    /// How many entries at most, up to [`MAX_ENTRIES`].
    pub limit: u32,
}

/// How many entries one statement holds at most.
pub const MAX_ENTRIES: u32 = 500;

/// Why an account moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// It was opened, with the grant.
    Opened,
    /// The operator issued money to it.
    Granted,
    /// It paid, or was paid, by a transfer.
    Transferred,
    /// It set money aside for a contract.
    HoldPlaced,
    /// It put a bond up for a contract.
    BondPlaced,
    /// It put the costs of a second execution up.
    Disputed,
    /// A contract ended.
    Ended(super::How),
    /// The operator froze it.
    Frozen,
    /// The operator freed it.
    Freed,
}

/// One movement of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The number of the record.
    pub sequence: u64,
    /// When.
    pub time: Time,
    /// Why.
    pub reason: Reason,
    /// The contract that it belongs to.
    pub contract: Option<CommandId>,
    /// The other side: who was paid, or who paid.
    pub other: Option<PublicKey>,
    /// What was added to the available side, in micro-credits; negative if taken.
    pub available: i64,
    /// What was added to the held side, in micro-credits; negative if taken.
    pub held: i64,
    /// The words of who moved it.
    pub memo: String,
    /// What the market owner got of it, where this account paid for a contract.
    pub fee: Money,
}

/// The answer to a [`StatementQuery`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The asker's number.
    pub request: RequestId,
    /// The entries, the newest first.
    pub entries: Vec<Entry>,
    /// Whether there is nothing older.
    pub is_complete: bool,
}

impl Paper for Invitation {
    const DOMAIN: &'static str = "invitation";
}
