//! Each buyer meets one seller by chance, and they share what there is to gain: the weakest of the baselines.

use super::{Case, Kind, Mechanism, Traded};
use market::pricing::Ask;
use proto::Rate;

/// Who meets whom is chance.
pub(super) const KIND: Kind = Kind {
    name: "random",
    about: "each buyer meets one seller by chance, and they trade at half-way if both gain",
    parameters: Vec::new,
    mechanism: |_| Box::new(ByChance),
};

struct ByChance;

impl Mechanism for ByChance {
    fn trade(&self, case: &Case<'_>) -> Vec<Traded> {
        let mut sellers: Vec<Ask<usize>> = case.lots_of_sellers().collect();
        sellers.sort_by_key(|ask| ask.lot);
        let meet = |(buyer, ask): (&usize, Ask<usize>)| {
            let bid = case.bid(*buyer);
            let price = Rate(bid.0.midpoint(ask.rate.0));
            let trade = Traded { buyer: *buyer, seller: ask.who, pays: price, gets: price };
            (bid > ask.rate).then_some(trade)
        };
        case.order.iter().zip(sellers).filter_map(meet).collect()
    }
}
