//! The books of a market owner: listings by seller, by market and ask, and by expiry; and the search in them.
//!
//! Each market's book is ordered by ask, so a search walks upwards from the cheapest and never sorts. It looks at
//! compact rows and skips blocks of them ([`book`]); the listings themselves are only fetched for the ticket.

mod book;
mod expiries;
mod look;
mod mark;
mod names;
mod packed;
#[cfg(test)]
pub(crate) mod scan;
mod search;
mod shelf;
#[cfg(test)]
pub(crate) mod tests;

pub(crate) use book::{Book, Place, Row};
pub(crate) use search::{Asks, Fit, Order, Seen, Wanted};
pub(crate) use shelf::{Number, Shelf};

use crate::pricing::lot::head;
use expiries::Expiries;
use proto::message::market::{Handed, Listing};
use proto::{Bundle, Commodity, Market, Peer, PublicKey, Reputation, Signed, Time};
use std::collections::BTreeMap;

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
#[derive(Debug)]
pub(crate) struct Books {
    pub(crate) shelf: Shelf,
    pub(crate) index: BTreeMap<Market, Book>,
    pub(crate) expiries: Expiries,
    /// What of a listing was reserved through this owner, where that is something.
    pub(crate) sold: BTreeMap<Number, Bundle>,
    /// What sellers are being asked to reserve at this moment.
    pub(crate) flights: BTreeMap<Spot, Bundle>,
    most: usize,
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
    /// Empty books with room for `most` listings, or [`names::MAX_NAMED`] if that is less. `bank` is who signs the standing of sellers.
    pub(crate) fn new(bank: Option<PublicKey>, most: usize) -> Self {
        Self {
            shelf: Shelf::new(bank),
            index: BTreeMap::new(),
            expiries: Expiries::default(),
            sold: BTreeMap::new(),
            flights: BTreeMap::new(),
            most: most.min(names::MAX_NAMED),
        }
    }

    /// How many listings there are.
    pub(crate) fn len(&self) -> usize {
        self.shelf.len()
    }

    pub(crate) fn has(&self, spot: Spot) -> bool {
        self.shelf.find(spot).is_some()
    }

    /// The listing that stands there.
    pub(crate) fn listing(&self, spot: Spot) -> Option<Signed<Listing>> {
        Some(self.shelf.read(self.shelf.find(spot)?)?.0)
    }

    /// Every listing.
    pub(crate) fn listings(&self) -> impl Iterator<Item = Listing> {
        self.shelf.numbers().filter_map(|number| Some(self.shelf.read(number)?.0.body))
    }

    /// The listing with this number, with all that is known of it.
    pub(crate) fn entry(&self, number: Number) -> Option<Entry> {
        let (listing, is_handed) = self.shelf.read(number)?;
        let (row, _) = self.row_of(number, &listing.body)?;
        Some(Entry { sold: self.sold_of(number), reputation: row.reputation, listing, is_handed })
    }

    /// Whether one more listing has room.
    pub(crate) fn has_room(&self, spot: Spot) -> bool {
        self.len() < self.most || self.has(spot)
    }

    /// Puts a listing in, in place of its seller's earlier one.
    pub(crate) fn insert(&mut self, entry: Entry) {
        let Entry { listing, sold, reputation, is_handed } = entry;
        let spot = Spot::of(&listing.body);
        self.remove(spot);
        let (number, platform) = self.shelf.put(&listing, is_handed);
        if sold != Bundle::default() {
            self.sold.insert(number, sold);
        }
        let body = &listing.body;
        let row = self.row(number, body, reputation);
        self.index.entry(body.market).or_default().put(row, platform);
        self.expiries.insert(body.expires, number);
    }

    /// Puts a listing in that other books had, if there is room.
    pub(crate) fn adopt(&mut self, entry: Entry) {
        if self.has_room(Spot::of(&entry.listing.body)) {
            self.insert(entry);
        }
    }

    /// Takes a listing out.
    pub(crate) fn remove(&mut self, spot: Spot) -> Option<Entry> {
        self.remove_number(self.shelf.find(spot)?)
    }

    /// Takes all that stands here of a seller out, which cannot be reached there.
    pub(crate) fn remove_all_of(&mut self, seller: Peer) {
        for spot in Spot::all_of(seller.key) {
            if self.listing(spot).is_some_and(|listing| listing.body.seller == seller) {
                self.remove(spot);
            }
        }
    }

