//! How a winner and a price follow from the asks: one rule a file, each a pure function.

pub mod double;
pub mod first_price;
pub mod k_double;
pub mod lot;
pub mod max_min;
pub mod mcafee;
pub mod posted;
pub mod uniform;
pub mod vcg;
pub mod vickrey;

pub use lot::lot;
use proto::rules::PricingRule;
use proto::{Hash, Rate};

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
    /// Whose ask is the next, which sets the price where the rule lets it; `None` when the winner was alone.
    pub runner_up: Option<T>,
    /// What is paid.
    pub price: Rate,
}

/// Why a rule has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The highest cost reported is below the lowest.
    #[error("the highest reported cost is below the lowest")]
    Disordered,
    /// An amount does not fit its type.
    #[error("an amount is too large to be represented")]
    Overflow,
}

/// Winner and price under `rule`; `None` when nobody asks for `bid` or less.
pub fn clear<T: Copy>(
    rule: PricingRule,
    asks: impl IntoIterator<Item = Ask<T>>,
    bid: Rate,
) -> Option<Clearing<T>> {
    match rule {
        PricingRule::Vickrey => vickrey::clear(asks, bid),
        PricingRule::FirstPrice => first_price::clear(asks, bid),
    }
}

/// The price under `rule` when the asks of winner and runner-up are known: what anybody can compute again
/// from the papers of a ticket.
#[must_use]
pub fn price(rule: PricingRule, winner: Rate, runner_up: Option<Rate>, bid: Rate) -> Rate {
    match rule {
        PricingRule::Vickrey => vickrey::price(runner_up, bid),
        PricingRule::FirstPrice => first_price::price(winner, bid),
    }
}

/// The lowest and the second lowest of the asks that do not exceed `bid`, equal ones by lot. One pass.
fn lowest_two<T: Copy>(
    asks: impl IntoIterator<Item = Ask<T>>,
    bid: Rate,
) -> Option<(Ask<T>, Option<Ask<T>>)> {
    let mut best: Option<Ask<T>> = None;
    let mut second: Option<Ask<T>> = None;
    for ask in asks.into_iter().filter(|ask| ask.rate <= bid) {
        if best.is_none_or(|best| is_before(&ask, &best)) {
            second = best.replace(ask);
        } else if second.is_none_or(|second| is_before(&ask, &second)) {
            second = Some(ask);
        }
    }
    best.map(|best| (best, second))
}

fn is_before<T>(one: &Ask<T>, other: &Ask<T>) -> bool {
    (one.rate, one.lot) < (other.rate, other.lot)
}
