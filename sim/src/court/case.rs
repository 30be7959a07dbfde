//! Cases: who deals with whom, who lies, and what goes wrong, as data.

use crate::net::Model;
use proto::message::bank::How;
use proto::{Rules, Span};

/// How a buyer behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Buyer {
    /// By the protocol; it compares outputs and cycles with what it knows to be right, and disputes what is wrong.
    Honest,
    /// Takes the outputs and never says a word again.
    Silent,
    /// Never takes the outputs, so that they are never shown to it.
    Absent,
    /// Disputes work that is right.
    Quarrelsome,
    /// Disputes work that is right, and gives the contents to no arbiter.
    Secretive,
    /// Disputes work that is right, and accepts it when an arbiter has begun.
    Yielding,
    /// Honest, but the hold is all the money that it has: it cannot pay for a dispute.
    Broke,
    /// Sets money aside for its own second key, and pays for work that nobody did.
    OwnSeller,
    /// Sets money aside, and offers no work.
    Idle,
}

/// How a seller behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Seller {
    /// By the protocol.
    Honest,
    /// Does nothing and reports invented outputs.
    Lazy,
    /// Lazy, and has hidden all its money before.
    LazyBroke,
    /// Lazy, and gives the money back when it is objected to.
    Yielding,
    /// Does the work, and reports three times the cycles.
    Inflating,
    /// Does the work, and shows the outputs to nobody, though the buyer has taken them.
    Withholding,
    /// Claims without the buyer's word that it takes the outputs.
    Hasty,
    /// Claims with the buyer's word on another contract.
    Replaying,
    /// Accepts, and is never heard of again.
    Vanishing,
    /// Delivers when the hold has ended.
    Late,
    /// Declines every offer.
    Declining,
    /// Reports that the program failed.
    Failing,
    /// Hands over after half of the work, with a checkpoint.
    Migrating,
}

/// How the owner of the market behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    /// By the rules.
    Honest,
    /// Writes ten times the network's fee into the ticket.
    Greedy,
    /// Invents a dear listing that makes the price, and signs it itself.
    Inventive,
}

/// How a node behaves that is drawn as an arbiter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Arbiter {
    /// Does the work and tells what comes out.
    Honest,
    /// Never answers.
    Silent,
    /// Tells something that is neither the truth nor the report.
    Lying,
    /// Says what the seller says.
    Colluding,
}

/// The parties of one contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Roles {
    /// Who buys.
    pub buyer: Buyer,
    /// Who sells.
    pub seller: Seller,
    /// Who made the match.
    pub owner: Owner,
}

/// What happens to the bank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upset {
    /// It is killed as soon as its disk has something to write, and starts again after so long.
    Kill {
        /// For how long it is down.
        down: Span,
    },
    /// Its clock goes forwards at once.
    Forwards(Span),
    /// Its clock goes backwards at once.
    Backwards(Span),
}

/// What has to come out, whatever the seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Every contract ends in exactly this way.
    All(How),
    /// Every contract ends in one of these ways: which, is a matter of messages that are lost.
    OneOf(&'static [How]),
    /// As the roles have it; only the invariants count.
    AsRolesHaveIt,
}

/// A world and what is to happen in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it shows, in one sentence.
    pub about: &'static str,
    /// The rules of the network.
    pub rules: Rules,
    /// The network between all of them.
    pub net: Model,
    /// The contracts, one after the other.
    pub deals: Vec<Roles>,
    /// How much later each contract begins than the one before it.
    pub every: Span,
    /// How the nodes behave that are drawn as arbiters: in turn, by the number of the node.
    pub arbiters: Vec<Arbiter>,
    /// Nodes that neither buy nor sell, and may be drawn.
    pub bystanders: usize,
    /// What happens to the bank, and when.
    pub upsets: Vec<(Span, Upset)>,
    /// Nodes that send forged, foreign and repeated orders all the time.
    pub forgers: usize,
    /// What has to come out.
    pub expected: Expected,
}

impl Buyer {
    /// Whether what it may lose is bounded by the work that it got.
    #[must_use]
    pub const fn is_honest(self) -> bool {
        matches!(self, Self::Honest | Self::Broke)
    }
}

impl Seller {
    /// Whether it does its work and says what it did.
    #[must_use]
    pub const fn is_honest(self) -> bool {
        matches!(self, Self::Honest | Self::Declining | Self::Failing | Self::Migrating)
    }
}

impl Roles {
    /// Nobody lies.
    pub const HONEST: Self = Self { buyer: Buyer::Honest, seller: Seller::Honest, owner: Owner::Honest };
}