    /// Takes a listing out if it is not newer than `version`.
    pub(crate) fn remove_until(&mut self, spot: Spot, version: u64) {
        if self.listing(spot).is_some_and(|listing| listing.body.version <= version) {
            self.remove(spot);
        }
    }

    /// The seller takes out what it listed here up to `version`. What another owner has handed over goes only if it
    /// is older: of a seller that has moved, `version` is the one that stands at its new place, and that may be
    /// handed over before the seller's word is here.
    pub(crate) fn withdraw(&mut self, spot: Spot, version: u64) {
        let stands = self.shelf.find(spot).and_then(|number| self.shelf.read(number));
        let is_meant = |(listing, is_handed): (Signed<Listing>, bool)| {
            let stands = listing.body.version;
            stands < version || (stands == version && !is_handed)
        };
        if stands.is_some_and(is_meant) {
            self.remove(spot);
        }
    }

    /// Takes out what has ended at `now`.
    pub(crate) fn purge(&mut self, now: Time) {
        while let Some(number) = self.expiries.pop_ended(now) {
            self.remove_number(number);
        }
    }

    /// What is listed in the markets that are wanted.
    pub(crate) fn spots(&self, is_wanted: impl Fn(Market) -> bool) -> Vec<Spot> {
        let wanted = self.index.iter().filter(|(market, _)| is_wanted(**market));
        wanted.flat_map(|(_, book)| book.rows().filter_map(|row| self.shelf.spot(row.number))).collect()
    }

    /// A listing, for another owner.
    pub(crate) fn handed(&self, spot: Spot) -> Option<Handed> {
        let number = self.shelf.find(spot)?;
        let (listing, _) = self.shelf.read(number)?;
        Some(Handed { listing, sold: self.sold_of(number).plus(self.flight(spot)) })
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
        let Some(number) = self.shelf.find(spot) else { return };
        if self.shelf.read(number).is_some_and(|(listing, _)| listing.body.version == version) {
            let sold = self.sold.entry(number).or_default();
            *sold = sold.plus(slice);
            self.recount(spot);
        }
    }

    /// Whether the row of a listing says what the listing says, and stands where it belongs.
    pub(crate) fn is_indexed(&self, number: Number, listing: &Listing) -> bool {
        let platform = self.shelf.word(&listing.platform);
        self.row_of(number, listing).is_some_and(|(row, word)| {
            *row == self.row(number, listing, row.reputation) && Some(word) == platform
        })
    }

    fn remove_number(&mut self, number: Number) -> Option<Entry> {
        let (listing, is_handed) = self.shelf.take(number)?;
        let body = &listing.body;
        self.expiries.remove(body.expires, number);
        let sold = self.sold.remove(&number).unwrap_or_default();
        let reputation = self.row_of(number, body).map(|(row, _)| row.reputation)?;
        if let Some(book) = self.index.get_mut(&body.market) {
            book.remove(place(number, body));
            if book.is_empty() {
                self.index.remove(&body.market);
            }
        }
        Some(Entry { listing, sold, reputation, is_handed })
    }

    fn sold_of(&self, number: Number) -> Bundle {
        self.sold.get(&number).copied().unwrap_or_default()
    }

    fn flight(&self, spot: Spot) -> Bundle {
        self.flights.get(&spot).copied().unwrap_or_default()
    }

    fn row_of(&self, number: Number, listing: &Listing) -> Option<(&Row, u64)> {
        self.index.get(&listing.market)?.get(place(number, listing))
    }

    fn row(&self, number: Number, listing: &Listing, reputation: Reputation) -> Row {
        let (rate, head, number) = place(number, listing);
        Row {
            rate,
            head,
            number,
            reputation,
            per_core: listing.per_core,
            longest: listing.longest,
            release: listing.platform.release,
            layers: listing.platform.layers,
            free: listing.offered().minus(self.sold_of(number)).minus(self.flight(Spot::of(listing))),
        }
    }

    /// Writes down what of a listing is free now.
    fn recount(&mut self, spot: Spot) {
        let Some(number) = self.shelf.find(spot) else { return };
        let Some((listing, _)) = self.shelf.read(number) else { return };
        let body = &listing.body;
        let free = self.row(number, body, Reputation::default()).free;
        if let Some(book) = self.index.get_mut(&body.market) {
            book.set_free(place(number, body), free);
        }
    }
}

/// Where the row of a listing stands in its book.
fn place(number: Number, listing: &Listing) -> Place {
    (listing.ask, head(listing.seller.key), number)
}
