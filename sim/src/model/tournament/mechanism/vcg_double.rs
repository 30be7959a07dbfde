//! The double auction of Vickrey, Clarke and Groves, which does not ship because somebody has to pay for it: the k trades
//! that gain; buyers pay `max(c_k, v_k+1)` and sellers get `min(v_k, c_k+1)` (reference §5.5).

use super::{Case, Kind, Mechanism, Traded, pairs};
use market::pricing::double::Exchange;

/// Everything that gains is traded, at a loss of the market's.
pub(super) const KIND: Kind = Kind {
    name: "vcg-double",
    about: "the double auction of Vickrey, Clarke and Groves: all trades that gain, with a subsidy",
    parameters: Vec::new,
    mechanism: |_| Box::new(VcgDouble),
};

struct VcgDouble;

impl Mechanism for VcgDouble {
    fn trade(&self, case: &Case<'_>) -> Vec<Traded> {
        let (bids, asks, count) = case.ranked();
        let last = count.checked_sub(1);
        let limits = last.and_then(|last| Some((bids.get(last)?.rate, asks.get(last)?.rate)));
        pairs(limits.map(|(bid, ask)| Exchange {
            pays: bids.get(count).map_or(ask, |next| next.rate.max(ask)),
            gets: asks.get(count).map_or(bid, |next| next.rate.min(bid)),
            buyers: bids.iter().take(count).map(|bid| bid.who).collect(),
            sellers: asks.iter().take(count).map(|ask| ask.who).collect(),
        }))
    }
}
