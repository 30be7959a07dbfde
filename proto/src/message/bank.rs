//! Messages and papers of the bank and the bootstrap server.

mod deal;
mod transfer;

pub use deal::{
    AcceptHold, Appointed, Appointment, BondReceipt, Claim, ClaimReceipt, DealReceipt, Dispute,
    DisputeReceipt, Ended, Ending, Finding, How, Judge, ReceiptQuery, ReceiptReply, Shares,
};
pub use transfer::{
    Entry, Freeze, Grant, Invitation, MAX_ENTRIES, MAX_MEMO, MAX_PAYMENTS, OpenAccount, Payment, Reason,
    RecordedReceipt, Statement, StatementQuery, Transfer,
};

use super::market::{RefusedRequest, Standing, Ticket};
use super::service::{Declined, Report, Verdict};
use crate::id::{CommandId, ContractId, Hash, Peer, RequestId};
use crate::key::PublicKey;
use crate::money::Money;
use crate::refusal::Refusal;
use crate::rules::Rules;
use crate::signed::{Paper, Signed};
use crate::time::{Span, Time};

/// A node enters the network, or says that it is still there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Enter {
    /// The node's number for it.
    pub request: RequestId,
    /// The address it listens at; an unspecified ip stands for the one the bootstrap server sees.
    pub listen: std::net::SocketAddr,
    /// The slot the node had before, which it keeps if it can.
    pub slot: Option<u16>,
    /// Whether the node is in the ring: only members are contacts for newcomers.
    pub is_member: bool,
}

/// The answer: the node's place, random live nodes, and the rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entered {
    /// The node's number.
    pub request: RequestId,
    /// The place in the ring that the node has.
    pub you: Peer,
    /// Live nodes, at random, without the asker.
    pub peers: Vec<Peer>,
    /// The network's rules.
    pub rules: Rules,
}

/// A node has left in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Departed {}

/// Sets money of the buyer aside for one attempt. The command's id becomes the hold's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlaceHold {
    /// Who is to be paid from it.
    pub seller: PublicKey,
    /// Hash of the signed ticket.
    pub ticket: Hash,
    /// The most that the attempt may cost, the owner's fee included.
    pub amount: Money,
    /// How long from the bank's receipt.
    pub expires_in: Span,
}

/// Gives a hold back on the seller's own word: a declined offer, or a report that is not a success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseHold {
    /// Which.
    pub hold: ContractId,
    /// The seller did not take the offer.
    pub declined: Option<Signed<Declined>>,
    /// The seller reports that the work failed.
    pub report: Option<Signed<Report>>,
}

/// Pays seller and owner from a hold; the bank computes the amounts from the papers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settle {
    /// Which.
    pub hold: ContractId,
    /// The price.
    pub ticket: Signed<Ticket>,
    /// The work, signed by the seller.
    pub report: Signed<Report>,
    /// The buyer's acceptance of it.
    pub verdict: Signed<Verdict>,
}

/// What the bank is told to do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is documented at its payload")]
pub enum Order {
    OpenAccount(Box<OpenAccount>),
    PlaceHold(PlaceHold),
    ReleaseHold(Box<ReleaseHold>),
    Settle(Box<Settle>),
    Transfer(Transfer),
    Grant(Grant),
    Freeze(Freeze),
    AcceptHold(AcceptHold),
    Claim(Box<Claim>),
    Dispute(Box<Dispute>),
    Judge(Box<Judge>),
}

/// An order with the caller's id for it; signed by the owner of the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BankCommand {
    /// The same id and content is the same command, however often it arrives.
    pub id: CommandId,
    /// The bank it is meant for.
    pub bank: PublicKey,
    /// The order.
    pub order: Order,
}

/// The bank's word that the money is set aside; signed by the bank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HoldReceipt {
    /// The hold.
    pub hold: ContractId,
    /// The bank.
    pub bank: PublicKey,
    /// Whose money.
    pub buyer: PublicKey,
    /// For whom.
    pub seller: PublicKey,
    /// Hash of the signed ticket.
    pub ticket: Hash,
    /// How much.
    pub amount: Money,
    /// Until when, by the bank's clock.
    pub expires: Time,
}

/// What a settlement moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettledReceipt {
    /// The hold, now closed.
    pub hold: ContractId,
    /// To the seller.
    pub seller_paid: Money,
    /// To the market owner.
    pub owner_paid: Money,
    /// Back to the buyer.
    pub returned: Money,
}

/// What a release moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReleasedReceipt {
    /// The hold, now closed.
    pub hold: ContractId,
    /// Back to the buyer.
    pub returned: Money,
}

/// An account's money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Balance {
    /// Whose.
    pub account: PublicKey,
    /// What can be spent.
    pub available: Money,
    /// What is set aside in holds.
    pub held: Money,
}

/// An order on its way to the bank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BankRequest {
    /// The signed command.
    pub command: Signed<BankCommand>,
}

/// What became of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BankOutcome {
    /// The account, new or old.
    Opened(Balance),
    /// The hold stands.
    Held(Signed<HoldReceipt>),
    /// The hold was given back.
    Released(ReleasedReceipt),
    /// The hold was paid out.
    Settled(SettledReceipt),
    /// The seller has taken the contract, and its bond is put up.
    Accepted(Signed<BondReceipt>),
    /// The claim stands.
    Claimed(ClaimReceipt),
    /// The dispute stands.
    Disputed(DisputeReceipt),
    /// The order is carried out, and there is nothing more to say.
    Recorded(RecordedReceipt),
    /// Nothing moved.
    Refused(Refusal),
}

/// The answer to an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BankReply {
    /// The order's id.
    pub command: CommandId,
    /// What became of it.
    pub outcome: BankOutcome,
}

/// Asks for the sender's balance and standing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BalanceQuery {
    /// The asker's number for it.
    pub request: RequestId,
}

/// The balance, and what the bank says of the account as a seller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BalanceReply {
    /// The asker's number.
    pub request: RequestId,
    /// The money.
    pub balance: Balance,
    /// The word for the seller's listings.
    pub standing: Signed<Standing>,
}

impl Paper for BankCommand {
    const DOMAIN: &'static str = "bank-command";
}
impl Paper for HoldReceipt {
    const DOMAIN: &'static str = "hold-receipt";
}

/// A message to or from the bank.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is documented at its payload")]
pub enum BankMessage {
    Enter(Enter),
    Entered(Box<Entered>),
    Departed(Departed),
    Request(Box<BankRequest>),
    Reply(Box<BankReply>),
    BalanceQuery(BalanceQuery),
    BalanceReply(Box<BalanceReply>),
    Refused(RefusedRequest),
    StatementQuery(StatementQuery),
    Statement(Box<Statement>),
    ReceiptQuery(ReceiptQuery),
    Receipt(Box<ReceiptReply>),
    Claimed(ClaimReceipt),
    Appointed(Box<Appointed>),
    Ended(Box<Ended>),
}
