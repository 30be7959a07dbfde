//! Proportional share for units that cannot be divided: each unit goes to one of the buyers that have none yet, with a chance in
//! proportion to its bid, so that a buyer's expected part is that of its bid in all bids; they trade half-way if both gain.

use super::{Case, Kind, Mechanism, Traded, chance};
use market::pricing::Ask;
use proto::Rate;

/// Chances in proportion to bids.
pub(super) const KIND: Kind = Kind {
    name: "proportional",
    about: "each unit goes to a buyer by chance, in proportion to the bids, at half-way if both gain",
    parameters: Vec::new,
    mechanism: |_| Box::new(Proportional),
};

struct Proportional;

impl Mechanism for Proportional {
    fn trade(&self, case: &Case<'_>) -> Vec<Traded> {
        let mut sellers: Vec<Ask<usize>> = case.lots_of_sellers().collect();
        sellers.sort_by_key(|ask| ask.lot);
        let mut left: Vec<usize> = (0..case.bids.len()).collect();
        let mut traded = Vec::new();
        for ask in sellers {
            let Some(at) = drawn(case, &left, &ask) else { break };
            let Some(buyer) = left.get(at).copied() else { break };
            let bid = case.bid(buyer);
            if bid > ask.rate {
                let price = Rate(bid.0.midpoint(ask.rate.0));
                traded.push(Traded { buyer, seller: ask.who, pays: price, gets: price });
                left.remove(at);
            }
        }
        traded
    }
}

/// Whose turn it is, drawn for the seller; none where nobody bids anything.
fn drawn(case: &Case<'_>, left: &[usize], ask: &Ask<usize>) -> Option<usize> {
    let all: u128 = left.iter().map(|buyer| u128::from(case.bid(*buyer).0)).sum();
    // Below all bids together, which are far below 2^64 micro-credits.
    let mut left_over = all.saturating_mul(chance(case.id, ask.who).into()) >> 64;
    left.iter().position(|buyer| {
        let bid = u128::from(case.bid(*buyer).0);
        let is_here = left_over < bid;
        left_over = left_over.saturating_sub(bid);
        is_here
    })
}
