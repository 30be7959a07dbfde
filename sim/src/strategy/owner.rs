//! What a market owner makes of the listings: one strategy a file below `owner/`, and one line in [`Owners::standard`].

mod bribed;
mod commission;
mod honest;
mod paper_optimal;
mod shill;

use crate::experiment::{Parameter, Setting};
use crate::kinds::{Chosen, Kinds, named_by_fields};
use market::pricing::max_min::{self, Report, Terms};
use market::pricing::{Ask, Clearing, first_price, posted, uniform, vcg, vickrey};
use proto::Rate;
use proto::rules::{PricingRule, PricingTerms};

/// What an owner has before it.
#[derive(Clone, Copy, Debug)]
pub struct Stall<'a> {
    /// How the market prices.
    pub rule: PricingRule,
    /// The rule's constants.
    pub terms: &'a PricingTerms,
    /// What is listed; sellers are numbered from zero.
    pub asks: &'a [Ask<usize>],
    /// What the buyer pays at most: the reserve price.
    pub bid: Rate,
    /// The smallest difference between two reports that the market knows.
    pub unit: Rate,
}

/// What an owner arranges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deal {
    /// Who sells.
    pub winner: usize,
    /// The lowest cost that the owner tells the buyer: MC'₁ of the paper.
    pub reported: Rate,
    /// What the seller is paid.
    pub to_seller: Rate,
    /// What the owner is paid, its fixed fee left out.
    pub to_owner: Rate,
}

/// How an owner behaves.
pub trait Owner {
    /// Who sells, and at what price; none where nobody does.
    fn arrange(&self, stall: &Stall<'_>) -> Option<Deal>;
}

/// A strategy that can be named in an experiment.
#[derive(Clone, Copy)]
pub struct Kind {
    /// Its name: `strategies.owner = "honest"`.
    pub name: &'static str,
    /// What it does, in a few words.
    pub about: &'static str,
    /// What can be set; keys that no other strategy has.
    pub parameters: fn() -> Vec<Parameter>,
    /// The strategy of a setting.
    pub owner: fn(&Setting) -> Box<dyn Owner>,
}

/// The strategies that an experiment can name.
pub type Owners = Kinds<Kind>;

named_by_fields!(Kind);

impl Chosen for Kind {
    const KEY: &'static str = "strategies.owner";
    const ABOUT: &'static str = "how the market owner behaves";
    const USUAL: Self = honest::KIND;
}

impl Owners {
    /// Everything that ships: one line each.
    #[must_use]
    pub fn standard() -> Self {
        Self::new(vec![honest::KIND, paper_optimal::KIND, commission::KIND, bribed::KIND, shill::KIND])
    }

    /// The strategy of a setting.
    pub(crate) fn owner(&self, setting: &Setting) -> Box<dyn Owner> {
        (self.chosen(setting).owner)(setting)
    }
}

/// What a bribe has to exceed for an owner to name the second seller: `K·(c₂ − c₁)/(4·c₁·c₂)` (reference §5.3), from the
/// rule's own integers.
#[must_use]
pub fn bribe_threshold(terms: &Terms, first: Rate, second: Rate) -> Option<Rate> {
    let best = doubled(terms, first)?;
    Some(Rate(best.0.saturating_sub(doubled(terms, second)?.0)))
}

/// What the rule pays an owner that says twice the lowest cost is the highest, the paper's x = 2a.
fn doubled(terms: &Terms, lowest: Rate) -> Option<Rate> {
    max_min::owner_payoff(terms, twice(lowest)).ok()
}

fn twice(lowest: Rate) -> Report {
    Report { lowest, highest: Rate(lowest.0.saturating_mul(2)) }
}

/// What the shipping rule makes of the listings as they are.
pub(crate) fn by_the_rule(stall: &Stall<'_>) -> Option<Deal> {
    let asks = || stall.asks.iter().copied();
    let sold: Clearing<usize> = match stall.rule {
        PricingRule::Vickrey => vickrey::clear(asks(), stall.bid)?,
        PricingRule::FirstPrice => first_price::clear(asks(), stall.bid)?,
        PricingRule::Posted => posted::clear(asks(), stall.terms.posted, stall.bid)?,
        PricingRule::Uniform => {
            let batch = uniform::clear(asks(), 1, stall.bid);
            Clearing { winner: *batch.winners.first()?, runner_up: batch.runner_up, price: batch.price }
        }
        PricingRule::Vcg => {
            let offer = |ask: Ask<usize>| vcg::Offer { rate: ask.rate, units: 1, lot: ask.lot, who: ask.who };
            let awards = vcg::clear(asks().map(offer), 1, stall.bid).ok()?;
            let award = awards.first()?;
            Clearing { winner: award.who, runner_up: None, price: Rate(award.pay.0) }
        }
        PricingRule::MaxMin => {
            let sale = max_min::clear(&Terms::from(*stall.terms), asks(), stall.bid).ok()??;
            let reported = rate_of(stall.asks, sale.winner)?;
            return Some(Deal {
                winner: sale.winner,
                reported,
                to_seller: sale.to_seller,
                to_owner: sale.to_owner,
            });
        }
    };
    let reported = rate_of(stall.asks, sold.winner)?;
    Some(Deal { winner: sold.winner, reported, to_seller: sold.price, to_owner: Rate(0) })
}

/// A sale under the max-min rule with reports of the owner's own; none where the seller refuses or the buyer cannot pay.
fn by_report(stall: &Stall<'_>, winner: Ask<usize>, report: Report) -> Option<Deal> {
    let terms = Terms::from(*stall.terms);
    let to_seller = max_min::seller_payoff(&terms, report.lowest).ok()?;
    let to_owner = max_min::owner_payoff(&terms, report).ok()?;
    let total = max_min::buyer_cost(&terms, report).ok()?;
    let is_sale = max_min::accepts(winner.rate, to_seller) && total <= stall.bid;
    is_sale.then_some(Deal { winner: winner.who, reported: report.lowest, to_seller, to_owner })
}

/// The asks within the bid, the lowest first.
fn sorted(stall: &Stall<'_>) -> Vec<Ask<usize>> {
    let mut asks: Vec<Ask<usize>> = stall.asks.iter().filter(|ask| ask.rate <= stall.bid).copied().collect();
    asks.sort_by_key(|ask| (ask.rate, ask.lot));
    asks
}

fn rate_of(asks: &[Ask<usize>], seller: usize) -> Option<Rate> {
    asks.iter().find(|ask| ask.who == seller).map(|ask| ask.rate)
}

#[cfg(test)]
mod tests;
