//! The market owner: keeps listings as soft state, finds winner and price, makes sure that the seller lives
//! and keeps the slice, and signs the ticket.

pub(crate) mod estate;
mod intake;
pub(crate) mod matches;
mod opened;
mod signing;
pub(crate) mod tickets;
mod turned_away;

use crate::matching::{Books, Entry, MAX_LISTINGS, Spot};
use crate::post::Post;
use crate::requirement;
use crate::survey::{Askers, Sales};
use crate::ticket::{CLOCK_SKEW, LIFETIME_RENEWALS};
use estate::Estate;
use intake::Intake;
pub(crate) use matches::{Match, MatchKey, Wish};
use opened::Opened;
use proto::message::market::{Delist, Handed, List};
use proto::{Bundle, Peer, Placement, PublicKey, Range, Refusal, RefusalCode, RequestId, Span, Time};
use std::collections::{BTreeMap, BTreeSet};
use tickets::Tickets;
use turned_away::TurnedAway;

/// Listings that one seller may send within [`LIST_PERIOD`]: twice as many as a machine of 64 cores sends that sells and
/// frees all of them at once. Who sends more is told to wait, and costs no signature; the others are served meanwhile.
pub const MAX_LISTS_PER_SELLER: u32 = 128;
/// The time in which a seller's listings are counted.
pub const LIST_PERIOD: Span = Span::secs(1);

pub use estate::{
    EXPECT_WITHIN, HAND_OVER_TIMEOUT, HAND_OVER_WITHIN, LEAVE_WITHIN, MAX_GIFTS, MAX_HANDED, MAX_PAGES,
    MAX_SUCCESSORS,
};
pub use matches::{
    MAX_AVOID, MAX_CANDIDATES, MAX_MATCHES, MAX_MATCHES_PER_BUYER, MAX_SLICES_PER_BUYER, RESERVE_TIMEOUT,
    RESERVE_TRIES,
};

/// The owner's state.
#[derive(Debug)]
pub(crate) struct Owner {
    /// By which scheme markets fall to nodes.
    pub(crate) placement: Placement,
    pub(crate) range: Option<Range>,
    pub(crate) books: Books,
    /// Listings of markets that others answer for, in case that it falls to this node. Nobody is matched with them.
    pub(crate) kept: Books,
    pub(crate) estate: Estate,
    opened: Opened,
    /// The matches under way: a seller is being asked.
    pub(crate) matches: BTreeMap<MatchKey, Match>,
    /// When a question to a seller is to be repeated or given up.
    pub(crate) due: BTreeSet<(Time, RequestId)>,
    /// Whose match a question to a seller belongs to.
    pub(crate) reserves: BTreeMap<RequestId, MatchKey>,
    /// Buyers that wait until a donor has handed its listings over.
    pub(crate) parked: BTreeMap<MatchKey, Wish>,
    tickets: Tickets,
    intake: Intake,
    /// When the sellers of what has fallen to this node have listed here, unless they were handed over.
    pub(crate) settles: Time,
    pub(crate) sales: Sales,
    pub(crate) askers: Askers,
    turned_away: TurnedAway,
}

impl Owner {
    /// An owner of nothing; `bank` is who signs the standing of sellers.
    pub(crate) fn new(placement: Placement, bank: Option<PublicKey>) -> Self {
        Self {
            placement,
            range: None,
            books: Books::new(bank, MAX_LISTINGS),
            kept: Books::new(bank, MAX_LISTINGS),
            estate: Estate::default(),
            matches: BTreeMap::new(),
            due: BTreeSet::new(),
            reserves: BTreeMap::new(),
            parked: BTreeMap::new(),
            tickets: Tickets::default(),
            intake: Intake::default(),
            opened: Opened::default(),
            settles: Time(0),
            sales: Sales::default(),
            askers: Askers::default(),
            turned_away: TurnedAway::default(),
        }
    }

    pub(crate) fn next_due(&self) -> Option<Time> {
        let matched = self.due.first().map(|(due, _)| *due);
        let dues = [
            self.books.expiries.next(),
            self.kept.expiries.next(),
            matched,
            self.tickets.next_due(),
            self.estate.next_due(),
        ];
        dues.into_iter().flatten().min()
    }

