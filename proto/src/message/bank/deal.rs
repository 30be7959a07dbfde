//! What happens to a hold between its placing and its end: bond, claim, dispute, judgement.
//!
//! `bank/src/deal.rs` holds the table of legal transitions, `docs/bank.md` tells who can lose what on each path.

use super::BankCommand;
use crate::id::{ContractId, Hash, RequestId};
use crate::key::PublicKey;
use crate::message::market::Ticket;
use crate::message::service::{Blob, NamedBlob, Offer, Outcome, Product, Report, Taken};
use crate::money::Money;
use crate::quantity::Cycles;
use crate::signed::{Paper, Signed};
use crate::time::Time;

/// The seller takes the contract and puts up the bond that the network's rules ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AcceptHold {
    /// Which.
    pub hold: ContractId,
}

/// The seller shows that it has delivered. With the buyer's [`Taken`] it is paid when the buyer does not object in
/// time; without it, it only keeps its bond.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Which.
    pub hold: ContractId,
    /// The price.
    pub ticket: Signed<Ticket>,
    /// The work, signed by the seller.
    pub report: Signed<Report>,
    /// The buyer's word that it takes the outputs.
    pub taken: Option<Signed<Taken>>,
}

/// The buyer of a claimed contract says that the report is wrong, and puts up the costs of a second execution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dispute {
    /// Which.
    pub hold: ContractId,
    /// What the seller was asked to do: the arbiter does the same.
    pub offer: Signed<Offer>,
    /// What is wrong, for people; at most [`super::MAX_MEMO`] bytes.
    pub reason: String,
}

/// The arbiter tells what it found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judge {
    /// Which.
    pub hold: ContractId,
    /// What came out when it executed the same.
    pub finding: Signed<Finding>,
}

/// What a second execution gave; signed by the arbiter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which contract.
    pub contract: ContractId,
    /// Hash of the seller's signed report.
    pub report: Hash,
    /// How it ended.
    pub outcome: Outcome,
    /// What was metered.
    pub cycles: Cycles,
    /// The declared outputs that are there.
    pub outputs: Vec<NamedBlob>,
    /// Standard output.
    pub stdout: Option<Blob>,
    /// Standard error.
    pub stderr: Option<Blob>,
    /// Of the job's repeats those that succeeded, up to the first that did not.
    pub more: Vec<Product>,
}

/// The bank has drawn an arbiter; signed by the bank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appointment {
    /// The bank.
    pub bank: PublicKey,
    /// Which contract.
    pub contract: ContractId,
    /// Hash of the signed offer.
    pub offer: Hash,
    /// Hash of the signed report.
    pub report: Hash,
    /// Who is to execute it again.
    pub arbiter: PublicKey,
    /// What it is paid, whoever is right.
    pub fee: Money,
    /// Until when, by the bank's clock.
    pub until: Time,
}

/// What an arbiter is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appointed {
    /// The bank's word.
    pub appointment: Signed<Appointment>,
    /// The work. The contents come from its buyer.
    pub offer: Signed<Offer>,
}

/// The bank's word that the seller has put its bond up; signed by the bank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BondReceipt {
    /// The contract.
    pub hold: ContractId,
    /// The bank.
    pub bank: PublicKey,
    /// Who put it up.
    pub seller: PublicKey,
    /// How much.
    pub bond: Money,
}

/// A claim stands. It is also the bank's notice to the buyer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClaimReceipt {
    /// The contract.
    pub hold: ContractId,
    /// Hash of the signed report.
    pub report: Hash,
    /// Whether silence pays the seller: the buyer has taken the outputs.
    pub is_taken: bool,
    /// Until when the buyer may object, by the bank's clock.
    pub until: Time,
}

/// A dispute stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DisputeReceipt {
    /// The contract.
    pub hold: ContractId,
    /// What the buyer has put up.
    pub deposit: Money,
    /// What the seller has put up beside its bond.
    pub stake: Money,
}

/// How a hold ended. Each ends once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum How {
    /// The buyer accepted the work: paid by the ticket.
    Settled,
    /// Given back on the seller's word.
    Released,
    /// Nobody asked for it in time: given back.
    Expired,
    /// The buyer took the outputs and said nothing until the end: paid as claimed.
    Lapsed,
    /// The seller had put up a bond and delivered nothing: given back, and the bond is lost.
    NoShow,
    /// A second execution came to the same: the seller is paid, the buyer pays the arbiter.
    Upheld,
    /// A second execution came to something else: given back, the seller pays the arbiter.
    Overturned,
    /// No arbiter answered: paid as claimed, and everybody has the deposits back.
    Undecided,
}

