//! The books of a market owner: listings by seller, by market and ask, and by expiry; and the search in them.
//!
//! Each market's book is ordered by ask, so a search walks upwards from the cheapest and never sorts. It looks at
//! compact rows and skips blocks of them ([`book`]); the listings themselves are only fetched for the ticket.

mod book;
mod mark;
mod names;
#[cfg(test)]
pub(crate) mod scan;
mod search;
#[cfg(test)]
mod tests;

pub(crate) use book::{Book, Row};
pub(crate) use search::{Asks, Fit, Order, Seen, Wanted};

use names::Names;
use proto::message::market::{Handed, Listing};
use proto::{Bundle, Commodity, Market, Peer, PublicKey, Reputation, Signed, Time};
use std::collections::{BTreeMap, BTreeSet};

/// Listings an owner keeps (the paper counts with 10,000 sellers at one owner; reference §4.1).
pub const MAX_LISTINGS: usize = 16_384;
/// Fitting asks that are counted for a ticket, and listings above the bid that are looked at for the figures
/// of a search without result; beyond that the numbers say "at least". So a ticket's `asks_seen` below it is
/// exact, and equal to it says "this many or more". Of the listings up to the bid all count as looked at, also those
/// that the index skips.
pub const MAX_COUNTED: u32 = 256;

/// Where a listing stands in the books: a seller has one of each commodity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Spot {
    pub(crate) seller: PublicKey,
    pub(crate) commodity: Commodity,
}

/// A listing in the books.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) listing: Signed<Listing>,
    /// What of this version was reserved through this owner.
    pub(crate) sold: Bundle,
    /// What it proves of its seller's reputation.
    pub(crate) reputation: Reputation,
    /// Whether it came from another owner, and not from its seller.
    pub(crate) is_handed: bool,
}

/// The books. A seller has one listing of each commodity in them, its newest.
#[derive(Debug, Default)]
pub(crate) struct Books {
    pub(crate) entries: BTreeMap<Spot, Box<Entry>>,
    pub(crate) index: BTreeMap<Market, Book>,
    pub(crate) expiries: BTreeSet<(Time, Spot)>,
    /// What sellers are being asked to reserve at this moment.
    pub(crate) flights: BTreeMap<Spot, Bundle>,
    names: Names,
}

impl Spot {
    pub(crate) const fn of(listing: &Listing) -> Self {
        Self { seller: listing.seller.key, commodity: listing.market.commodity }
    }

    /// All that a seller may have.
    pub(crate) fn all_of(seller: PublicKey) -> [Self; 3] {
        Commodity::ALL.map(|commodity| Self { seller, commodity })
    }
}

impl Books {
    /// The listing that stands there.
    pub(crate) fn listing(&self, spot: Spot) -> Option<Signed<Listing>> {
        Some(self.entries.get(&spot)?.listing.clone())
    }

    /// Every listing, by seller and commodity.
    pub(crate) fn listings(&self) -> impl Iterator<Item = &Listing> {
        self.entries.values().map(|entry| &entry.listing.body)
    }

    pub(crate) fn version_of(&self, spot: Spot) -> Option<u64> {
        self.entries.get(&spot).map(|entry| entry.listing.body.version)
    }

    /// Whether one more listing has room.
    pub(crate) fn has_room(&self, spot: Spot) -> bool {
        self.entries.len() < MAX_LISTINGS || self.entries.contains_key(&spot)
    }

    /// Puts a listing in, in place of its seller's earlier one.
    pub(crate) fn insert(&mut self, entry: Entry) {
        let body = &entry.listing.body;
        let spot = Spot::of(body);
        self.remove(spot);
        let platform = self.names.enter(&body.platform);
        let row = self.row(&entry);
        self.index.entry(body.market).or_default().put(row, platform);
        self.expiries.insert((body.expires, spot));
        self.entries.insert(spot, Box::new(entry));
    }

    /// Puts a listing in that other books had, if there is room.
    pub(crate) fn adopt(&mut self, entry: Entry) {
        if self.has_room(Spot::of(&entry.listing.body)) {
            self.insert(entry);
        }
    }

    /// Takes a listing out.
    pub(crate) fn remove(&mut self, spot: Spot) -> Option<Entry> {
        let entry = *self.entries.remove(&spot)?;
        let body = &entry.listing.body;
        self.expiries.remove(&(body.expires, spot));
        self.names.leave(&body.platform);
        if let Some(book) = self.index.get_mut(&body.market) {
            book.remove(body.ask, spot.seller);
            if book.is_empty() {
                self.index.remove(&body.market);
            }
        }
        Some(entry)
    }

