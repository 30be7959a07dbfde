//! What the founder of a network decided, and the bootstrap server hands out.

use crate::admission::Admission;
use crate::{Money, Rate, Span};

/// How a market owner finds the winner and the price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PricingRule {
    /// Lowest ask wins and is paid the second lowest, at most the bid (paper IV-B1).
    Vickrey,
    /// Lowest ask wins and is paid that ask (the first-price auction).
    FirstPrice,
    /// Lowest ask wins and is paid its ask and a bonus; the market owner is paid by the spread of the asks (paper
    /// IV-B2, Equation 1).
    MaxMin,
    /// Who asks for no more than the posted price may sell at it; the lot decides (reference §5.5).
    Posted,
    /// Of a batch, all are paid the lowest ask that lost (reference §5.5).
    Uniform,
    /// Of a batch, each seller is paid what its absence would cost the buyer (Vickrey, Clarke and Groves; reference
    /// §5.5).
    Vcg,
}

impl PricingRule {
    /// Every rule that a network can have.
    pub const ALL: [Self; 6] =
        [Self::Vickrey, Self::FirstPrice, Self::MaxMin, Self::Posted, Self::Uniform, Self::Vcg];

    /// The rule's name, as commands write and read it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Vickrey => "vickrey",
            Self::FirstPrice => "first-price",
            Self::MaxMin => "max-min",
            Self::Posted => "posted",
            Self::Uniform => "uniform",
            Self::Vcg => "vcg",
        }
    }
}

/// Which node owns a market, and how a buyer finds the next larger one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Placement {
    /// The capacity itself, scaled over the circle, is the key; the buyer asks upwards (paper IV-A1).
    #[default]
    Single,
    /// The hash of the market is the key; the owners of markets with listings form a second ring, in which the
    /// buyer finds the asked or the nearest larger market (paper IV-A2).
    Processor,
}

impl Placement {
    /// Every scheme that a network can have.
    pub const ALL: [Self; 2] = [Self::Single, Self::Processor];

    /// The scheme's name, as commands write and read it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Single => "single",
            Self::Processor => "processor",
        }
    }
}

/// The constants of the pricing rules that have any. A network uses those of its rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PricingTerms {
    /// What is paid under the posted price, in micro-credits per Gc.
    pub posted: Rate,
    /// The max-min rule's K, the weight of the owner's variable part, in (micro-credits per Gc)².
    pub weight: u64,
    /// The max-min rule's π, what the seller gets above its ask, in micro-credits per Gc.
    pub bonus: Rate,
    /// The max-min rule's δ, the owner's fixed part, in micro-credits per Gc.
    pub fixed: Rate,
    /// The least ask that the max-min rule reckons with, in micro-credits per Gc; zero counts as one.
    pub floor: Rate,
}

impl PricingTerms {
    /// Constants for asks around a fifth of a credit per Gc, as [`crate::Rules::PUBLIC`] expects them.
    ///
    /// The posted price is that fifth. A bonus of one micro-credit and a floor of a thousandth of a credit keep the
    /// paper's Lemma 1 true and its payments bounded (reference §5.3): with K = 4·10⁹ an owner gets at most 0.005
    /// credits per Gc at an ask of 0.2, and 1 credit at the floor.
    pub const PUBLIC: Self = Self {
        posted: Rate(200_000),
        weight: 4_000_000_000,
        bonus: Rate(1),
        fixed: Rate(0),
        floor: Rate(1_000),
    };
}

/// The rules of one network. All its members use the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Places behind one ip address (DESIGN §5.1).
    pub slot_limit: u16,
    /// Length of the successor list.
    pub successors: u16,
    /// How matches are priced.
    pub rule: PricingRule,
    /// What a market owner gets for a settled contract.
    pub owner_fee: Money,
    /// What a new account starts with.
    pub initial_grant: Money,
    /// How often a seller lists again; a listing lives for three of these.
    pub renewal: Span,
    /// After how much silence a seller counts as gone.
    pub lease: Span,
    /// How long a sub-task that does not state its work is taken to run at the power it asks for.
    pub nominal_run: Span,
    /// The version of the metering, so that a cycle is a cycle everywhere.
    pub cost_model: u32,
    /// How many successors of a market owner keep copies of its listings.
    ///
    /// None by default: an orderly departure and a join hand the listings over anyway, and after a crash the sellers
    /// bring them back within a renewal.
    pub replicas: u16,
    /// Which node owns a market.
    pub placement: Placement,
    /// The constants of the pricing rules.
    pub pricing: PricingTerms,
    /// Who gets the initial grant.
    pub admission: Admission,
    /// How much of a hold its seller puts up as a bond when it takes the contract, in percent; 0 for none
    /// (`reference/ledger.md` §3, 8).
    pub bond_percent: u16,
    /// How long a buyer that has taken the outputs may object to a seller's claim, and how long an arbiter has.
    pub dispute: Span,
}

impl Rules {
    /// The rules of a public network.
    pub const PUBLIC: Self = Self {
        slot_limit: 16,
        successors: 8,
        rule: PricingRule::Vickrey,
        owner_fee: Money(10_000),
        initial_grant: Money::credits(1_000),
        renewal: Span::secs(20),
        lease: Span::secs(15),
        nominal_run: Span::secs(60),
        cost_model: 2,
        replicas: 0,
        placement: Placement::Single,
        pricing: PricingTerms::PUBLIC,
        admission: Admission::PUBLIC,
        bond_percent: 0,
        dispute: Span::secs(600),
    };

    /// How often buyer and seller of a contract show that they are there: four times a lease.
    #[must_use]
    pub const fn sign_of_life(&self) -> Span {
        Span(self.lease.0 / 4)
    }

    /// The rules of a network on one machine: many slots, short periods.
    pub const LOCAL: Self = Self {
        slot_limit: 4_096,
        renewal: Span::secs(3),
        lease: Span::secs(4),
        admission: Admission::OPEN,
        dispute: Span::secs(30),
        ..Self::PUBLIC
    };
}
