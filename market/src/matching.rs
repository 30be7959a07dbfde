//! The books of a market owner: listings by seller, by market and ask, and by expiry; and the search in them.
//!
//! Each market's book is ordered by ask, so a search walks upwards from the cheapest and never sorts.

use crate::pricing::{self, Ask, Clearing};
use crate::requirement;
use proto::message::market::{FindSeller, Handed, Listing};
use proto::rules::PricingRule;
use proto::{Market, PublicKey, Rate, Signed, Time};
use std::collections::{BTreeMap, BTreeSet};

/// Listings an owner keeps (the paper counts with 10,000 sellers at one owner; reference §4.1).
pub const MAX_LISTINGS: usize = 16_384;
/// Fitting asks that are counted for a ticket, and listings above the bid that are looked at for the figures
/// of a search without result; beyond that the numbers say "at least".
pub const MAX_COUNTED: u32 = 256;

/// A listing in the books.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) listing: Signed<Listing>,
    /// Cores of this version that were reserved through this owner.
    pub(crate) sold: u32,
    /// Whether it came from another owner, and not from its seller.
    pub(crate) is_handed: bool,
}

/// The books. A seller has one listing in them, its newest.
#[derive(Debug, Default)]
pub(crate) struct Books {
    pub(crate) entries: BTreeMap<PublicKey, Entry>,
    pub(crate) index: BTreeMap<Market, BTreeSet<(Rate, PublicKey)>>,
    pub(crate) expiries: BTreeSet<(Time, PublicKey)>,
    /// Cores that sellers are being asked to reserve at this moment.
    pub(crate) flights: BTreeMap<PublicKey, u32>,
}

/// What a search that found nobody saw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) listings: u32,
    pub(crate) too_dear: u32,
    pub(crate) too_small: u32,
    pub(crate) lowest_ask: Option<Rate>,
}

/// The result of a search.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) clearing: Clearing<PublicKey>,
    pub(crate) asks_seen: u32,
}

impl Books {
    pub(crate) fn version_of(&self, seller: PublicKey) -> Option<u64> {
        self.entries.get(&seller).map(|entry| entry.listing.body.version)
    }

    /// Whether one more seller has room.
    pub(crate) fn has_room(&self, seller: PublicKey) -> bool {
        self.entries.len() < MAX_LISTINGS || self.entries.contains_key(&seller)
    }

    /// Puts a listing in, in place of its seller's earlier one.
    pub(crate) fn insert(&mut self, entry: Entry) {
        let body = &entry.listing.body;
        let seller = body.seller.key;
        self.remove(seller);
        self.index.entry(body.market).or_default().insert((body.ask, seller));
        self.expiries.insert((body.expires, seller));
        self.entries.insert(seller, entry);
    }

    /// Puts a listing in that other books had, if there is room.
    pub(crate) fn adopt(&mut self, entry: Entry) {
        if self.has_room(entry.listing.body.seller.key) {
            self.insert(entry);
        }
    }

    /// Takes the listing of `seller` out.
    pub(crate) fn remove(&mut self, seller: PublicKey) -> Option<Entry> {
        let entry = self.entries.remove(&seller)?;
        let body = &entry.listing.body;
        self.expiries.remove(&(body.expires, seller));
        if let Some(book) = self.index.get_mut(&body.market) {
            book.remove(&(body.ask, seller));
            if book.is_empty() {
                self.index.remove(&body.market);
            }
        }
        Some(entry)
    }

    /// Takes the listing of `seller` out if it is not newer than `version`.
    pub(crate) fn remove_until(&mut self, seller: PublicKey, version: u64) {
        if self.version_of(seller).is_some_and(|stands| stands <= version) {
            self.remove(seller);
        }
    }

