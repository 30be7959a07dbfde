//! McAfee's double auction, and trade reduction (reference §5.5).
//!
//! With bids v falling and asks c rising, k is the number of trades that lose nothing. The middle of the first pair
//! left out, `p₀ = (v₍k+1₎ + c₍k+1₎)/2`, is the price of all k trades if the k-th pair accepts it; else the k-th
//! pair is left out and sets the prices of the others.
//!
//! **What holds** (tests in `tests/rules/mcafee.rs`): no report is worth more than the truth, for buyers and for
//! sellers; nobody loses by a trade; buyers pay at least what sellers get; at most the k-th trade, the least
//! worthwhile, is lost, so at least 1 − 1/k of the gains is realized.
//!
//! **What does not hold**: with k = 1 and nobody left over there is no trade at all, and what a reduced auction
//! leaves over, `(k − 1)(v_k − c_k)`, belongs to neither buyers nor sellers.

use super::Ask;
use super::double::{Bid, Book, Exchange};
use proto::Rate;

/// Who trades under McAfee's rule, in micro-credits per Gc; `None` for no trades.
///
/// p₀ is compared exactly and rounded down once, in favour of the buyers; it stays between the k-th ask and the
/// k-th bid, and still depends only on reports that do not trade. Without a pair left over there is no p₀,
/// and the auction is [`reduced`]. Equal reports go by lot. Sorts, so O(n log n).
///
/// Bids 9, 8, 7, 4 and asks 2, 3, 4, 5: k = 3 and p₀ = 4.5 suits the third pair, 7 and 4. With 12 in place of the last
/// ask, p₀ = 8 does not, and two trades are left, which leave 2·(7 − 4) over.
/// ```
/// # use market::pricing::{double::Bid, mcafee, Ask};
/// # use proto::{Hash, Rate};
/// let bids = [9, 8, 7, 4].map(|rate| Bid { rate: Rate(rate), lot: Hash::default(), who: rate });
/// let asks = |rates: [u64; 4]| rates.map(|rate| Ask { rate: Rate(rate), lot: Hash::default(), who: rate });
/// let all = mcafee::clear(bids, asks([2, 3, 4, 5])).unwrap();
/// assert_eq!((all.buyers.len(), all.pays, all.gets, all.surplus()), (3, Rate(4), Rate(4), 0));
/// let fewer = mcafee::clear(bids, asks([2, 3, 4, 12])).unwrap();
/// assert_eq!((&fewer.buyers[..], &fewer.sellers[..]), (&[9, 8][..], &[2, 3][..]));
/// assert_eq!((fewer.pays, fewer.gets, fewer.surplus()), (Rate(7), Rate(4), 6));
/// ```
pub fn clear<B: Copy, S: Copy>(
    bids: impl IntoIterator<Item = Bid<B>>,
    asks: impl IntoIterator<Item = Ask<S>>,
) -> Option<Exchange<B, S>> {
    let book = Book::new(bids, asks)?;
    let (bid, ask) = book.margin;
    if let (Some(next_bid), Some(next_ask)) = book.next() {
        let double = u128::from(next_bid.0) + u128::from(next_ask.0);
        let price = Rate(next_bid.0.midpoint(next_ask.0));
        if u128::from(ask.0) * 2 <= double && double <= u128::from(bid.0) * 2 {
            return book.exchange(book.trades, price, price);
        }
    }
    reduce(&book)
}

/// Who trades under trade reduction: always all but the k-th trade, buyers at the k-th bid and sellers at the k-th
/// ask, in micro-credits per Gc; `None` for no trades. Exact: nothing is rounded.
/// ```
/// # use market::pricing::{double::Bid, mcafee, Ask};
/// # use proto::{Hash, Rate};
/// let bids = [9, 8, 7, 4].map(|rate| Bid { rate: Rate(rate), lot: Hash::default(), who: rate });
/// let asks = [2, 3, 4, 5].map(|rate| Ask { rate: Rate(rate), lot: Hash::default(), who: rate });
/// let two = mcafee::reduced(bids, asks).unwrap();
/// assert_eq!((two.buyers.len(), two.pays, two.gets, two.surplus()), (2, Rate(7), Rate(4), 6));
/// ```
pub fn reduced<B: Copy, S: Copy>(
    bids: impl IntoIterator<Item = Bid<B>>,
    asks: impl IntoIterator<Item = Ask<S>>,
) -> Option<Exchange<B, S>> {
    reduce(&Book::new(bids, asks)?)
}

fn reduce<B: Copy, S: Copy>(book: &Book<B, S>) -> Option<Exchange<B, S>> {
    let (bid, ask) = book.margin;
    book.exchange(book.trades.saturating_sub(1), bid, ask)
}
