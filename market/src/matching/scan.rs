//! The search as it was before there was an index: listing by listing, upwards from the cheapest. What the tests and
//! the benchmark hold the index against.

use super::{Books, Found, MAX_COUNTED, Order, Seen};
use crate::pricing::{self, Ask};
use crate::requirement;
use proto::rules::PricingRule;
use proto::{Market, PublicKey, Rate};
use std::collections::{BTreeMap, BTreeSet};

/// The listings by market and ask.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    index: BTreeMap<Market, BTreeSet<(Rate, PublicKey)>>,
}

impl Scan {
    /// Of what stands in `books`.
    pub(crate) fn of(books: &Books) -> Self {
        let mut scan = Self::default();
        for entry in books.entries.values() {
            let body = &entry.listing.body;
            scan.index.entry(body.market).or_default().insert((body.ask, body.seller.key));
        }
        scan
    }

    /// As [`Books::search`].
    pub(crate) fn search(
        &self,
        books: &Books,
        market: Market,
        order: &Order<'_>,
        rule: PricingRule,
        seen: &mut Seen,
    ) -> Option<Found> {
        let mut asks: Vec<Ask<PublicKey>> = Vec::new();
        let (mut asks_seen, mut above_bid) = (0, 0);
        for &(rate, seller) in self.index.get(&market).into_iter().flatten() {
            above_bid += u32::from(rate > order.find.bid);
            let is_enough = asks_seen >= MAX_COUNTED || above_bid > MAX_COUNTED;
            if is_enough || (asks_seen > 0 && above_bid > 0) {
                break;
            }
            seen.listings = seen.listings.saturating_add(1);
            if !is_fitting(books, seller, order) {
                seen.too_small = seen.too_small.saturating_add(1);
            } else if rate > order.find.bid {
                seen.too_dear = seen.too_dear.saturating_add(1);
                seen.lowest_ask = Some(seen.lowest_ask.map_or(rate, |lowest| lowest.min(rate)));
            } else {
                asks_seen += 1;
                // Beyond the second lowest rate an ask counts, but decides nothing.
                if asks.len() < 2 || asks.last().is_some_and(|last| last.rate == rate) {
                    asks.push(Ask { rate, lot: pricing::lot(order.find.draw(), seller), who: seller });
                }
            }
        }
        let clearing = pricing::clear(rule, &proto::rules::PricingTerms::PUBLIC, asks, order.find.bid)?;
        Some(Found { clearing, asks_seen })
    }
}

fn is_fitting(books: &Books, seller: PublicKey, order: &Order<'_>) -> bool {
    let Some(entry) = books.entries.get(&seller) else { return false };
    let flight = books.flights.get(&seller).copied().unwrap_or(0);
    let free = entry.listing.body.cores.saturating_sub(entry.sold).saturating_sub(flight);
    seller != order.buyer
        && requirement::fits(&entry.listing.body, free, &order.find.requirement)
        && !order.tried.contains(&seller)
        && !order.find.avoid.contains(&seller)
}
