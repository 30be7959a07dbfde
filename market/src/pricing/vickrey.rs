//! The reverse Vickrey auction with a reserve price (CompuP2P paper, IV-B1; reference §5.1).
//!
//! The lowest ask wins and is paid the second lowest, at most the bid. A seller's report decides only whether
//! it wins, never what it is paid, so in one auction no report pays more than the true marginal cost.

use super::{Ask, Clearing, lowest_two};
use proto::Rate;

/// Winner and price; `None` when nobody asks for `bid` or less.
///
/// One pass, without sorting. Equal asks go by lot; the price is then the common ask.
///
/// The paper's example: A's marginal cost is 5, the lowest of the others is 4. A tells the truth and loses;
/// when it asks for 3, it wins at 4, one less than the work costs it.
/// ```
/// # use market::pricing::{vickrey, Ask};
/// # use proto::{Hash, Rate};
/// let ask = |rate, who| Ask { rate: Rate(rate), lot: Hash::default(), who };
/// let truth = vickrey::clear([ask(5, "A"), ask(4, "B")], Rate(10)).unwrap();
/// assert_eq!((truth.winner, truth.price), ("B", Rate(5)));
/// let lie = vickrey::clear([ask(3, "A"), ask(4, "B")], Rate(10)).unwrap();
/// assert_eq!((lie.winner, lie.price), ("A", Rate(4)));
/// ```
/// Marginal costs 100, 200 and 300 (the paper's example for variable listing prices): A sells at 200.
/// ```
/// # use market::pricing::{vickrey, Ask};
/// # use proto::{Hash, Rate};
/// # let ask = |rate, who| Ask { rate: Rate(rate), lot: Hash::default(), who };
/// let sale = vickrey::clear([ask(300, "C"), ask(100, "A"), ask(200, "B")], Rate(1_000)).unwrap();
/// assert_eq!((sale.winner, sale.runner_up, sale.price), ("A", Some("B"), Rate(200)));
/// ```
/// Who is alone is paid the bid, and nobody above the bid sells:
/// ```
/// # use market::pricing::{vickrey, Ask};
/// # use proto::{Hash, Rate};
/// # let ask = |rate, who| Ask { rate: Rate(rate), lot: Hash::default(), who };
/// assert_eq!(vickrey::clear([ask(3, "A")], Rate(9)).unwrap().price, Rate(9));
/// assert_eq!(vickrey::clear([ask(10, "A")], Rate(9)), None);
/// ```
pub fn clear<T: Copy>(asks: impl IntoIterator<Item = Ask<T>>, bid: Rate) -> Option<Clearing<T>> {
    let (best, second) = lowest_two(asks, bid)?;
    let price = price(second.map(|ask| ask.rate), bid);
    Some(Clearing { winner: best.who, runner_up: second.map(|ask| ask.who), price })
}

/// The price the winner is paid: the runner-up's ask, at most the bid; the bid for a winner that is alone.
#[must_use]
pub fn price(runner_up: Option<Rate>, bid: Rate) -> Rate {
    runner_up.map_or(bid, |ask| ask.min(bid))
}
