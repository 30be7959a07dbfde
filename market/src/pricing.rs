//! How a winner and a price follow from the asks: one rule a file, each a pure function.

pub mod batch;
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

use batch::Offer;
pub use lot::lot;
use proto::rules::{PricingRule, PricingTerms};
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

/// What a rule has the buyer pay for one Gc, in micro-credits per Gc.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Price {
    /// To the seller.
    pub clearing: Rate,
    /// To the market owner, besides its fee; nothing but under the max-min rule.
    pub owner_rate: Rate,
}

impl Price {
    /// To both together.
    ///
    /// # Errors
    /// [`Fault::Overflow`] where the sum exceeds a rate.
    pub fn total(self) -> Result<Rate, Fault> {
        self.clearing.0.checked_add(self.owner_rate.0).map(Rate).ok_or(Fault::Overflow)
    }
}

/// Winner and price of one slice under `rule`; `None` when nobody asks for `bid` or less, or when the price that the
/// rule comes to exceeds the bid or what can be represented.
pub fn clear<T: Copy + Eq>(
    rule: PricingRule,
    terms: &PricingTerms,
    asks: impl IntoIterator<Item = Ask<T>>,
    bid: Rate,
) -> Option<Clearing<T>> {
    let mut offers: Vec<Offer<T>> = asks.into_iter().map(|ask| Offer { ask, slices: 1 }).collect();
    offers.sort_by_key(|offer| (offer.ask.rate, offer.ask.lot));
    let sold = batch::choose(rule, terms, &offers, 1, bid);
    let winner = sold.first()?.who;
    offers.retain(|offer| offer.ask.who != winner && offer.ask.rate <= bid);
    let award = batch::award(rule, terms, &sold, &offers, bid).ok()?.into_iter().next()?;
    Some(Clearing { winner, runner_up: award.setter.map(|ask| ask.who), price: award.price.clearing })
}

/// The price under `rule` when the asks of the winner and of the one that sets the price are known: what anybody can
/// compute again from the papers of a ticket.
///
/// Exact but for the owner's rate, which is rounded down once ([`max_min::owner_payoff`]).
///
/// # Errors
/// [`Fault`] where the setter's ask is below the winner's under the max-min rule, or an amount does not fit its type.
pub fn price(
    rule: PricingRule,
    terms: &PricingTerms,
    winner: Rate,
    setter: Option<Rate>,
    bid: Rate,
) -> Result<Price, Fault> {
    let clearing = match rule {
        PricingRule::Vickrey | PricingRule::Uniform | PricingRule::Vcg => vickrey::price(setter, bid),
        PricingRule::FirstPrice => first_price::price(winner, bid),
        PricingRule::Posted => terms.posted,
        PricingRule::MaxMin => {
            let terms = max_min::Terms::from(*terms);
            let report = max_min::Report { lowest: winner, highest: setter.unwrap_or(winner) };
            return Ok(Price {
                clearing: max_min::seller_payoff(&terms, winner)?,
                owner_rate: max_min::owner_payoff(&terms, report)?,
            });
        }
    };
    Ok(Price { clearing, owner_rate: Rate(0) })
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
