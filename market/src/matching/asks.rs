//! The lowest asks that fit, for a batch.

use super::{Books, MAX_COUNTED, Order, Passed, Row, Seen};
use crate::pricing::batch::Offer;
use crate::pricing::{self, Ask};
use crate::requirement;
use proto::{Market, PublicKey};

/// What fits an order in one market.
#[derive(Debug, Default)]
pub(crate) struct Asks {
    /// The lowest, in the order of rate and lot.
    pub(crate) lowest: Vec<Offer<PublicKey>>,
    /// The dearest.
    pub(crate) dearest: Option<Offer<PublicKey>>,
    /// How many there are.
    pub(crate) asks_seen: u32,
}

impl Asks {
    /// The lowest, and last the dearest if it is none of them.
    pub(crate) fn offers(&self) -> Vec<Offer<PublicKey>> {
        let is_new = |dearest: &&Offer<PublicKey>| self.lowest.iter().all(|offer| offer.ask != dearest.ask);
        self.lowest.iter().chain(self.dearest.iter().filter(is_new)).copied().collect()
    }
}

impl Books {
    /// The `n` lowest fitting asks in `market` that do not exceed the bid.
    pub(crate) fn asks(&self, market: Market, order: &Order<'_>, n: usize) -> Asks {
        let (Some(book), Some(sought)) = (self.index.get(&market), self.sought(order)) else {
            return Asks::default();
        };
        let passed = Passed::over(order);
        let cores = requirement::cores(&order.find.requirement).max(1);
        let mut offers: Vec<Offer<PublicKey>> = Vec::new();
        book.visit(&sought, None, book.count_until(order.find.bid), |row: &Row| {
            if !passed.contains(row.seller) {
                let lot = pricing::lot(order.find.draw(), row.seller);
                let ask = Ask { rate: row.rate, lot, who: row.seller };
                offers.push(Offer { ask, slices: row.free / cores });
            }
            true
        });
        offers.sort_by_key(|offer| (offer.ask.rate, offer.ask.lot));
        let asks_seen = u32::try_from(offers.len()).unwrap_or(u32::MAX).min(MAX_COUNTED);
        let dearest = offers.last().copied();
        offers.truncate(n);
        Asks { lowest: offers, dearest, asks_seen }
    }

    /// Adds to `seen` what stands in `market` and does not serve the order.
    pub(crate) fn look(&self, market: Market, order: &Order<'_>, seen: &mut Seen) {
        let (Some(book), Some(sought)) = (self.index.get(&market), self.sought(order)) else { return };
        let passed = Passed::over(order);
        let (bid, above) = (order.find.bid, MAX_COUNTED as usize);
        let mut too_dear = 0;
        book.visit(&sought, Some(bid), above, |row: &Row| {
            if !passed.contains(row.seller) {
                too_dear += 1;
                seen.lowest_ask = Some(seen.lowest_ask.map_or(row.rate, |lowest| lowest.min(row.rate)));
            }
            true
        });
        let until = book.count_until(bid);
        let listings = u32::try_from(until + book.count_above(bid).min(above)).unwrap_or(u32::MAX);
        seen.listings = seen.listings.saturating_add(listings);
        seen.too_dear = seen.too_dear.saturating_add(too_dear);
        seen.too_small = seen.too_small.saturating_add(listings.saturating_sub(too_dear));
    }
}
