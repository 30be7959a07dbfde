//! How a winner and a price follow from the asks: one rule a file, each a pure function.

pub mod vickrey;

use proto::rules::PricingRule;
use proto::{CommandId, Hash, PublicKey, Rate};

/// One ask that fits and does not exceed the bid, as a rule sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask<T> {
    /// The reported marginal cost.
    pub rate: Rate,
    /// What decides between equal asks: the lowest lot goes first.
    pub lot: Hash,
    /// Whose ask it is.
    pub who: T,
}

/// What a rule decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clearing<T> {
    /// Who sells.
    pub winner: T,
    /// Whose ask set the price; `None` when the winner was alone.
    pub runner_up: Option<T>,
    /// What is paid.
    pub price: Rate,
}

/// The lot of `seller` for `ticket`: a hash of both, so that neither the owner nor a seller can choose it.
#[must_use]
pub fn lot(ticket: CommandId, seller: PublicKey) -> Hash {
    let mut text = [0; 48];
    let (head, tail) = text.split_at_mut(16);
    head.copy_from_slice(&ticket.0);
    tail.copy_from_slice(&seller.0);
    Hash::of(&text)
}

/// Winner and price under `rule`; `None` when nobody asks for `bid` or less.
pub fn clear<T: Copy>(
    rule: PricingRule,
    asks: impl IntoIterator<Item = Ask<T>>,
    bid: Rate,
) -> Option<Clearing<T>> {
    match rule {
        PricingRule::Vickrey => vickrey::clear(asks, bid),
    }
}

/// The price under `rule` when the asks of winner and runner-up are known: what anybody can compute again
/// from the papers of a ticket.
#[must_use]
pub fn price(rule: PricingRule, runner_up: Option<Rate>, bid: Rate) -> Rate {
    match rule {
        PricingRule::Vickrey => vickrey::price(runner_up, bid),
    }
}
