//! The listings themselves, each under a number, packed; and where each seller's are.

use super::Spot;
use super::names::Names;
use super::packed::{self, Context, Unpacked};
use crate::pricing::lot::head;
use proto::message::market::{Listing, Platform};
use proto::{PublicKey, Signed};
use std::collections::BTreeSet;

/// The number of a listing while it is on the shelf.
pub(crate) type Number = u32;

/// Listings for which a full shelf makes room: an eighth more.
const GROWTH: usize = 8;

/// The listings, by number and by seller.
#[derive(Debug)]
pub(crate) struct Shelf {
    papers: Vec<Option<Box<[u8]>>>,
    /// Numbers that nobody has any more.
    idle: Vec<Number>,
    /// Numbers by the first four bytes of the seller's key; who shares them is told apart by the papers.
    numbers: BTreeSet<(u32, Number)>,
    names: Names,
    context: Context,
    scratch: Vec<u8>,
}

impl Shelf {
    pub(crate) fn new(bank: Option<PublicKey>) -> Self {
        Self {
            papers: Vec::new(),
            idle: Vec::new(),
            numbers: BTreeSet::new(),
            names: Names::default(),
            context: Context { bank },
            scratch: Vec::new(),
        }
    }

    pub(crate) const fn names(&self) -> &Names {
        &self.names
    }

    pub(crate) fn len(&self) -> usize {
        self.numbers.len()
    }

    /// The number of the listing that stands at `spot`.
    pub(crate) fn find(&self, spot: Spot) -> Option<Number> {
        let head = head(spot.seller);
        let numbers = self.numbers.range((head, Number::MIN)..=(head, Number::MAX));
        numbers.map(|(_, number)| *number).find(|number| self.spot(*number) == Some(spot))
    }

    /// Where the listing with this number stands.
    pub(crate) fn spot(&self, number: Number) -> Option<Spot> {
        let paper = self.paper(number)?;
        Some(Spot { seller: packed::key(paper)?, commodity: packed::commodity(paper)? })
    }

    /// The numbers of all listings.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = Number> {
        self.numbers.iter().map(|(_, number)| *number)
    }

    /// The listing with this number, and whether it came from another owner.
    pub(crate) fn read(&self, number: Number) -> Option<(Signed<Listing>, bool)> {
        let Unpacked { mut listing, platform, is_handed } =
            packed::unpack(self.paper(number)?, self.context)?;
        let Platform { release, layers, .. } = listing.body.platform;
        listing.body.platform = Platform { release, layers, ..self.names.platform(platform)? };
        Some((listing, is_handed))
    }

    /// Puts a listing on the shelf: its number, and the word of its platform.
    pub(crate) fn put(&mut self, listing: &Signed<Listing>, is_handed: bool) -> (Number, u64) {
        let platform = self.names.enter(&listing.body.platform);
        let paper = packed::pack(listing, platform, is_handed, self.context, &mut self.scratch);
        let number = self.idle.pop().unwrap_or_else(|| {
            if self.papers.len() == self.papers.capacity() {
                self.papers.reserve_exact(self.papers.len() / GROWTH + GROWTH);
            }
            self.papers.push(None);
            Number::try_from(self.papers.len() - 1).unwrap_or(Number::MAX)
        });
        if let Some(place) = self.papers.get_mut(number as usize) {
            *place = Some(paper);
        }
        self.numbers.insert((head(listing.body.seller.key), number));
        (number, platform)
    }

    /// Takes a listing off; as [`Shelf::read`].
    pub(crate) fn take(&mut self, number: Number) -> Option<(Signed<Listing>, bool)> {
        let (listing, is_handed) = self.read(number)?;
        *self.papers.get_mut(number as usize)? = None;
        self.idle.push(number);
        self.numbers.remove(&(head(listing.body.seller.key), number));
        self.names.leave(&listing.body.platform);
        Some((listing, is_handed))
    }

    /// The word of a platform whose names are known.
    pub(crate) fn word(&self, platform: &Platform) -> Option<u64> {
        self.names.word(platform)
    }

    fn paper(&self, number: Number) -> Option<&[u8]> {
        self.papers.get(number as usize)?.as_deref()
    }

    /// Writes a listing over, and nothing else: a bug.
    #[cfg(test)]
    pub(crate) fn forge(&mut self, number: Number, change: impl FnOnce(&mut Listing)) {
        let (mut listing, is_handed) = self.read(number).unwrap();
        change(&mut listing.body);
        let platform = self.names.enter(&listing.body.platform);
        self.papers[number as usize] =
            Some(packed::pack(&listing, platform, is_handed, self.context, &mut self.scratch));
    }

    /// Loses a listing, and nothing else: a bug.
    #[cfg(test)]
    pub(crate) fn lose(&mut self, number: Number) {
        self.papers[number as usize] = None;
    }
}