    /// The seller takes out what it listed here up to `version`. What another owner has handed over goes only if it
    /// is older: of a seller that has moved, `version` is the one that stands at its new place, and that may be
    /// handed over before the seller's word is here.
    pub(crate) fn withdraw(&mut self, seller: PublicKey, version: u64) {
        let is_meant = |entry: &Entry| {
            let stands = entry.listing.body.version;
            stands < version || (stands == version && !entry.is_handed)
        };
        if self.entries.get(&seller).is_some_and(is_meant) {
            self.remove(seller);
        }
    }

    /// Takes out what has ended at `now`.
    pub(crate) fn purge(&mut self, now: Time) {
        while let Some(&(expires, seller)) = self.expiries.first() {
            if expires > now {
                break;
            }
            self.remove(seller);
        }
    }

    /// Who lists in the markets that are wanted.
    pub(crate) fn sellers(&self, is_wanted: impl Fn(Market) -> bool) -> Vec<PublicKey> {
        let wanted = self.index.iter().filter(|(market, _)| is_wanted(**market));
        wanted.flat_map(|(_, book)| book.iter().map(|(_, seller)| *seller)).collect()
    }

    /// The listing of `seller`, for another owner.
    pub(crate) fn handed(&self, seller: PublicKey) -> Option<Handed> {
        let Entry { listing, sold, .. } = self.entries.get(&seller)?;
        let flight = self.flights.get(&seller).copied().unwrap_or(0);
        Some(Handed { listing: listing.clone(), sold: sold.saturating_add(flight) })
    }

    /// Notes that `seller` is asked for `cores`.
    pub(crate) fn start_flight(&mut self, seller: PublicKey, cores: u32) {
        let flight = self.flights.entry(seller).or_default();
        *flight = flight.saturating_add(cores);
    }

    /// Notes that the question to `seller` for `cores` is over.
    pub(crate) fn end_flight(&mut self, seller: PublicKey, cores: u32) {
        if let Some(flight) = self.flights.get_mut(&seller) {
            *flight = flight.saturating_sub(cores);
            if *flight == 0 {
                self.flights.remove(&seller);
            }
        }
    }

    /// Notes that `cores` of this version are sold; a newer version knows it already.
    pub(crate) fn sell(&mut self, seller: PublicKey, version: u64, cores: u32) {
        if let Some(entry) = self.entries.get_mut(&seller)
            && entry.listing.body.version == version
        {
            entry.sold = entry.sold.saturating_add(cores);
        }
    }

    /// Winner and price in `market` for `order`, or what was seen instead (added to `seen`). The buyer itself
    /// and the sellers in `tried` are passed over.
    pub(crate) fn search(
        &self,
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
            if !self.is_fitting(seller, order) {
                seen.too_small = seen.too_small.saturating_add(1);
            } else if rate > order.find.bid {
                seen.too_dear = seen.too_dear.saturating_add(1);
                seen.lowest_ask = Some(seen.lowest_ask.map_or(rate, |lowest| lowest.min(rate)));
            } else {
                asks_seen += 1;
                // Beyond the second lowest rate an ask counts, but decides nothing.
                if asks.len() < 2 || asks.last().is_some_and(|last| last.rate == rate) {
                    asks.push(Ask { rate, lot: pricing::lot(order.find.ticket, seller), who: seller });
                }
            }
        }
        let clearing = pricing::clear(rule, asks, order.find.bid)?;
        Some(Found { clearing, asks_seen })
    }

    fn is_fitting(&self, seller: PublicKey, order: &Order<'_>) -> bool {
        let Some(entry) = self.entries.get(&seller) else { return false };
        let flight = self.flights.get(&seller).copied().unwrap_or(0);
        let free = entry.listing.body.cores.saturating_sub(entry.sold).saturating_sub(flight);
        seller != order.buyer
            && requirement::fits(&entry.listing.body, free, &order.find.requirement)
            && !order.tried.contains(&seller)
            && !order.find.avoid.contains(&seller)
    }
}

/// What is searched for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Order<'a> {
    pub(crate) buyer: PublicKey,
    pub(crate) find: &'a FindSeller,
    pub(crate) tried: &'a [PublicKey],
}
