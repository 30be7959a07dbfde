//! A batch of equal slices under any rule: who sells them, and at what price each (issue of one ticket a slice).
//!
//! A purchase of one slice is a batch of one. [`choose`] says who is asked; [`award`] says what is paid once it is
//! known which of them have kept their slices. Both are pure, so whoever holds all the tickets of a batch can compute
//! it again ([`crate::ticket::verify_batch`]).
//!
//! Under the Vickrey, first-price and max-min rules the slices of a batch are sold one after the other, in the order of
//! their asks: what the paper calls the order of arrival. Under the uniform and the VCG rule they are priced together.

use super::{Ask, Fault, Price, price};
use proto::Rate;
use proto::rules::{PricingRule, PricingTerms};

/// What a seller offers in one market.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer<T> {
    /// Its ask, the same for each slice.
    pub ask: Ask<T>,
    /// How many slices of the size in question it has.
    pub slices: u32,
}

/// One slice that is sold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Award<T> {
    /// Who sells it.
    pub who: T,
    /// The ask that sets the price, where the rule has one.
    pub setter: Option<Ask<T>>,
    /// What is paid.
    pub price: Price,
}

/// The asks that are to sell `count` slices, in the order in which they sell; one entry a slice.
///
/// `offers` fit, and stand in the order of rate and lot. There are fewer entries than `count` when fewer slices are
/// offered within `bid`, or, under the max-min rule, when seller and owner together would cost more than `bid`. Under
/// a posted price the lot alone decides among those that accept it.
#[must_use]
pub fn choose<T: Copy + Eq>(
    rule: PricingRule,
    terms: &PricingTerms,
    offers: &[Offer<T>],
    count: usize,
    bid: Rate,
) -> Vec<Ask<T>> {
    let limit = if rule == PricingRule::Posted { terms.posted } else { bid };
    if limit > bid {
        return Vec::new();
    }
    let mut offers: Vec<Offer<T>> = offers.iter().filter(|offer| offer.ask.rate <= limit).copied().collect();
    if rule == PricingRule::Posted {
        offers.sort_by_key(|offer| offer.ask.lot);
    }
    let times = |slices: u32| usize::try_from(slices).unwrap_or(usize::MAX).min(count);
    let slices = offers.iter().flat_map(|offer| std::iter::repeat_n(offer.ask, times(offer.slices)));
    let mut sold: Vec<Ask<T>> = slices.take(count).collect();
    if rule == PricingRule::MaxMin {
        let affordable = award(rule, terms, &sold, &offers, bid).map_or(0, |awards| awards.len());
        sold.truncate(affordable);
    }
    sold
}

/// What is paid for each of the slices `sold`, in their order, when `left` is what the sellers still offer besides.
///
/// Both stand in the order of rate and lot (`sold` under a posted price: of lots). What would come before the dearest
/// slice sold is passed over where a loser sets the price: it was listed too late. For the max-min rule the dearest
/// fitting offer has to be in `left`. The list ends before the first slice whose price would exceed `bid`.
///
/// # Errors
/// [`Fault`] where an amount does not fit its type.
///
/// A has two slices at 1, B two at 5, C one at 9; three are bought for at most 10 each.
/// ```
/// # use market::pricing::{batch::{award, choose, Offer}, Ask};
/// # use proto::rules::PricingRule::{self, FirstPrice, Uniform, Vcg, Vickrey};
/// # use proto::{rules::PricingTerms, Hash, Rate};
/// let offer = |rate, slices, who| Offer { ask: Ask { rate: Rate(rate), lot: Hash::default(), who }, slices };
/// let (offers, terms) = ([offer(1, 2, "A"), offer(5, 2, "B"), offer(9, 1, "C")], PricingTerms::PUBLIC);
/// let left = [offer(5, 1, "B"), offer(9, 1, "C")];
/// let prices = |rule: PricingRule| {
///     let sold = choose(rule, &terms, &offers, 3, Rate(10));
///     assert_eq!(sold.iter().map(|ask| ask.who).collect::<Vec<_>>(), ["A", "A", "B"]);
///     let awards = award(rule, &terms, &sold, &left, Rate(10)).unwrap();
///     awards.iter().map(|award| (award.setter.map_or("-", |ask| ask.who), award.price.clearing.0)).collect::<Vec<_>>()
/// };
/// assert_eq!(prices(Vickrey), [("B", 5), ("B", 5), ("C", 9)]);
/// assert_eq!(prices(FirstPrice), [("B", 1), ("B", 1), ("C", 5)]);
/// // The first slice that lost is B's own second one.
/// assert_eq!(prices(Uniform), [("B", 5), ("B", 5), ("B", 5)]);
/// // Without A one more of B and one of C; without B the one of C.
/// assert_eq!(prices(Vcg), [("B", 5), ("C", 9), ("C", 9)]);
/// ```
pub fn award<T: Copy + Eq>(
    rule: PricingRule,
    terms: &PricingTerms,
    sold: &[Ask<T>],
    left: &[Offer<T>],
    bid: Rate,
) -> Result<Vec<Award<T>>, Fault> {
    let place = |ask: &Ask<T>| (ask.rate, ask.lot);
    let dearest_sold = sold.iter().map(place).max();
    let is_loser = |offer: &&Offer<T>| offer.slices > 0 && Some(place(&offer.ask)) >= dearest_sold;
    let losers: Vec<Offer<T>> = left.iter().filter(is_loser).copied().collect();
    let mut awards: Vec<Award<T>> = Vec::new();
    for (at, ask) in sold.iter().enumerate() {
        let is_other = |other: &&Ask<T>| other.who != ask.who;
        let behind = || sold.iter().skip(at + 1).chain(losers.iter().map(|offer| &offer.ask));
        let setter = match rule {
            PricingRule::Vickrey | PricingRule::FirstPrice => behind().find(is_other).copied(),
            PricingRule::MaxMin => behind().filter(is_other).max_by_key(|other| place(other)).copied(),
            PricingRule::Posted => None,
            PricingRule::Uniform => losers.first().map(|offer| offer.ask),
            PricingRule::Vcg => {
                let earlier = awards.iter().filter(|award| award.who == ask.who).count();
                replacement(&losers, ask.who, earlier)
            }
        };
        let price = price(rule, terms, ask.rate, setter.map(|setter| setter.rate), bid)?;
        if price.total()? > bid {
            break;
        }
        awards.push(Award { who: ask.who, setter, price });
    }
    Ok(awards)
}

/// Whose slice would be bought in place of a seller's slice number `earlier` (from zero) if that seller were not there.
fn replacement<T: Copy + Eq>(losers: &[Offer<T>], seller: T, earlier: usize) -> Option<Ask<T>> {
    let mut passed = earlier;
    for offer in losers.iter().filter(|offer| offer.ask.who != seller) {
        let slices = usize::try_from(offer.slices).unwrap_or(usize::MAX);
        if passed < slices {
            return Some(offer.ask);
        }
        passed -= slices;
    }
    None
}
