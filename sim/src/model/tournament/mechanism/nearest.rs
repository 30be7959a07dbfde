//! Buyers one after the other, each at the nearest seller that is left and asks for no more than the bid, at its ask: who picks
//! by distance and looks at the price only to see whether it can pay. Places are drawn evenly on a circle.

use super::{Case, Kind, Mechanism, Traded, chance, first_word};
use market::pricing::Ask;

/// Who takes the nearest.
pub(super) const KIND: Kind = Kind {
    name: "nearest",
    about: "each buyer in turn takes the nearest seller that it can pay, at its ask",
    parameters: Vec::new,
    mechanism: |_| Box::new(Nearest),
};

struct Nearest;

impl Mechanism for Nearest {
    fn trade(&self, case: &Case<'_>) -> Vec<Traded> {
        let mut left: Vec<Ask<usize>> = case.lots_of_sellers().collect();
        let mut traded = Vec::new();
        for buyer in case.order {
            let (bid, here) = (case.bid(*buyer), chance(case.id, *buyer));
            let reachable = left.iter().enumerate().filter(|(_, ask)| ask.rate <= bid);
            let nearest = reachable.min_by_key(|(_, ask)| distance(here, first_word(ask.lot)));
            if let Some(at) = nearest.map(|(at, _)| at) {
                let ask = left.remove(at);
                traded.push(Traded { buyer: *buyer, seller: ask.who, pays: ask.rate, gets: ask.rate });
            }
        }
        traded
    }
}

fn distance(one: u64, other: u64) -> u64 {
    one.wrapping_sub(other).min(other.wrapping_sub(one))
}
