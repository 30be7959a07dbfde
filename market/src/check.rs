//! The invariants of a marketplace, cheap enough to be checked after every event.

use crate::matching::{Book, Books, Number, Row, Spot};
use crate::owner::Owner;
use crate::owner::matches::Part;
use crate::seller::Seller;
use crate::{Marketplace, buyer, requirement};
use proto::{Bundle, Market, PublicKey, RequestId, Signed, Time};
use std::collections::BTreeMap;

/// A broken invariant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// A part of the machine is in two slices.
    #[error("{held:?} is in slices, {ceiling:?} may be")]
    SoldTwice {
        /// What is in slices.
        held: Bundle,
        /// The supply, or what was in slices when it shrank.
        ceiling: Bundle,
    },
    /// The listing offers something else than what is free.
    #[error("{listed:?} is listed, {free:?} is free")]
    WrongOffer {
        /// What the newest listing offers.
        listed: Bundle,
        /// What it should offer.
        free: Bundle,
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
    /// What is asked for at a seller is not what the matches under way need.
    #[error("what is asked for at {seller} does not agree with the matches under way")]
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
    let slices = &seller.goods.slices;
    let (held, ceiling) = (slices.held(), slices.ceiling);
    if !ceiling.holds(held) {
        return Err(Violation::SoldTwice { held, ceiling });
    }
    for stall in &seller.stalls {
        let sold = slices.supply().filter(|supply| supply.asks.ask(stall.commodity).is_some());
        let offered = sold.map(|supply| (slices.offered(stall.commodity), supply.per_core));
        let is_some = |(part, per_core): &(Bundle, _)| part.amount_of(stall.commodity, *per_core) > 0;
        let free = offered.filter(is_some).map(|(part, _)| part).unwrap_or_default();
        let listed = stall.listing.as_ref().map_or_else(Bundle::default, |listing| listing.body.offered());
        if listed != free {
            return Err(Violation::WrongOffer { listed, free });
        }
    }
    if slices.kept.values().any(|slice| slice.until.is_some_and(|until| until <= now)) {
        return Err(Violation::LateReservation);
    }
    Ok(())
}

fn check_books(books: &Books, now: Time) -> Result<(), Violation> {
    let broken = |number: Number| {
        let seller = books.shelf.spot(number).map_or(PublicKey([0; 32]), |spot| spot.seller);
        Err(Violation::BrokenIndex { seller })
    };
    for number in books.shelf.numbers() {
        let Some((Signed { body, .. }, _)) = books.shelf.read(number) else { return broken(number) };
        let is_timed = books.expiries.contains(body.expires, number);
        let is_placed =
            books.shelf.find(Spot::of(&body)) == Some(number) && body.market == requirement::market_of(&body);
        if !books.is_indexed(number, &body) || !is_timed || !is_placed {
            return broken(number);
        }
        if body.expires <= now {
            return Err(Violation::LateListing { seller: body.seller.key });
        }
    }
    let unsound = books.index.values().find(|book| !book.is_sound());
    if let Some(row) = unsound.and_then(|book| book.rows().next()) {
        return broken(row.number);
    }
    // Each listing has a row, a time and a place: so with as many of them none is left over.
    let rows: usize = books.index.values().map(Book::len).sum();
    if rows != books.len() || books.expiries.len() != books.len() {
        let is_own =
            |row: &Row| books.entry(row.number).is_some_and(|entry| entry.listing.body.ask == row.rate);
        let stray = books.index.values().flat_map(Book::rows).find(|row| !is_own(row));
        return broken(stray.map_or(Number::MAX, |row| row.number));
    }
    match books.sold.keys().find(|number| books.shelf.spot(**number).is_none()) {
        Some(number) => broken(*number),
        None => Ok(()),
    }
}

/// Each listing is where it belongs, and each seller has one of a commodity.
fn check_places(owner: &Owner) -> Result<(), Violation> {
    if let Some(&market) = owner.books.index.keys().find(|market| !owner.answers(**market)) {
        return Err(Violation::OutsideRange { market });
    }
    if let Some(&market) = owner.kept.index.keys().find(|market| owner.answers(**market)) {
        return Err(Violation::KeptAside { market });
    }
    match owner.kept.spots(|_| true).into_iter().find(|spot| owner.books.has(*spot)) {
        Some(spot) => Err(Violation::BrokenIndex { seller: spot.seller }),
        None => Ok(()),
    }
}

fn check_owner(owner: &Owner) -> Result<(), Violation> {
    let mut flights: BTreeMap<Spot, Bundle> = BTreeMap::new();
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
            let flight = flights.entry(Spot::of(&part.listing.body)).or_default();
            *flight = flight.plus(part.taken(&matched.wish));
        }
    }
    if owner.due.len() != questions || owner.reserves.len() != questions {
        return Err(Violation::LostMatch);
    }
    let agrees = |spot: &Spot| owner.books.flights.get(spot) == flights.get(spot);
    match flights.keys().chain(owner.books.flights.keys()).find(|spot| !agrees(spot)) {
        Some(spot) => Err(Violation::WrongFlight { seller: spot.seller }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