    /// Takes all that stands here of a seller out, which cannot be reached there.
    pub(crate) fn remove_all_of(&mut self, seller: Peer) {
        for spot in Spot::all_of(seller.key) {
            if self.entries.get(&spot).is_some_and(|entry| entry.listing.body.seller == seller) {
                self.remove(spot);
            }
        }
    }

    /// Takes a listing out if it is not newer than `version`.
    pub(crate) fn remove_until(&mut self, spot: Spot, version: u64) {
        if self.version_of(spot).is_some_and(|stands| stands <= version) {
            self.remove(spot);
        }
    }

    /// The seller takes out what it listed here up to `version`. What another owner has handed over goes only if it
    /// is older: of a seller that has moved, `version` is the one that stands at its new place, and that may be
    /// handed over before the seller's word is here.
    pub(crate) fn withdraw(&mut self, spot: Spot, version: u64) {
        let is_meant = |entry: &Entry| {
            let stands = entry.listing.body.version;
            stands < version || (stands == version && !entry.is_handed)
        };
        if self.entries.get(&spot).is_some_and(|entry| is_meant(entry)) {
            self.remove(spot);
        }
    }

    /// Takes out what has ended at `now`.
    pub(crate) fn purge(&mut self, now: Time) {
        while let Some(&(expires, spot)) = self.expiries.first() {
            if expires > now {
                break;
            }
            self.remove(spot);
        }
    }

    /// What is listed in the markets that are wanted.
    pub(crate) fn spots(&self, is_wanted: impl Fn(Market) -> bool) -> Vec<Spot> {
        let wanted = self.index.iter().filter(|(market, _)| is_wanted(**market));
        let spot = |market: &Market, row: &Row| Spot { seller: row.seller, commodity: market.commodity };
        wanted.flat_map(|(market, book)| book.rows().map(move |row| spot(market, row))).collect()
    }

    /// A listing, for another owner.
    pub(crate) fn handed(&self, spot: Spot) -> Option<Handed> {
        let Entry { listing, sold, .. } = &**self.entries.get(&spot)?;
        Some(Handed { listing: listing.clone(), sold: sold.plus(self.flight(spot)) })
    }

    /// Notes that a seller is asked for `slice`, which is not empty.
    pub(crate) fn start_flight(&mut self, spot: Spot, slice: Bundle) {
        let flight = self.flights.entry(spot).or_default();
        *flight = flight.plus(slice);
        self.recount(spot);
    }

    /// Notes that the question to a seller for `slice` is over.
    pub(crate) fn end_flight(&mut self, spot: Spot, slice: Bundle) {
        if let Some(flight) = self.flights.get_mut(&spot) {
            *flight = flight.minus(slice);
            if *flight == Bundle::default() {
                self.flights.remove(&spot);
            }
            self.recount(spot);
        }
    }

    /// Notes that `slice` of this version is sold; a newer version knows it already.
    pub(crate) fn sell(&mut self, spot: Spot, version: u64, slice: Bundle) {
        if let Some(entry) = self.entries.get_mut(&spot)
            && entry.listing.body.version == version
        {
            entry.sold = entry.sold.plus(slice);
            self.recount(spot);
        }
    }

    /// Whether the row of `entry` says what the entry says, and stands where it belongs.
    pub(crate) fn is_indexed(&self, entry: &Entry) -> bool {
        let body = &entry.listing.body;
        let book = self.index.get(&body.market);
        let stands = book.and_then(|book| book.get(body.ask, body.seller.key));
        let platform = self.names.word(&body.platform);
        stands.is_some_and(|(row, word)| *row == self.row(entry) && Some(word) == platform)
    }

    fn flight(&self, spot: Spot) -> Bundle {
        self.flights.get(&spot).copied().unwrap_or_default()
    }

    fn row(&self, entry: &Entry) -> Row {
        let body = &entry.listing.body;
        Row {
            rate: body.ask,
            seller: body.seller.key,
            per_core: body.per_core,
            longest: body.longest,
            reputation: entry.reputation,
            free: body.offered().minus(entry.sold).minus(self.flight(Spot::of(body))),
        }
    }

    /// Writes down what of a listing is free now.
    fn recount(&mut self, spot: Spot) {
        let Some(entry) = self.entries.get(&spot) else { return };
        let body = &entry.listing.body;
        let free = self.row(entry).free;
        if let Some(book) = self.index.get_mut(&body.market) {
            book.set_free(body.ask, spot.seller, free);
        }
    }
}
