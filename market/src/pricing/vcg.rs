//! Procurement by Vickrey, Clarke and Groves where a seller may offer several units (reference §5.5).
//!
//! The demand is met at least cost, and every seller is paid what its absence would cost the buyer: with C the least
//! cost of all and C(−i) the least cost without seller i, the payment is `C(−i) − (C − own cost)`. What nobody
//! offers counts as available at the buyer's bid, so no seller is indispensable.
//!
//! **What holds** (tests in `tests/rules/vcg.rs`): no report of the cost, and no holding back of units, pays more
//! than the truth; nobody loses by a trade; the buyer pays at most its bid for each unit; the cost is least. With
//! one unit a seller it is [`uniform`](super::uniform).
//!
//! **What does not hold**: sellers that act as one may gain, since each of them no longer keeps the other's
//! payment down.

use super::Fault;
use proto::{Hash, Money, Rate};

/// What a seller offers, in units of one Gc (10⁹ cycles) each. A seller makes one offer; two count as two sellers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer<T> {
    /// The reported marginal cost of each unit, in micro-credits per Gc.
    pub rate: Rate,
    /// How many units, in Gc.
    pub units: u64,
    /// What decides between equal rates: the lowest lot goes first.
    pub lot: Hash,
    /// Whose offer it is.
    pub who: T,
}

/// What a seller sells, and for how much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Award<T> {
    /// Who sells.
    pub who: T,
    /// How many units, in Gc; never zero.
    pub units: u64,
    /// What it is paid for all of them, in micro-credits.
    pub pay: Money,
}

/// Buys up to `demand` units (Gc) for at most `bid` (micro-credits per Gc) each; the awards, the cheapest first.
///
/// Less is bought where less is offered within the bid. Exact: nothing is rounded. Sorts, and then looks for the
/// replacement of every winner: O(n log n + w·n) for w winners.
///
/// # Errors
/// [`Fault::Overflow`] where a payment exceeds an amount of money.
///
/// A has two units at 1, B and C one each at 5 and 9. For two units A alone sells; without it they would
/// cost 5 + 9. For three, A's two would be replaced by C and by one at the bid of 10, B's one by C.
/// ```
/// # use market::pricing::vcg::{clear, Award, Offer};
/// # use proto::{Hash, Money, Rate};
/// let offer = |rate, units, who| Offer { rate: Rate(rate), units, lot: Hash::default(), who };
/// let offers = [offer(5, 1, "B"), offer(1, 2, "A"), offer(9, 1, "C")];
/// assert_eq!(clear(offers, 2, Rate(10)).unwrap(), [Award { who: "A", units: 2, pay: Money(14) }]);
/// let three = clear(offers, 3, Rate(10)).unwrap();
/// assert_eq!(three.iter().map(|award| (award.who, award.pay.0)).collect::<Vec<_>>(), [("A", 19), ("B", 9)]);
/// // Costs of 1, 5 and 9 for one unit each, two of them bought: each at 9, the (k + 1)-th price.
/// let units = [offer(1, 1, "A"), offer(5, 1, "B"), offer(9, 1, "C")];
/// let pays: Vec<u64> = clear(units, 2, Rate(10)).unwrap().iter().map(|award| award.pay.0).collect();
/// assert_eq!(pays, [9, 9]);
/// ```
pub fn clear<T: Copy>(
    offers: impl IntoIterator<Item = Offer<T>>,
    demand: u64,
    bid: Rate,
) -> Result<Vec<Award<T>>, Fault> {
    let mut offers: Vec<Offer<T>> = offers.into_iter().filter(|offer| offer.rate <= bid).collect();
    offers.sort_by_key(|offer| (offer.rate, offer.lot));
    let mut open = demand;
    let mut sold = Vec::new();
    let mut rest = Vec::new();
    for (place, offer) in offers.into_iter().enumerate() {
        let taken = offer.units.min(open);
        open = open.saturating_sub(taken);
        if taken > 0 {
            sold.push((place, offer.who, taken));
        }
        let left = offer.units.saturating_sub(taken);
        if left > 0 {
            rest.push((place, offer.rate, left));
        }
    }
    let award = |(place, who, units)| {
        let others = rest.iter().filter(|(other, ..)| *other != place).map(|(_, rate, left)| (*rate, *left));
        replacement(others, units, bid).map(|pay| Award { who, units, pay })
    };
    sold.into_iter().map(award).collect()
}

/// What `units` cost from `supply`, the cheapest first, and at `bid` where that is not enough.
///
/// This is `C(−i) − (C − own cost)`: without a winner the other awards stay as they are, and only its own units have
/// to come from what is left.
fn replacement(supply: impl Iterator<Item = (Rate, u64)>, units: u64, bid: Rate) -> Result<Money, Fault> {
    let mut open = units;
    let mut cost = 0_u128;
    for (rate, left) in supply.chain([(bid, u64::MAX)]) {
        let taken = left.min(open);
        open = open.saturating_sub(taken);
        let part = u128::from(rate.0).checked_mul(u128::from(taken)).ok_or(Fault::Overflow)?;
        cost = cost.checked_add(part).ok_or(Fault::Overflow)?;
        if open == 0 {
            break;
        }
    }
    u64::try_from(cost).map(Money).map_err(|_| Fault::Overflow)
}