    pub(crate) fn list(&mut self, post: &mut Post, from: Peer, list: List, now: Time) {
        let List { request, listing } = list;
        let version = listing.body.version;
        let admitted = if listing.body.seller != from {
            Err(no(RefusalCode::NotYours, "a listing is accepted only from its seller"))
        } else if !self.intake.admits(from.key, now) {
            Err(Refusal::new(RefusalCode::Busy, "too many listings of one seller", "wait a second"))
        } else if !self.answers(listing.body.market) {
            Err(no(RefusalCode::NotResponsible, "this node does not own the market"))
        } else {
            self.admit(post, Handed { listing: listing.clone(), sold: Bundle::default() }, false, now)
        };
        match admitted {
            Ok(is_new) => {
                self.confirm(post, from, listing.body.market, (request, version));
                if is_new {
                    self.copy(post, &listing);
                }
            }
            Err(refusal) => post.refuse(from, request, refusal),
        }
    }

    pub(crate) fn delist(&mut self, from: Peer, delist: Delist) {
        let spot = Spot { seller: from.key, commodity: delist.commodity };
        self.books.withdraw(spot, delist.version);
        self.kept.withdraw(spot, delist.version);
    }

    /// `peer` cannot be reached: what it lists goes, and who waits for it is served by the next.
    pub(crate) fn unreachable(&mut self, post: &mut Post, peer: Peer, now: Time) {
        self.books.remove_all_of(peer);
        self.lose_partner(peer);
        if Spot::all_of(peer.key).iter().any(|spot| self.books.flights.contains_key(spot)) {
            self.lose_seller(post, peer, now);
        }
    }

    /// Purges listings, asks silent sellers again or passes them over, forgets old tickets.
    pub(crate) fn tick(&mut self, post: &mut Post, now: Time) {
        self.books.purge(now);
        self.kept.purge(now);
        self.tickets.purge(now);
        self.ask_again(post, now);
    }

    /// Takes a listing in; whether it was not known. If this node answers for its market it goes into the books,
    /// otherwise it is kept aside; a seller has one listing of each commodity, its newest.
    fn admit(&mut self, post: &Post, handed: Handed, is_handed: bool, now: Time) -> Result<bool, Refusal> {
        let Handed { listing, sold } = handed;
        let body = &listing.body;
        let (spot, market) = (Spot::of(body), body.market);
        let is_well_formed = body.offered().amount_of(market.commodity, body.per_core) > 0
            && body.market == requirement::market_of(body)
            && body.platform.os.len() <= requirement::MAX_NAME
            && body.platform.arch.len() <= requirement::MAX_NAME;
        if !is_well_formed {
            return Err(no(
                RefusalCode::Malformed,
                "the listing offers nothing, or stands in another market",
            ));
        }
        let longest = post.rules.renewal.times(LIFETIME_RENEWALS).plus(CLOCK_SKEW);
        if body.expires <= now || body.expires > now.after(longest) {
            return Err(no(RefusalCode::Expired, "the listing has ended, or ends too far in the future"));
        }
        let is_ours = self.answers(market);
        let (books, others) =
            if is_ours { (&mut self.books, &mut self.kept) } else { (&mut self.kept, &mut self.books) };
        match books.listing(spot).or_else(|| others.listing(spot)) {
            Some(stands) if stands.body.version > body.version => {
                return Err(no(RefusalCode::Mismatch, "a newer version is listed"));
            }
            Some(stands) if stands.body.version == body.version => {
                let refusal = || no(RefusalCode::IdReused, "this version is listed with other terms");
                return if stands == listing { Ok(false) } else { Err(refusal()) };
            }
            _ => {}
        }
        if !books.has_room(spot) {
            return Err(no(RefusalCode::Busy, "the books are full"));
        }
        if !listing.is_genuine_by(spot.seller) {
            return Err(no(RefusalCode::NotYours, "the listing is not signed by its seller"));
        }
        let reputation = requirement::reputation(body, post.bank);
        books.insert(Entry { listing, sold, reputation, is_handed });
        others.remove(spot);
        self.estate.changed(market, spot);
        Ok(true)
    }
}

fn no(code: RefusalCode, message: &str) -> Refusal {
    Refusal::new(code, message, "")
}
