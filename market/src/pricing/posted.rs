//! A posted price: who asks for no more than it may sell, and the lot decides among them (reference §5.5).
//!
//! **What holds** (tests in `tests/rules/posted.rs`): no report pays more than the true cost, since a report
//! decides neither the price nor the order; nobody loses by a trade; the buyer pays the posted price exactly.
//!
//! **What does not hold**: the cheapest seller need not be chosen, and with a price below every cost there is no
//! trade though the bid would allow one. (To prefer the lowest ask among those that accept would be no cure:
//! sellers would then ask for less than their cost to come first.)

use super::{Ask, Clearing};
use proto::Rate;

/// Winner and price at the posted `price`, both it and `bid` in micro-credits per Gc.
///
/// The winner is the lowest lot of those that ask for `price` or less, the runner-up the next, who would sell in
/// its place. `None` when nobody does, or when `price` exceeds `bid`. Exact: nothing is rounded.
/// ```
/// # use market::pricing::{posted, Ask};
/// # use proto::{Hash, Rate};
/// let ask = |rate, lot, who| Ask { rate: Rate(rate), lot: Hash([lot; 32]), who };
/// let asks = [ask(100, 3, "A"), ask(200, 1, "B"), ask(300, 2, "C")];
/// let sale = posted::clear(asks, Rate(250), Rate(1_000)).unwrap();
/// assert_eq!((sale.winner, sale.runner_up, sale.price), ("B", Some("A"), Rate(250)));
/// assert_eq!(posted::clear(asks, Rate(99), Rate(1_000)), None);
/// assert_eq!(posted::clear(asks, Rate(250), Rate(249)), None);
/// ```
pub fn clear<T: Copy>(asks: impl IntoIterator<Item = Ask<T>>, price: Rate, bid: Rate) -> Option<Clearing<T>> {
    if price > bid {
        return None;
    }
    let mut best: Option<Ask<T>> = None;
    let mut second: Option<Ask<T>> = None;
    for ask in asks.into_iter().filter(|ask| ask.rate <= price) {
        if best.is_none_or(|best| ask.lot < best.lot) {
            second = best.replace(ask);
        } else if second.is_none_or(|second| ask.lot < second.lot) {
            second = Some(ask);
        }
    }
    best.map(|best| Clearing { winner: best.who, runner_up: second.map(|ask| ask.who), price })
}
