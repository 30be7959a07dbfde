//! The invariants of a marketplace, cheap enough to be checked after every event.

use crate::matching::{Book, Books};
use crate::owner::Owner;
use crate::owner::matches::Part;
use crate::seller::Seller;
use crate::{Marketplace, buyer, requirement};
use proto::{Market, PublicKey, RequestId, Time};
use std::collections::BTreeMap;

/// A broken invariant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// A core is in two slices.
    #[error("{held} cores are in slices, {ceiling} may be")]
    SoldTwice {
        /// Cores in slices.
        held: u32,
        /// The supply, or what was in slices when it shrank.
        ceiling: u32,
    },
    /// The listing offers other cores than those that are free.
    #[error("{listed} cores are listed, {free} are free")]
    WrongOffer {
        /// Cores in the newest listing.
        listed: u32,
        /// Cores that are free.
        free: u32,
    },
    /// A reservation that should have ended.
    #[error("a reservation has ended and is still kept")]
    LateReservation,
    /// Listings, index and expiries do not tell the same.
    #[error("the listing of {seller} and the index disagree")]
    BrokenIndex {
        /// Whose listing.
        seller: PublicKey,
    },
    /// A listing outside the arc.
    #[error("a listing in {market} is kept, whose key lies outside the arc")]
    OutsideRange {
        /// Its market.
        market: Market,
    },
    /// A listing that should have been purged.
    #[error("the listing of {seller} has ended and is still kept")]
    LateListing {
        /// Whose listing.
        seller: PublicKey,
    },
    /// A listing that is kept for another owner's market although the market is this node's.
    #[error("a listing in {market} is kept aside, whose market this node answers for")]
    KeptAside {
        /// Its market.
        market: Market,
    },
    /// A hand-over, or a buyer that waits for one, that should have ended.
    #[error("a hand-over has no end")]
    LateHandOver,
    /// The cores asked for at a seller are not those of the matches under way.
    #[error("the cores asked for at {seller} do not agree with the matches under way")]
    WrongFlight {
        /// Which seller.
        seller: PublicKey,
    },
    /// A match without its deadline or its question to the seller.
    #[error("matches, their deadlines and their questions to sellers do not agree")]
    LostMatch,
    /// Too many purchases at once, or one that waits although there is room.
    #[error("{active} purchases are under way and {waiting} wait")]
    WrongQueue {
        /// Under way.
        active: usize,
        /// Waiting.
        waiting: usize,
    },
}

impl Marketplace {
    /// Whether the invariants hold.
    ///
    /// # Errors
    /// The first one that does not.
    pub fn check(&self) -> Result<(), Violation> {
        check_seller(&self.seller, self.now)?;
        check_books(&self.owner.books, self.now)?;
        check_books(&self.owner.kept, self.now)?;
        check_places(&self.owner)?;
        check_owner(&self.owner)?;
        if self.owner.is_late(self.now) {
            return Err(Violation::LateHandOver);
        }
        let (active, waiting) = (self.buyer.purchases.len(), self.buyer.queue.len());
        if active > buyer::MAX_PURCHASES || (waiting > 0 && active < buyer::MAX_PURCHASES) {
            return Err(Violation::WrongQueue { active, waiting });
        }
        Ok(())
    }
}

fn check_seller(seller: &Seller, now: Time) -> Result<(), Violation> {
    let (held, ceiling) = (seller.slices.held(), seller.slices.ceiling);
    if held > ceiling {
        return Err(Violation::SoldTwice { held, ceiling });
    }
    let free = seller.slices.free_cores();
    let listed = seller.listing.as_ref().map_or(0, |listing| listing.body.cores);
    if listed != free {
        return Err(Violation::WrongOffer { listed, free });
    }
    if seller.slices.kept.values().any(|slice| slice.until.is_some_and(|until| until <= now)) {
        return Err(Violation::LateReservation);
    }
    Ok(())
}

fn check_books(books: &Books, now: Time) -> Result<(), Violation> {
    for (&seller, entry) in &books.entries {
        let body = &entry.listing.body;
        let is_indexed = books.is_indexed(entry);
        let is_timed = books.expiries.contains(&(body.expires, seller));
        if !is_indexed
            || !is_timed
            || body.seller.key != seller
            || body.market != requirement::market_of(body)
        {
            return Err(Violation::BrokenIndex { seller });
        }
        if body.expires <= now {
            return Err(Violation::LateListing { seller });
        }
    }
    let unsound = books.index.values().find(|book| !book.is_sound());
    if let Some(row) = unsound.and_then(|book| book.rows().next()) {
        return Err(Violation::BrokenIndex { seller: row.seller });
    }
    let indexed = books.index.values().flat_map(Book::rows).map(|row| row.seller);
    let timed = books.expiries.iter().map(|(_, seller)| *seller);
    for seller in indexed.clone().chain(timed.clone()) {
        if !books.entries.contains_key(&seller) {
            return Err(Violation::BrokenIndex { seller });
        }
    }
    // As many lines as listings, and each listing has its own: so no seller stands twice.
    let surplus = [indexed.clone().count(), timed.count()].iter().any(|count| *count > books.entries.len());
    match indexed.max() {
        Some(seller) if surplus => Err(Violation::BrokenIndex { seller }),
        _ => Ok(()),
    }
}

/// Each listing is where it belongs, and each seller has one.
fn check_places(owner: &Owner) -> Result<(), Violation> {
    if let Some(&market) = owner.books.index.keys().find(|market| !owner.answers(**market)) {
        return Err(Violation::OutsideRange { market });
    }
    if let Some(&market) = owner.kept.index.keys().find(|market| owner.answers(**market)) {
        return Err(Violation::KeptAside { market });
    }
    match owner.kept.entries.keys().find(|seller| owner.books.entries.contains_key(*seller)) {
        Some(&seller) => Err(Violation::BrokenIndex { seller }),
        None => Ok(()),
    }
}

fn check_owner(owner: &Owner) -> Result<(), Violation> {
    let mut flights: BTreeMap<PublicKey, u32> = BTreeMap::new();
    let mut questions = 0;
    for (key, matched) in &owner.matches {
        let is_awaited = |(request, part): (&RequestId, &Part)| {
            owner.due.contains(&(part.due, *request)) && owner.reserves.get(request) == Some(key)
        };
        if matched.parts.is_empty() || !matched.parts.iter().all(is_awaited) {
            return Err(Violation::LostMatch);
        }
        questions += matched.parts.len();
        for part in matched.parts.values() {
            let flight = flights.entry(part.listing.body.seller.key).or_default();
            let cores = requirement::cores(&matched.wish.find.requirement);
            let count = u32::try_from(part.tickets.len()).unwrap_or(u32::MAX);
            *flight = flight.saturating_add(cores.saturating_mul(count));
        }
    }
    if owner.due.len() != questions || owner.reserves.len() != questions {
        return Err(Violation::LostMatch);
    }
    let one_sided = |(seller, cores): (&PublicKey, &u32)| owner.books.flights.get(seller) != Some(cores);
    if let Some((&seller, _)) = flights.iter().find(|(seller, cores)| one_sided((seller, cores))) {
        return Err(Violation::WrongFlight { seller });
    }
    match owner.books.flights.keys().find(|seller| !flights.contains_key(seller)) {
        Some(&seller) => Err(Violation::WrongFlight { seller }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
