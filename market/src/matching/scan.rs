//! The search as it is without an index: listing by listing. What the tests and the benchmark hold the index against.

use super::search::{Asks, Fit, Order, Seen, Wanted};
use super::{Books, Entry, MAX_COUNTED, Spot};
use crate::pricing::lot::{head, start};
use crate::{pricing, requirement};
use proto::{Bundle, Hash, Market, PublicKey, Rate};
use std::collections::BTreeMap;

/// The listings by market and ask.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    index: BTreeMap<Market, BTreeMap<(Rate, PublicKey), Entry>>,
}

impl Scan {
    /// Of what stands in `books`.
    pub(crate) fn of(books: &Books) -> Self {
        let mut scan = Self::default();
        for entry in books.shelf.numbers().filter_map(|number| books.entry(number)) {
            let body = &entry.listing.body;
            let (market, place) = (body.market, (body.ask, body.seller.key));
            scan.index.entry(market).or_default().insert(place, entry);
        }
        scan
    }

    /// As [`Books::asks`].
    pub(crate) fn asks(&self, books: &Books, market: Market, order: &Order<'_>, wanted: Wanted) -> Asks {
        let begin = start(order.draw);
        let mut fits: Vec<Fit> = Vec::new();
        let until = |((rate, _), _): &(&(Rate, PublicKey), &Entry)| *rate <= order.bid;
        let limit = wanted.count.max(MAX_COUNTED as usize);
        // The highest, the number of all, and with that the rest is only for the order.
        for (&(rate, seller), entry) in self.index.get(&market).into_iter().flatten().take_while(until) {
            let is_more = !wanted.dearest && fits.last().is_some_and(|last| last.rate < rate);
            if fits.len() >= limit && is_more {
                break;
            }
            if let Some(slices) = slices(books, entry, order) {
                fits.push(Fit { rate, lot: Hash::default(), seller, slices });
            }
        }
        let lot = |fit: &Fit| pricing::lot(order.draw, fit.seller);
        let dearest = fits.last().filter(|_| wanted.dearest).map(|fit| Fit { lot: lot(fit), ..*fit });
        let seen = u32::try_from(fits.len()).unwrap_or(MAX_COUNTED).min(MAX_COUNTED);
        fits.sort_by_key(|fit| (fit.rate, head(fit.seller).wrapping_sub(begin)));
        fits.truncate(limit);
        let mut lowest: Vec<Fit> = fits.into_iter().map(|fit| Fit { lot: lot(&fit), ..fit }).collect();
        lowest.sort_by_key(|fit| (fit.rate, fit.lot));
        lowest.truncate(wanted.count);
        Asks { lowest, dearest, seen }
    }

    /// As [`Books::add_missed`].
    pub(crate) fn add_missed(&self, books: &Books, market: Market, order: &Order<'_>, seen: &mut Seen) {
        let mut above_bid = 0;
        for (&(rate, _), entry) in self.index.get(&market).into_iter().flatten() {
            above_bid += u32::from(rate > order.bid);
            if above_bid > MAX_COUNTED {
                break;
            }
            seen.listings = seen.listings.saturating_add(1);
            if slices(books, entry, order).is_none() {
                seen.too_small = seen.too_small.saturating_add(1);
            } else if rate > order.bid {
                seen.too_dear = seen.too_dear.saturating_add(1);
                seen.lowest_ask = Some(seen.lowest_ask.map_or(rate, |lowest| lowest.min(rate)));
            }
        }
    }
}

/// How many slices for `order` a listing has, if it fits.
fn slices(books: &Books, entry: &Entry, order: &Order<'_>) -> Option<u32> {
    let body = &entry.listing.body;
    let seller = body.seller.key;
    let flight: Bundle = books.flights.get(&Spot::of(body)).copied().unwrap_or_default();
    let free = body.offered().minus(entry.sold).minus(flight);
    let fits = seller != order.buyer
        && requirement::fits(body, free, entry.reputation, order.requirement)
        && !order.tried.contains(&seller)
        && !order.avoid.contains(&seller);
    fits.then(|| requirement::slices(free, requirement::slice(order.requirement)))
}
