//! The market owner: keeps listings as soft state, finds winner and price, makes sure that the seller lives
//! and keeps the slice, and signs the ticket.

use crate::matching::{Books, Found, Order, Seen};
use crate::post::Post;
use crate::ticket::{CLOCK_SKEW, LIFETIME_RENEWALS, TICKET_TTL};
use crate::{placement, requirement};
use proto::message::market::{
    FindSeller, List, Listed, Listing, MarketMessage, Matched, NoSeller, Reserve, Ticket,
};
use proto::{CommandId, Peer, PublicKey, Range, Rate, Refusal, RefusalCode, RequestId, Signed, Span, Time};
use std::collections::{BTreeMap, BTreeSet};

/// How long a seller has to answer a reservation, each time it is asked.
pub const RESERVE_TIMEOUT: Span = Span::millis(700);
/// How often a seller is asked before it counts as dead.
pub const RESERVE_TRIES: u32 = 2;
/// How many sellers are asked for one match.
pub const MAX_CANDIDATES: usize = 6;
/// Matches that are under way or remembered.
pub const MAX_MATCHES: usize = 4_096;
/// Matches of one buyer that are under way or remembered.
pub const MAX_MATCHES_PER_BUYER: usize = 1_024;
/// Sellers that a buyer may rule out in one request.
pub const MAX_AVOID: usize = 256;

type MatchKey = (PublicKey, CommandId);

/// The owner's state.
#[derive(Debug, Default)]
pub(crate) struct Owner {
    pub(crate) range: Option<Range>,
    pub(crate) books: Books,
    pub(crate) matches: BTreeMap<MatchKey, Match>,
    pub(crate) due: BTreeSet<(Time, MatchKey)>,
    reserves: BTreeMap<RequestId, MatchKey>,
}

/// A match under way, or its ticket.
#[derive(Debug)]
pub(crate) struct Match {
    buyer: Peer,
    find: FindSeller,
    tried: Vec<PublicKey>,
    pub(crate) due: Time,
    pub(crate) state: State,
}

#[derive(Debug)]
pub(crate) enum State {
    /// The winner is asked to keep the slice.
    Reserving(Box<Candidate>),
    /// The ticket is signed, and remembered for the buyer that asks again.
    Done(Box<Signed<Ticket>>),
}

#[derive(Debug)]
pub(crate) struct Candidate {
    request: RequestId,
    tries: u32,
    pub(crate) winner: Signed<Listing>,
    runner_up: Option<Signed<Listing>>,
    clearing: Rate,
    asks_seen: u32,
}

impl Owner {
    pub(crate) fn range_changed(&mut self, range: Range) {
        self.range = Some(range);
        self.books.keep(range);
    }

    pub(crate) fn next_due(&self) -> Option<Time> {
        let listing = self.books.expiries.first().map(|(expires, _)| *expires);
        let matched = self.due.first().map(|(due, _)| *due);
        [listing, matched].into_iter().flatten().min()
    }

    pub(crate) fn list(&mut self, post: &mut Post, from: Peer, list: List, now: Time) {
        let (request, version) = (list.request, list.listing.body.version);
        match self.admit(post, from, list.listing, now) {
            Ok(()) => post.send(from, MarketMessage::Listed(Listed { request, version })),
            Err(refusal) => post.refuse(from, request, refusal),
        }
    }

    pub(crate) fn delist(&mut self, from: Peer, version: u64) {
        self.books.remove_until(from.key, version);
    }

    pub(crate) fn find(&mut self, post: &mut Post, from: Peer, find: FindSeller, now: Time) {
        let request = find.request;
        let key = (from.key, find.ticket);
        if let Err(refusal) = self.admit_order(key, &find) {
            return post.refuse(from, request, refusal);
        }
        let Some(known) = self.matches.get_mut(&key) else {
            let state = Match { buyer: from, find, tried: Vec::new(), due: now, state: State::new() };
            return self.advance(post, key, state, now);
        };
        known.buyer = from;
        known.find.request = request;
        if let State::Done(ticket) = &known.state {
            let ticket = (**ticket).clone();
            post.send(from, MarketMessage::Matched(Box::new(Matched { request, ticket })));
        }
    }
}
