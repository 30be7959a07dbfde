//! The first-price rule: the lowest ask wins and is paid what it asks (reference §5.3 and the table of §5.5).
//!
//! **What holds** (tests in `tests/rules/first_price.rs`): nobody loses by a trade, the buyer pays at most its
//! bid, and the lowest ask sells. The price is on the winner's own paper, so no runner-up has to be proved.
//!
//! **What does not hold**: to tell the truth gains nothing. Among n sellers with costs spread evenly over 0 to 1
//! it is best to ask for `c + (1 − c)/n`; the buyer then pays 2/(n + 1) on average, as with Vickrey. Where
//! sellers differ in what they know of each other, a dearer seller may win.

use super::{Ask, Clearing, lowest_two};
use proto::Rate;

/// Winner, runner-up and price in micro-credits per Gc; `None` when nobody asks for `bid` or less.
///
/// One pass, without sorting. Equal asks go by lot. Exact: nothing is rounded.
/// ```
/// # use market::pricing::{first_price, Ask};
/// # use proto::{Hash, Rate};
/// let ask = |rate, who| Ask { rate: Rate(rate), lot: Hash::default(), who };
/// let sale = first_price::clear([ask(300, "C"), ask(100, "A"), ask(200, "B")], Rate(1_000)).unwrap();
/// assert_eq!((sale.winner, sale.runner_up, sale.price), ("A", Some("B"), Rate(100)));
/// // A's best report, if it knew the others: one unit below the next.
/// let lie = first_price::clear([ask(300, "C"), ask(199, "A"), ask(200, "B")], Rate(1_000)).unwrap();
/// assert_eq!((lie.winner, lie.price), ("A", Rate(199)));
/// ```
pub fn clear<T: Copy>(asks: impl IntoIterator<Item = Ask<T>>, bid: Rate) -> Option<Clearing<T>> {
    let (best, second) = lowest_two(asks, bid)?;
    Some(Clearing { winner: best.who, runner_up: second.map(|ask| ask.who), price: price(best.rate, bid) })
}

/// The price the winner is paid: its own ask, at most the bid, in micro-credits per Gc.
#[must_use]
pub fn price(winner: Rate, bid: Rate) -> Rate {
    winner.min(bid)
}
