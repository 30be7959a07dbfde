//! What the founder of a network decided, and the bootstrap server hands out.

use crate::{Money, Span};

/// How a market owner finds the winner and the price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PricingRule {
    /// Lowest ask wins and is paid the second lowest, at most the bid (paper IV-B1).
    Vickrey,
    /// Lowest ask wins and is paid that ask (the first-price auction).
    FirstPrice,
}

impl PricingRule {
    /// Every rule that a network can have.
    pub const ALL: [Self; 2] = [Self::Vickrey, Self::FirstPrice];
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
    /// None by default: an orderly departure and a join hand the listings over anyway, after a crash the sellers
    /// bring them back within a renewal, and rules without copies are encoded as they were before there were any.
    pub replicas: u16,
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
        cost_model: 1,
        replicas: 0,
    };

    /// How often buyer and seller of a contract show that they are there: four times a lease.
    #[must_use]
    pub const fn sign_of_life(&self) -> Span {
        Span(self.lease.0 / 4)
    }

    /// The rules of a network on one machine: many slots, short periods.
    pub const LOCAL: Self =
        Self { slot_limit: 4_096, renewal: Span::secs(3), lease: Span::secs(4), ..Self::PUBLIC };
}
