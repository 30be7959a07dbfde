//! The books of a market owner: listings by seller, by market and ask, and by expiry; and the search in them.
//!
//! Each market's book is ordered by ask, so a search walks upwards from the cheapest and never sorts. It looks at
//! compact rows and skips blocks of them ([`book`]); the listings themselves are only fetched for the ticket.

mod book;
mod look;
mod mark;
mod names;
#[cfg(test)]
pub(crate) mod scan;
#[cfg(test)]
mod tests;

pub(crate) use book::{Book, Row};

use crate::pricing::{self, Ask, Clearing};
use mark::Sought;
use names::Names;
use proto::message::market::{FindSeller, Handed, Listing};
use proto::rules::PricingRule;
use proto::{Bundle, Market, PublicKey, Rate, Signed, Time};
use std::collections::{BTreeMap, BTreeSet};

/// Listings an owner keeps (the paper counts with 10,000 sellers at one owner; reference §4.1).
pub const MAX_LISTINGS: usize = 16_384;
/// Fitting asks that are counted for a ticket, and listings above the bid that are looked at for the figures
/// of a search without result; beyond that the numbers say "at least". So a ticket's `asks_seen` below it is
/// exact, and equal to it says "this many or more". Of the listings up to the bid all count as looked at, also those
/// that the index skips.
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
    pub(crate) entries: BTreeMap<PublicKey, Box<Entry>>,
    pub(crate) index: BTreeMap<Market, Book>,
    pub(crate) expiries: BTreeSet<(Time, PublicKey)>,
    /// Cores that sellers are being asked to reserve at this moment.
    pub(crate) flights: BTreeMap<PublicKey, u32>,
    names: Names,
}

