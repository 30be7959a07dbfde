//! What the rules for many buyers and many sellers of one unit each have in common.

use super::Ask;
use proto::{Hash, Rate};

/// One bid, as a rule for many buyers sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bid<T> {
    /// The reported value: the most the buyer pays, in micro-credits per Gc.
    pub rate: Rate,
    /// What decides between equal bids: the lowest lot goes first.
    pub lot: Hash,
    /// Whose bid it is.
    pub who: T,
}

/// Who trades, and at what prices; never without a trade.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange<B, S> {
    /// Who buys one unit each, the highest bid first.
    pub buyers: Vec<B>,
    /// Who sells one unit each, the lowest ask first; as many as buyers.
    pub sellers: Vec<S>,
    /// What every buyer pays, in micro-credits per Gc.
    pub pays: Rate,
    /// What every seller is paid, in micro-credits per Gc; never more than a buyer pays.
    pub gets: Rate,
}

impl<B, S> Exchange<B, S> {
    /// What the buyers pay and the sellers do not get, over all trades, in micro-credits for a Gc each.
    #[must_use]
    pub fn surplus(&self) -> u128 {
        let trades = self.buyers.len().min(self.sellers.len());
        u128::from(self.pays.0.saturating_sub(self.gets.0)).saturating_mul(trades as u128)
    }
}

/// Bids and asks in order, and how many trades lose nothing.
pub(super) struct Book<B, S> {
    bids: Vec<Bid<B>>,
    asks: Vec<Ask<S>>,
    /// The last trade whose bid covers its ask, as the two rates; and how many there are.
    pub(super) margin: (Rate, Rate),
    pub(super) trades: usize,
}

impl<B: Copy, S: Copy> Book<B, S> {
    /// `None` where no bid covers an ask.
    pub(super) fn new(
        bids: impl IntoIterator<Item = Bid<B>>,
        asks: impl IntoIterator<Item = Ask<S>>,
    ) -> Option<Self> {
        let mut bids: Vec<Bid<B>> = bids.into_iter().collect();
        bids.sort_by_key(|bid| (std::cmp::Reverse(bid.rate), bid.lot));
        let mut asks: Vec<Ask<S>> = asks.into_iter().collect();
        asks.sort_by_key(|ask| (ask.rate, ask.lot));
        let pairs = bids.iter().zip(&asks).map(|(bid, ask)| (bid.rate, ask.rate));
        let covered = pairs.take_while(|(bid, ask)| bid >= ask);
        let (place, margin) = covered.enumerate().last()?;
        Some(Self { bids, asks, margin, trades: place.saturating_add(1) })
    }

    /// The first bid and the first ask that do not trade.
    pub(super) fn next(&self) -> (Option<Rate>, Option<Rate>) {
        (self.bids.get(self.trades).map(|bid| bid.rate), self.asks.get(self.trades).map(|ask| ask.rate))
    }

    /// The first `trades` of both sides at these prices; `None` for no trades.
    pub(super) fn exchange(&self, trades: usize, pays: Rate, gets: Rate) -> Option<Exchange<B, S>> {
        (trades > 0).then(|| Exchange {
            buyers: self.bids.iter().take(trades).map(|bid| bid.who).collect(),
            sellers: self.asks.iter().take(trades).map(|ask| ask.who).collect(),
            pays,
            gets,
        })
    }
}
