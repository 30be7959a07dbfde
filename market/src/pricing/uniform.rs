//! One price for a batch of identical units: k are bought, and the (k + 1)-th lowest ask sets the price of all
//! (reference §5.1, the cure for auctions in sequence, and §5.5).
//!
//! **What holds** (tests in `tests/rules/uniform.rs`), as long as every seller has one unit: no report pays more
//! than the true cost, also for sellers that would gain by waiting if the units were bought one after the other;
//! nobody loses by a trade; every buyer pays the same, at most the bid; the k cheapest sell.
//!
//! **What does not hold**: a seller of several units may gain by keeping one back, because that unit's ask may
//! set the price of the others. [`vcg`](super::vcg) is the rule for those.

use super::Ask;
use proto::Rate;

/// What the rule decides for a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch<T> {
    /// Who sells one unit each, the cheapest first.
    pub winners: Vec<T>,
    /// Whose ask set the price; `None` when no ask within the bid was left over.
    pub runner_up: Option<T>,
    /// What every winner is paid, in micro-credits per Gc.
    pub price: Rate,
}

/// Buys up to `count` units for at most `bid` (micro-credits per Gc) each.
///
/// With `count` asks within the bid or fewer, all of them sell, at the bid; with none, or for no units, there
/// are no winners. Equal asks go by lot. Exact: nothing is rounded. Sorts, so O(n log n).
///
/// Costs of 1, 5 and 9, and two units: both cheap sellers are paid 9, so that the first no longer gains
/// by asking for 6 to be chosen second. With one unit it is the reverse Vickrey auction.
/// ```
/// # use market::pricing::{uniform, Ask};
/// # use proto::{Hash, Rate};
/// let ask = |rate, who| Ask { rate: Rate(rate), lot: Hash::default(), who };
/// let batch = uniform::clear([ask(9, "C"), ask(1, "A"), ask(5, "B")], 2, Rate(10));
/// assert_eq!((batch.winners, batch.runner_up, batch.price), (vec!["A", "B"], Some("C"), Rate(9)));
/// let batch = uniform::clear([ask(9, "C"), ask(6, "A"), ask(5, "B")], 2, Rate(10));
/// assert_eq!((batch.winners, batch.price), (vec!["B", "A"], Rate(9)));
/// let batch = uniform::clear([ask(9, "C"), ask(1, "A"), ask(5, "B")], 1, Rate(10));
/// assert_eq!((batch.winners, batch.price), (vec!["A"], Rate(5)));
/// let batch = uniform::clear([ask(9, "C"), ask(1, "A"), ask(11, "B")], 2, Rate(10));
/// assert_eq!((batch.winners, batch.runner_up, batch.price), (vec!["A", "C"], None, Rate(10)));
/// ```
pub fn clear<T: Copy>(asks: impl IntoIterator<Item = Ask<T>>, count: usize, bid: Rate) -> Batch<T> {
    let mut asks: Vec<Ask<T>> = asks.into_iter().filter(|ask| ask.rate <= bid).collect();
    asks.sort_by_key(|ask| (ask.rate, ask.lot));
    let runner_up = asks.get(count);
    Batch {
        winners: asks.iter().take(count).map(|ask| ask.who).collect(),
        runner_up: runner_up.map(|ask| ask.who),
        price: runner_up.map_or(bid, |ask| ask.rate),
    }
}
