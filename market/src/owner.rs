//! The market owner: keeps listings as soft state, finds winner and price, makes sure that the seller lives
//! and keeps the slice, and signs the ticket.

pub(crate) mod estate;
mod opened;
pub(crate) mod tickets;

use crate::matching::{Books, Entry, Found, Order, Seen};
use crate::post::Post;
use crate::ticket::{CLOCK_SKEW, LIFETIME_RENEWALS, TICKET_TTL};
use crate::{placement, requirement};
use estate::Estate;
use opened::Opened;
use proto::message::market::{
    FindSeller, Handed, List, Listing, MarketMessage, Matched, NoSeller, Reserve, Ticket,
};
use proto::{
    Bundle, CommandId, Peer, Placement, PublicKey, Range, Rate, Refusal, RefusalCode, RequestId, Signed,
    Span, Time,
};
use std::collections::{BTreeMap, BTreeSet};
use tickets::{Remembered, Tickets};

/// How long a seller has to answer a reservation, each time it is asked.
pub const RESERVE_TIMEOUT: Span = Span::millis(700);
/// How often a seller is asked before it counts as dead.
pub const RESERVE_TRIES: u32 = 2;
/// How many sellers are asked for one match.
pub const MAX_CANDIDATES: usize = 6;
/// Matches that are under way at the same time.
pub const MAX_MATCHES: usize = 1_024;
/// Matches of one buyer that are under way at the same time.
pub const MAX_MATCHES_PER_BUYER: usize = 256;
/// Sellers that a buyer may rule out in one request.
pub const MAX_AVOID: usize = 256;

pub use estate::{
    EXPECT_WITHIN, HAND_OVER_TIMEOUT, HAND_OVER_WITHIN, LEAVE_WITHIN, MAX_GIFTS, MAX_HANDED, MAX_PAGES,
    MAX_SUCCESSORS,
};

/// A match is named by buyer and ticket.
pub(crate) type MatchKey = (PublicKey, CommandId);

/// The owner's state.
#[derive(Debug, Default)]
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
    pub(crate) due: BTreeSet<(Time, MatchKey)>,
    pub(crate) reserves: BTreeMap<RequestId, MatchKey>,
    /// Buyers that wait until a donor has handed its listings over.
    pub(crate) parked: BTreeMap<MatchKey, Wish>,
    tickets: Tickets,
}

/// A match under way.
#[derive(Debug)]
pub(crate) struct Match {
    pub(crate) wish: Wish,
    pub(crate) candidate: Box<Candidate>,
    pub(crate) due: Time,
}

/// What a buyer asked for, and which sellers failed it.
#[derive(Debug)]
pub(crate) struct Wish {
    buyer: Peer,
    pub(crate) find: FindSeller,
    tried: Vec<PublicKey>,
}

/// The winner that is asked to keep the slice.
#[derive(Debug)]
pub(crate) struct Candidate {
    pub(crate) request: RequestId,
    tries: u32,
    pub(crate) winner: Signed<Listing>,
    runner_up: Option<Signed<Listing>>,
    clearing: Rate,
    asks_seen: u32,
}

impl Owner {
    pub(crate) fn new(placement: Placement) -> Self {
        Self { placement, ..Self::default() }
    }

    pub(crate) fn next_due(&self) -> Option<Time> {
        let end = |books: &Books| books.expiries.first().map(|(expires, _)| *expires);
        let matched = self.due.first().map(|(due, _)| *due);
        let dues =
            [end(&self.books), end(&self.kept), matched, self.tickets.next_due(), self.estate.next_due()];
        dues.into_iter().flatten().min()
    }

