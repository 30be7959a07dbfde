//! The k-double auction: one price between bids and asks, at an exact fraction κ of the way (reference §5.5).
//!
//! With bids v falling and asks c rising, the k trades that lose nothing take place. Every price from
//! `max(c_k, v₍k+1₎)` to `min(v_k, c₍k+1₎)` suits those that trade and those that do not; the rule takes
//! `(1 − κ)·lower + κ·upper`. For one buyer and one seller that is `(1 − κ)·c + κ·v`. (Between c_k and v_k alone, a
//! buyer left out could bid more and gain at once.)
//!
//! **What holds** (tests in `tests/rules/k_double.rs`): nobody loses by a trade; buyers pay exactly what sellers get;
//! with true reports all gains from trade are realized; with κ = 0 no buyer and with κ = 1 no seller gains by
//! a false report.
//!
//! **What does not hold**: whoever moves the price gains by a false report, and where both sides try, trades that
//! are worth it fail. No rule for one buyer and one seller avoids that and keeps the rest
//! (Myerson and Satterthwaite).

use super::Ask;
use super::double::{Bid, Book, Exchange};
use proto::Rate;

/// κ: where between the lowest and the highest price that suits everybody the price is; from 0 to 1, no unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    numerator: u32,
    denominator: u32,
}

impl Share {
    /// `numerator/denominator`; `None` where that is no number from 0 to 1.
    ///
    /// ```
    /// # use market::pricing::k_double::Share;
    /// assert!(Share::new(1, 2).is_some() && Share::new(0, 1).is_some() && Share::new(1, 1).is_some());
    /// assert!(Share::new(3, 2).is_none() && Share::new(0, 0).is_none());
    /// ```
    #[must_use]
    pub const fn new(numerator: u32, denominator: u32) -> Option<Self> {
        if denominator == 0 || numerator > denominator {
            return None;
        }
        Some(Self { numerator, denominator })
    }

    /// `low + κ·(high − low)`, rounded down once.
    fn between(self, low: Rate, high: Rate) -> Rate {
        let part = u128::from(high.0.saturating_sub(low.0)) * u128::from(self.numerator);
        let part = part.checked_div(u128::from(self.denominator)).unwrap_or(0);
        Rate(u64::try_from(part).map_or(high.0, |part| low.0.saturating_add(part)))
    }
}

/// Who trades, and at what price in micro-credits per Gc; `None` for no trades.
///
/// The price is rounded down once, in favour of the buyers, and never leaves the range that suits everybody. Equal
/// reports go by lot. Sorts, so O(n log n).
///
/// One buyer at 10 and one seller at 4, with κ = 0, 1/2, 2/3 and 1; then bids 9, 8, 7, 4 and asks 2, 3, 4, 5, where
/// prices from max(4, 4) to min(7, 5) suit everybody.
/// ```
/// # use market::pricing::{double::Bid, k_double::{clear, Share}, Ask};
/// # use proto::{Hash, Rate};
/// let bid = |rate| Bid { rate: Rate(rate), lot: Hash::default(), who: rate };
/// let ask = |rate| Ask { rate: Rate(rate), lot: Hash::default(), who: rate };
/// let share = |numerator, denominator| Share::new(numerator, denominator).unwrap();
/// let price = |share| clear([bid(10)], [ask(4)], share).unwrap().pays.0;
/// assert_eq!([(0, 1), (1, 2), (2, 3), (1, 1)].map(|(n, d)| price(share(n, d))), [4, 7, 8, 10]);
/// let many = clear([9, 8, 7, 4].map(bid), [2, 3, 4, 5].map(ask), share(1, 2)).unwrap();
/// assert_eq!((many.buyers.len(), many.pays, many.gets), (3, Rate(4), Rate(4)));
/// assert_eq!(clear([bid(3)], [ask(4)], share(1, 2)), None);
/// ```
pub fn clear<B: Copy, S: Copy>(
    bids: impl IntoIterator<Item = Bid<B>>,
    asks: impl IntoIterator<Item = Ask<S>>,
    share: Share,
) -> Option<Exchange<B, S>> {
    let book = Book::new(bids, asks)?;
    let (bid, ask) = book.margin;
    let (next_bid, next_ask) = book.next();
    let low = next_bid.map_or(ask, |next| next.max(ask));
    let high = next_ask.map_or(bid, |next| next.min(bid));
    let price = share.between(low, high);
    book.exchange(book.trades, price, price)
}
