//! The strongly budget-balanced double auction of Segal-Halevi, Hassidim and Aumann (2016; reference §5.5): one price for both
//! sides, so that nothing is left over and nothing has to be added.
//!
//! With k trades that gain, the price is `min(c_k+1, v_k)`. If it is the ask of the first seller that is left out, all k trade.
//! If it is the bid of the k-th buyer, that buyer is left out, and so is one of the k sellers, by lot.

use super::{Case, Kind, Mechanism, Traded, pairs};
use market::pricing::double::Exchange;

/// One price, exact balance, a lottery.
pub(super) const KIND: Kind = Kind {
    name: "sbba",
    about: "one price for both sides, set by who is left out; where that is a buyer, one seller is left out by lot",
    parameters: Vec::new,
    mechanism: |_| Box::new(Sbba),
};

struct Sbba;

impl Mechanism for Sbba {
    fn trade(&self, case: &Case<'_>) -> Vec<Traded> {
        let (bids, mut asks, count) = case.ranked();
        let Some(last) = count.checked_sub(1).and_then(|last| bids.get(last)).copied() else {
            return Vec::new();
        };
        let outside = asks.get(count).map(|ask| ask.rate).filter(|ask| *ask <= last.rate);
        asks.truncate(count);
        let (price, traded) = match outside {
            Some(ask) => (ask, count),
            None => {
                asks.sort_by_key(|ask| ask.lot);
                (last.rate, count - 1)
            }
        };
        pairs(Some(Exchange {
            pays: price,
            gets: price,
            buyers: bids.iter().take(traded).map(|bid| bid.who).collect(),
            sellers: asks.iter().take(traded).map(|ask| ask.who).collect(),
        }))
    }
}