    pub(crate) fn list(&mut self, post: &mut Post, from: Peer, list: List, now: Time) {
        let List { request, listing } = list;
        let version = listing.body.version;
        let admitted = if listing.body.seller != from {
            Err(no(RefusalCode::NotYours, "a listing is accepted only from its seller"))
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

    pub(crate) fn delist(&mut self, from: Peer, version: u64) {
        self.books.withdraw(from.key, version);
        self.kept.withdraw(from.key, version);
    }

    pub(crate) fn find(&mut self, post: &mut Post, from: Peer, find: FindSeller, now: Time) {
        let request = find.request;
        if let Err(refusal) = self.admit_order(from, &find) {
            return post.refuse(from, request, refusal);
        }
        let key = (from.key, find.ticket);
        if let Some(known) = self.tickets.recall(&key) {
            let ticket = known.ticket.clone();
            post.send(from, MarketMessage::Matched(Box::new(Matched { request, ticket })));
        } else if let Some(known) = self.matches.get_mut(&key) {
            known.wish.buyer = from;
            known.wish.find.request = request;
        } else if self.estate.is_expecting() {
            self.park(key, Wish { buyer: from, find, tried: Vec::new() });
        } else {
            self.advance(post, Wish { buyer: from, find, tried: Vec::new() }, now);
        }
    }

    /// The seller keeps the slice: the ticket is signed.
    pub(crate) fn reserved(&mut self, post: &mut Post, from: Peer, request: RequestId, now: Time) {
        let Some((wish, candidate)) = self.take_reserving(from, request) else { return };
        let listing = &candidate.winner.body;
        let cores = requirement::cores(&wish.find.requirement);
        self.books.end_flight(listing.seller.key, cores);
        self.books.sell(listing.seller.key, listing.version, cores);
        let ticket = Signed::new(ticket_of(post, &wish, *candidate, now), &post.keys);
        let matched = Matched { request: wish.find.request, ticket: ticket.clone() };
        post.send(wish.buyer, MarketMessage::Matched(Box::new(matched)));
        let key = (wish.buyer.key, wish.find.ticket);
        let until = now.after(TICKET_TTL);
        self.tickets.remember(key, Remembered { find: wish.find, ticket, until });
    }

    /// The seller has no such slice: its listing goes, and the next seller is asked.
    pub(crate) fn unavailable(&mut self, post: &mut Post, from: Peer, request: RequestId, now: Time) {
        if let Some((wish, candidate)) = self.take_reserving(from, request) {
            self.pass_over(post, wish, &candidate, now);
        }
    }

    /// `peer` cannot be reached: what it lists goes, and who waits for it is served by the next.
    pub(crate) fn unreachable(&mut self, post: &mut Post, peer: Peer, now: Time) {
        if self.books.entries.get(&peer.key).is_some_and(|entry| entry.listing.body.seller == peer) {
            self.books.remove(peer.key);
        }
        self.lose_partner(peer);
        if !self.books.flights.contains_key(&peer.key) {
            return;
        }
        let asked = |matched: &&Match| matched.candidate.winner.body.seller == peer;
        let lost: Vec<RequestId> =
            self.matches.values().filter(asked).map(|matched| matched.candidate.request).collect();
        for request in lost {
            self.unavailable(post, peer, request, now);
        }
    }

    /// Purges listings, asks silent sellers again or passes them over, forgets old tickets.
    pub(crate) fn tick(&mut self, post: &mut Post, now: Time) {
        self.books.purge(now);
        self.kept.purge(now);
        self.tickets.purge(now);
        while let Some(&(due, key)) = self.due.first() {
            if due > now {
                break;
            }
            match self.take(key) {
                Some(Match { wish, candidate, .. }) if candidate.tries < RESERVE_TRIES => {
                    self.ask(post, wish, candidate, now);
                }
                Some(Match { wish, candidate, .. }) => self.pass_over(post, wish, &candidate, now),
                None => {
                    self.due.remove(&(due, key));
                }
            }
        }
    }

    /// Takes a listing in; whether it was not known. If this node answers for its market it goes into the books,
    /// otherwise it is kept aside; a seller has one listing, its newest.
    fn admit(&mut self, post: &Post, handed: Handed, is_handed: bool, now: Time) -> Result<bool, Refusal> {
        let Handed { listing, sold } = handed;
        let body = &listing.body;
        let (seller, market) = (body.seller.key, body.market);
        let is_well_formed = body.cores > 0
            && body.market == requirement::market_of(body)
            && body.platform.os.len() <= requirement::MAX_NAME
            && body.platform.arch.len() <= requirement::MAX_NAME;
        if !is_well_formed {
            return Err(no(RefusalCode::Malformed, "the listing has no cores, or stands in another market"));
        }
        let longest = post.rules.renewal.times(LIFETIME_RENEWALS).plus(CLOCK_SKEW);
        if body.expires <= now || body.expires > now.after(longest) {
            return Err(no(RefusalCode::Expired, "the listing has ended, or ends too far in the future"));
        }
        let is_ours = self.answers(market);
        let (books, others) =
            if is_ours { (&mut self.books, &mut self.kept) } else { (&mut self.kept, &mut self.books) };
        let known = books.entries.get(&seller).or_else(|| others.entries.get(&seller));
        match known.map(|entry| &entry.listing) {
            Some(stands) if stands.body.version > body.version => {
                return Err(no(RefusalCode::Mismatch, "a newer version is listed"));
            }
            Some(stands) if stands.body.version == body.version => {
                let refusal = || no(RefusalCode::IdReused, "this version is listed with other terms");
                return if *stands == listing { Ok(false) } else { Err(refusal()) };
            }
            _ => {}
        }
        if !books.has_room(seller) {
            return Err(no(RefusalCode::Busy, "the books are full"));
        }
        if !listing.is_genuine_by(seller) {
            return Err(no(RefusalCode::NotYours, "the listing is not signed by its seller"));
        }
        books.insert(Entry { listing, sold: sold.cores, is_handed });
        others.remove(seller);
        self.estate.changed(market, seller);
        Ok(true)
    }

    fn admit_order(&self, from: Peer, find: &FindSeller) -> Result<(), Refusal> {
        let is_well_formed = placement::is_market(find.from)
            && find.avoid.len() <= MAX_AVOID
            && requirement::is_well_formed(&find.requirement);
        if !is_well_formed {
            return Err(no(
                RefusalCode::Malformed,
                "no such market, too many sellers avoided, or a long name",
            ));
        }
        let key = (from.key, find.ticket);
        let underway = self.matches.get(&key).map(|known| &known.wish).or(self.parked.get(&key));
        let underway = underway.map(|wish| &wish.find);
        if let Some(known) = underway.or(self.tickets.recall(&key).map(|known| &known.find)) {
            // The buyer may have gone on to a higher market of ours after an answer was lost.
            let same = FindSeller { request: find.request, from: find.from, ..known.clone() };
            let refusal = || no(RefusalCode::IdReused, "the ticket's id was used for another order");
            return if same == *find { Ok(()) } else { Err(refusal()) };
        }
        if !self.answers(find.from) {
            return Err(no(RefusalCode::NotResponsible, "this node does not own the market"));
        }
        let of_buyer = (from.key, CommandId([0; 16]))..=(from.key, CommandId([0xff; 16]));
        let count = self.matches.len() + self.parked.len();
        let of_buyer = self.matches.range(of_buyer.clone()).count() + self.parked.range(of_buyer).count();
        let is_full = count >= MAX_MATCHES || of_buyer >= MAX_MATCHES_PER_BUYER;
        if is_full {
            return Err(no(RefusalCode::Busy, "too many matches at once"));
        }
        Ok(())
    }

    /// Searches for `wish` and asks the winner, or says that there is none.
    fn advance(&mut self, post: &mut Post, wish: Wish, now: Time) {
        if wish.tried.len() >= MAX_CANDIDATES {
            let refusal = no(RefusalCode::Busy, "the sellers that fit do not answer");
            return post.refuse(wish.buyer, wish.find.request, refusal);
        }
        if !self.answers(wish.find.from) {
            // The market has gone to another owner meanwhile: the buyer is to look it up again.
            let refusal = no(RefusalCode::NotResponsible, "this node does not own the market any more");
            return post.refuse(wish.buyer, wish.find.request, refusal);
        }
        let order = Order { buyer: wish.buyer.key, find: &wish.find, tried: &wish.tried };
        let mut seen = Seen::default();
        let found = placement::run(wish.find.from, |market| self.answers(market))
            .find_map(|market| self.books.search(market, &order, post.rules.rule, &mut seen));
        match found.and_then(|found| self.candidate(&found)) {
            Some(candidate) => {
                let (seller, cores) =
                    (candidate.winner.body.seller.key, requirement::cores(&wish.find.requirement));
                self.books.start_flight(seller, cores);
                self.ask(post, wish, Box::new(candidate), now);
            }
            None => {
                let answer = NoSeller {
                    request: wish.find.request,
                    next: placement::next_outside(wish.find.from, |market| self.answers(market)),
                    listings: seen.listings,
                    too_dear: seen.too_dear,
                    too_small: seen.too_small,
                    lowest_ask: seen.lowest_ask.unwrap_or_default(),
                };
                post.send(wish.buyer, MarketMessage::NoSeller(answer));
            }
        }
    }

    fn candidate(&self, found: &Found) -> Option<Candidate> {
        let listing = |seller: PublicKey| Some(self.books.entries.get(&seller)?.listing.clone());
        let Found { clearing, asks_seen } = found;
        Some(Candidate {
            request: RequestId::default(),
            tries: 0,
            winner: listing(clearing.winner)?,
            runner_up: clearing.runner_up.and_then(listing),
            clearing: clearing.price,
            asks_seen: *asks_seen,
        })
    }

    /// Asks the candidate's seller, under a new number, to keep the slice.
    fn ask(&mut self, post: &mut Post, wish: Wish, mut candidate: Box<Candidate>, now: Time) {
        candidate.request = post.request();
        candidate.tries += 1;
        let listing = &candidate.winner.body;
        let reserve = Reserve {
            request: candidate.request,
            ticket: wish.find.ticket,
            version: listing.version,
            slice: requirement::slice(&wish.find.requirement),
            buyer: wish.buyer.key,
        };
        post.send(listing.seller, MarketMessage::Reserve(reserve));
        self.put(Match { wish, candidate, due: now.after(RESERVE_TIMEOUT) });
    }

    fn pass_over(&mut self, post: &mut Post, mut wish: Wish, candidate: &Candidate, now: Time) {
        let listing = &candidate.winner.body;
        self.books.end_flight(listing.seller.key, requirement::cores(&wish.find.requirement));
        self.books.remove_until(listing.seller.key, listing.version);
        wish.tried.push(listing.seller.key);
        self.advance(post, wish, now);
    }

    fn take_reserving(&mut self, from: Peer, request: RequestId) -> Option<(Wish, Box<Candidate>)> {
        let key = *self.reserves.get(&request)?;
        self.matches.get(&key).filter(|matched| matched.candidate.winner.body.seller == from)?;
        let Match { wish, candidate, .. } = self.take(key)?;
        Some((wish, candidate))
    }

    fn put(&mut self, matched: Match) {
        let key = (matched.wish.buyer.key, matched.wish.find.ticket);
        self.reserves.insert(matched.candidate.request, key);
        self.due.insert((matched.due, key));
        self.matches.insert(key, matched);
    }

    fn take(&mut self, key: MatchKey) -> Option<Match> {
        let matched = self.matches.remove(&key)?;
        self.due.remove(&(matched.due, key));
        self.reserves.remove(&matched.candidate.request);
        Some(matched)
    }
}

fn ticket_of(post: &Post, wish: &Wish, candidate: Candidate, now: Time) -> Ticket {
    Ticket {
        id: wish.find.ticket,
        buyer: wish.buyer.key,
        owner: post.me,
        requirement: wish.find.requirement.clone(),
        rule: post.rules.rule,
        bid: wish.find.bid,
        clearing: candidate.clearing,
        fee: post.rules.owner_fee,
        asks_seen: candidate.asks_seen,
        winner: candidate.winner,
        runner_up: candidate.runner_up,
        expires: now.after(TICKET_TTL),
    }
}

fn no(code: RefusalCode, message: &str) -> Refusal {
    Refusal::new(code, message, "")
}