impl How {
    /// Every end.
    pub const ALL: [Self; 8] = [
        Self::Settled,
        Self::Released,
        Self::Expired,
        Self::Lapsed,
        Self::NoShow,
        Self::Upheld,
        Self::Overturned,
        Self::Undecided,
    ];

    /// The number on the wire and in the journal.
    #[must_use]
    pub const fn number(self) -> u32 {
        match self {
            Self::Settled => 1,
            Self::Released => 2,
            Self::Expired => 3,
            Self::Lapsed => 4,
            Self::NoShow => 5,
            Self::Upheld => 6,
            Self::Overturned => 7,
            Self::Undecided => 8,
        }
    }

    /// The end with this number.
    #[must_use]
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|how| how.number() == number)
    }

    /// The word for it in commands and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Settled => "settled",
            Self::Released => "released",
            Self::Expired => "expired",
            Self::Lapsed => "lapsed",
            Self::NoShow => "no-show",
            Self::Upheld => "upheld",
            Self::Overturned => "overturned",
            Self::Undecided => "undecided",
        }
    }

    /// Whether the seller was paid.
    #[must_use]
    pub const fn is_paid(self) -> bool {
        matches!(self, Self::Settled | Self::Lapsed | Self::Upheld | Self::Undecided)
    }
}

/// Who gets what of the money that was set aside for a contract. What is gained comes to what was held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shares {
    /// Held of the buyer until now: the hold, and its deposit in a dispute.
    pub buyer_held: Money,
    /// Held of the seller until now: its bond, and its stake in a dispute.
    pub seller_held: Money,
    /// Back to the buyer, with what it is compensated.
    pub buyer: Money,
    /// To the seller, with what it gets back.
    pub seller: Money,
    /// To the market owner.
    pub owner: Money,
    /// To the arbiter.
    pub arbiter: Money,
    /// To the bank's own account: the part of a penalty that compensates nobody.
    pub pool: Money,
}

/// The end of a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending {
    /// Which.
    pub hold: ContractId,
    /// How.
    pub how: How,
    /// Whose money it was.
    pub buyer: PublicKey,
    /// Whom it was for.
    pub seller: PublicKey,
    /// The market owner, where it is paid.
    pub owner: Option<PublicKey>,
    /// The arbiter, where there was one.
    pub arbiter: Option<PublicKey>,
    /// The money.
    pub shares: Shares,
}

/// Asks for the receipt of a contract that has ended. Only its parties are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceiptQuery {
    /// The asker's number for it.
    pub request: RequestId,
    /// Which.
    pub contract: ContractId,
}

/// What became of a contract, with the papers, so that anybody can check it; signed by the bank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DealReceipt {
    /// The bank.
    pub bank: PublicKey,
    /// The end.
    pub ending: Ending,
    /// The number of the record of its end.
    pub sequence: u64,
    /// The record's time.
    pub time: Time,
    /// The record's chain: a hash of the journal up to it.
    pub chain: Hash,
    /// The buyer's order that set the money aside.
    pub placed: Signed<BankCommand>,
    /// The order that ended it; none where time ended it.
    pub papers: Option<Signed<BankCommand>>,
    /// The seller's claim, where there was one: what was not objected to, or what was judged.
    pub claim: Option<Signed<BankCommand>>,
}

/// The answer to a [`ReceiptQuery`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiptReply {
    /// The asker's number.
    pub request: RequestId,
    /// The receipt.
    pub receipt: Signed<DealReceipt>,
}

/// The bank's notice to buyer and seller that a claimed contract has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The end.
    pub ending: Ending,
}

impl Shares {
    /// Whether no money appears or vanishes.
    #[must_use]
    pub fn is_balanced(&self) -> bool {
        let sum = |parts: &[Money]| parts.iter().map(|part| u128::from(part.0)).sum::<u128>();
        let gained = sum(&[self.buyer, self.seller, self.owner, self.arbiter, self.pool]);
        sum(&[self.buyer_held, self.seller_held]) == gained
    }
}

impl Paper for Finding {
    const DOMAIN: &'static str = "finding";
}
impl Paper for Appointment {
    const DOMAIN: &'static str = "appointment";
}
impl Paper for BondReceipt {
    const DOMAIN: &'static str = "bond-receipt";
}
impl Paper for DealReceipt {
    const DOMAIN: &'static str = "deal-receipt";
}