/// What a search that found nobody saw. A search that finds somebody leaves it as it is.
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
    /// Asks that fit and do not exceed the bid; [`MAX_COUNTED`] stands for that many and more.
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
        let platform = self.names.enter(&body.platform);
        let row = self.row(&entry);
        self.index.entry(body.market).or_default().put(row, platform);
        self.expiries.insert((body.expires, seller));
        self.entries.insert(seller, Box::new(entry));
    }

    /// Puts a listing in that other books had, if there is room.
    pub(crate) fn adopt(&mut self, entry: Entry) {
        if self.has_room(entry.listing.body.seller.key) {
            self.insert(entry);
        }
    }

    /// Takes the listing of `seller` out.
    pub(crate) fn remove(&mut self, seller: PublicKey) -> Option<Entry> {
        let entry = *self.entries.remove(&seller)?;
        let body = &entry.listing.body;
        self.expiries.remove(&(body.expires, seller));
        self.names.leave(&body.platform);
        if let Some(book) = self.index.get_mut(&body.market) {
            book.remove(body.ask, seller);
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
        if self.entries.get(&seller).is_some_and(|entry| is_meant(entry)) {
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
        wanted.flat_map(|(_, book)| book.rows().map(|row| row.seller)).collect()
    }

    /// The listing of `seller`, for another owner.
    pub(crate) fn handed(&self, seller: PublicKey) -> Option<Handed> {
        let Entry { listing, sold, .. } = &**self.entries.get(&seller)?;
        let flight = self.flights.get(&seller).copied().unwrap_or(0);
        let sold = Bundle { cores: sold.saturating_add(flight), ..Bundle::default() };
        Some(Handed { listing: listing.clone(), sold })
    }

    /// Notes that `seller` is asked for `cores`.
    pub(crate) fn start_flight(&mut self, seller: PublicKey, cores: u32) {
        let flight = self.flights.entry(seller).or_default();
        *flight = flight.saturating_add(cores);
        self.recount(seller);
    }

    /// Notes that the question to `seller` for `cores` is over.
    pub(crate) fn end_flight(&mut self, seller: PublicKey, cores: u32) {
        if let Some(flight) = self.flights.get_mut(&seller) {
            *flight = flight.saturating_sub(cores);
            if *flight == 0 {
                self.flights.remove(&seller);
            }
            self.recount(seller);
        }
    }

    /// Notes that `cores` of this version are sold; a newer version knows it already.
    pub(crate) fn sell(&mut self, seller: PublicKey, version: u64, cores: u32) {
        if let Some(entry) = self.entries.get_mut(&seller)
            && entry.listing.body.version == version
        {
            entry.sold = entry.sold.saturating_add(cores);
            self.recount(seller);
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

    /// Winner and price in `market` for `order`, or what was seen instead (added to `seen`). The buyer itself
    /// and the sellers in `tried` are passed over.
    pub(crate) fn search(
        &self,
        market: Market,
        order: &Order<'_>,
        rule: PricingRule,
        seen: &mut Seen,
    ) -> Option<Found> {
        let book = self.index.get(&market)?;
        let (sought, passed, bid) = (self.sought(order), Passed::over(order), order.find.bid);
        let is_wanted = |row: &Row| !passed.contains(row.seller);
        let until = book.count_until(bid);
        let mut asks: Vec<Ask<PublicKey>> = Vec::new();
        let mut asks_seen = 0;
        let count = |row: &Row| {
            if is_wanted(row) {
                asks_seen += 1;
                // Beyond the second lowest rate an ask counts, but decides nothing.
                if asks.len() < 2 || asks.last().is_some_and(|last| last.rate == row.rate) {
                    let lot = pricing::lot(order.find.ticket, row.seller);
                    asks.push(Ask { rate: row.rate, lot, who: row.seller });
                }
            }
            asks_seen < MAX_COUNTED
        };
        if let Some(sought) = &sought {
            book.visit(sought, None, until, count);
        }
        if let Some(clearing) = pricing::clear(rule, asks, bid) {
            return Some(Found { clearing, asks_seen });
        }
        let above = MAX_COUNTED as usize;
        let mut too_dear = 0;
        let count = |row: &Row| {
            if is_wanted(row) {
                too_dear += 1;
                seen.lowest_ask = Some(seen.lowest_ask.map_or(row.rate, |lowest| lowest.min(row.rate)));
            }
            true
        };
        if let Some(sought) = &sought {
            book.visit(sought, Some(bid), above, count);
        }
        let listings = u32::try_from(until + book.count_above(bid).min(above)).unwrap_or(u32::MAX);
        seen.listings = seen.listings.saturating_add(listings);
        seen.too_dear = seen.too_dear.saturating_add(too_dear);
        seen.too_small = seen.too_small.saturating_add(listings.saturating_sub(too_dear));
        None
    }

    /// What a row has to reach for `order`; `None` if no listing has the names that are asked for.
    fn sought(&self, order: &Order<'_>) -> Option<Sought> {
        let requirement = &order.find.requirement;
        let platform = self.names.wanted(&requirement.os, &requirement.arch, requirement.native)?;
        Some(Sought::of(requirement, platform))
    }

    fn row(&self, entry: &Entry) -> Row {
        let body = &entry.listing.body;
        let seller = body.seller.key;
        let flight = self.flights.get(&seller).copied().unwrap_or(0);
        Row {
            rate: body.ask,
            seller,
            per_core: body.per_core,
            memory: body.memory,
            disk: body.disk,
            free: body.cores.saturating_sub(entry.sold).saturating_sub(flight),
        }
    }

    /// Writes down how many cores of `seller` are free now.
    fn recount(&mut self, seller: PublicKey) {
        let Some(entry) = self.entries.get(&seller) else { return };
        let body = &entry.listing.body;
        let free = self.row(entry).free;
        if let Some(book) = self.index.get_mut(&body.market) {
            book.set_free(body.ask, seller, free);
        }
    }
}

/// What is searched for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Order<'a> {
    pub(crate) buyer: PublicKey,
    pub(crate) find: &'a FindSeller,
    pub(crate) tried: &'a [PublicKey],
}

/// Who is not to sell: the buyer, the sellers that failed it and those that it avoids.
struct Passed<'a> {
    order: &'a Order<'a>,
    /// The beginnings of their keys, sorted: most sellers are told apart by them.
    heads: Vec<u64>,
}

impl<'a> Passed<'a> {
    fn over(order: &'a Order<'a>) -> Self {
        let who = std::iter::once(&order.buyer).chain(order.tried).chain(&order.find.avoid);
        let mut heads: Vec<u64> = who.map(|who| head(*who)).collect();
        heads.sort_unstable();
        Self { order, heads }
    }

    fn contains(&self, seller: PublicKey) -> bool {
        let Order { buyer, find, tried } = self.order;
        self.heads.binary_search(&head(seller)).is_ok()
            && (seller == *buyer || tried.contains(&seller) || find.avoid.contains(&seller))
    }
}

/// The first eight bytes of a key.
fn head(key: PublicKey) -> u64 {
    key.0.first_chunk().map_or(0, |head| u64::from_be_bytes(*head))
}
