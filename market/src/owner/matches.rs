//! Matches: from a buyer's question over the questions to sellers to signed tickets.
//!
//! A question is for a batch of equal slices. Each seller is asked once for all the slices that it is to sell; the
//! prices are made when it is known who has kept what. Sellers that fail are replaced, for a number of rounds; what
//! nobody sells then is what is missing in the answer.

use super::signing::{offers, wanted};
use super::tickets::Remembered;
use super::{Owner, no};
use crate::matching::{Asks, Order, Seen, Spot};
use crate::post::Post;
use crate::pricing::{self, batch};
use crate::ticket::TICKET_TTL;
use crate::{placement, requirement};
use proto::message::market::{
    FindSeller, Listing, MAX_BATCH, MarketMessage, Matched, NoSeller, RefusedRequest, Reserve, Reserved,
    Ticket,
};
use proto::rules::PricingRule;
use proto::{
    Bundle, Bytes, CommandId, Peer, PublicKey, Rate, Refusal, RefusalCode, RequestId, Rules, Signed, Span,
    Time,
};
use std::collections::{BTreeMap, BTreeSet};

/// How long a seller has to answer a reservation, each time it is asked.
pub const RESERVE_TIMEOUT: Span = Span::millis(700);
/// How often a seller is asked before it counts as dead.
pub const RESERVE_TRIES: u32 = 2;
/// How many times other sellers are asked in place of those that failed a match, the first time included.
pub const MAX_CANDIDATES: usize = 6;
/// Matches that are under way at the same time.
pub const MAX_MATCHES: usize = 1_024;
/// Matches of one buyer that are under way at the same time: nobody leaves no room for others.
pub const MAX_MATCHES_PER_BUYER: usize = 256;
/// Slices that one buyer may be waiting for at the same time, in all its matches.
pub const MAX_SLICES_PER_BUYER: usize = 1_024;
/// Sellers that a buyer may rule out in one request.
pub const MAX_AVOID: usize = 256;

/// A match is named by its buyer and the first id of its tickets.
pub(crate) type MatchKey = (PublicKey, CommandId);

/// A match under way: sellers are being asked.
#[derive(Debug)]
pub(crate) struct Match {
    pub(crate) wish: Wish,
    /// The questions that are not answered.
    pub(crate) parts: BTreeMap<RequestId, Part>,
}

/// What a buyer asked for, which sellers failed it, and what others have kept for it.
#[derive(Debug)]
pub(crate) struct Wish {
    pub(crate) buyer: Peer,
    pub(crate) find: FindSeller,
    tried: Vec<PublicKey>,
    rounds: usize,
    pub(super) kept: BTreeMap<CommandId, Signed<Listing>>,
}

/// A question to one seller.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) listing: Signed<Listing>,
    pub(crate) tickets: Vec<CommandId>,
    tries: u32,
    pub(crate) due: Time,
}

impl Wish {
    fn new(buyer: Peer, find: FindSeller) -> Self {
        Self { buyer, find, tried: Vec::new(), rounds: 0, kept: BTreeMap::new() }
    }

    pub(crate) fn key(&self) -> MatchKey {
        (self.buyer.key, self.find.draw())
    }

    pub(super) fn order(&self) -> Order<'_> {
        let FindSeller { requirement, bid, avoid, .. } = &self.find;
        let (buyer, draw) = (self.buyer.key, self.find.draw());
        Order { buyer, draw, requirement, bid: *bid, avoid, tried: &self.tried }
    }

    /// `count` slices together.
    fn slices(&self, count: usize) -> Bundle {
        let Bundle { cores, memory, disk } = requirement::slice(&self.find.requirement);
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        let times = |size: Bytes| Bytes(size.0.saturating_mul(count.into()));
        Bundle { cores: cores.saturating_mul(count), memory: times(memory), disk: times(disk) }
    }

    fn missing(&self) -> Vec<CommandId> {
        self.find.tickets.iter().filter(|id| !self.kept.contains_key(id)).copied().collect()
    }
}

impl Part {
    /// What the seller is asked for, all in all.
    pub(crate) fn taken(&self, wish: &Wish) -> Bundle {
        wish.slices(self.tickets.len())
    }
}

impl Owner {
    pub(crate) fn find(&mut self, post: &mut Post, from: Peer, find: FindSeller, now: Time) {
        let request = find.request;
        if let Err(refusal) = self.admit_order(from, &find, now) {
            return post.refuse(from, request, refusal);
        }
        let key = (from.key, find.draw());
        if let Some(known) = self.tickets.recall(&key) {
            let matched = Matched { request, ..known.matched.clone() };
            post.send(from, MarketMessage::Matched(Box::new(matched)));
        } else if let Some(known) = self.matches.get_mut(&key) {
            known.wish.buyer = from;
            known.wish.find.request = request;
        } else if self.estate.is_expecting() {
            self.park(key, Wish::new(from, find));
        } else {
            self.advance(post, Wish::new(from, find), now);
        }
    }

    /// The seller keeps slices. When all sellers have answered, the tickets are signed, or others are asked for the rest.
    pub(crate) fn reserved(&mut self, post: &mut Post, from: Peer, reserved: &Reserved, now: Time) {
        let Some((key, part)) = self.take_part(from, reserved.request) else { return };
        let Some(known) = self.matches.get_mut(&key) else { return };
        let (spot, version) = (Spot::of(&part.listing.body), part.listing.body.version);
        let mut count = 0;
        for id in part.tickets.iter().filter(|id| reserved.kept.contains(id)) {
            count += 1;
            known.wish.kept.insert(*id, part.listing.clone());
        }
        let is_short = part.tickets.iter().any(|id| !known.wish.kept.contains_key(id));
        if is_short {
            known.wish.tried.push(spot.seller);
        }
        let sold = known.wish.slices(count);
        self.end_flight(&key, &part);
        self.books.sell(spot, version, sold);
        if is_short {
            // What it lists under this version is not there.
            self.books.remove_until(spot, version);
        }
        self.go_on(post, key, now);
    }

    /// The seller has no such slice: its listing goes, and the next seller is asked.
    pub(crate) fn unavailable(&mut self, post: &mut Post, from: Peer, request: RequestId, now: Time) {
        if let Some((key, part)) = self.take_part(from, request) {
            self.pass_over(post, key, &part, now);
        }
    }

    /// A seller reserves nothing for this buyer. Its listing stays, and others are asked; whether it was the answer to a
    /// question of ours.
    pub(crate) fn refused(
        &mut self,
        post: &mut Post,
        from: Peer,
        refused: &RefusedRequest,
        now: Time,
    ) -> bool {
        let Some((key, part)) = self.take_part(from, refused.request) else { return false };
        self.end_flight(&key, &part);
        let seller = part.listing.body.seller.key;
        self.turned_away.by(key.0, seller, now);
        if let Some(known) = self.matches.get_mut(&key) {
            known.wish.tried.push(seller);
        }
        self.go_on(post, key, now);
        true
    }

    /// Whether sellers turn `buyer` away at the moment, so that none is asked for it.
    fn is_kept_out(&self, buyer: Peer, now: Time) -> bool {
        self.turned_away.is_kept_out(buyer.key, self.books.len(), now)
    }

    /// Nobody answers at `peer`: the slices it was asked for are bought elsewhere.
    pub(super) fn lose_seller(&mut self, post: &mut Post, peer: Peer, now: Time) {
        let asked = |(_, part): &(&RequestId, &Part)| part.listing.body.seller == peer;
        let parts = self.matches.values().flat_map(|matched| &matched.parts);
        let lost: Vec<RequestId> = parts.filter(asked).map(|(request, _)| *request).collect();
        for request in lost {
            self.unavailable(post, peer, request, now);
        }
    }

    /// Repeats the questions that are due, or gives them up.
    pub(super) fn ask_again(&mut self, post: &mut Post, now: Time) {
        while let Some(&(due, request)) = self.due.first() {
            if due > now {
                break;
            }
            self.due.remove(&(due, request));
            let Some(key) = self.reserves.remove(&request) else { continue };
            let Some(known) = self.matches.get_mut(&key) else { continue };
            match known.parts.remove(&request) {
                Some(part) if part.tries < RESERVE_TRIES => self.ask(post, key, part, now),
                Some(part) => self.pass_over(post, key, &part, now),
                None => {}
            }
        }
    }

    fn admit_order(&self, from: Peer, find: &FindSeller, now: Time) -> Result<(), Refusal> {
        let ids: BTreeSet<&CommandId> = find.tickets.iter().collect();
        let is_well_formed = placement::is_market(find.from)
            && (1..=MAX_BATCH).contains(&find.tickets.len())
            && ids.len() == find.tickets.len()
            && find.avoid.len() <= MAX_AVOID
            && requirement::is_well_formed(&find.requirement);
        if !is_well_formed {
            return Err(no(
                RefusalCode::Malformed,
                "no such market, no or too many tickets or the same one twice, too many sellers avoided, or a long name",
            ));
        }
        let key = (from.key, find.draw());
        let underway = self.matches.get(&key).map(|known| &known.wish).or(self.parked.get(&key));
        let underway = underway.map(|wish| &wish.find);
        let reused = || Err(no(RefusalCode::IdReused, "the ticket's id was used for another order"));
        if let Some(known) = underway.or(self.tickets.recall(&key).map(|known| &known.find)) {
            // The buyer may have gone on to a higher market of ours after an answer was lost.
            let same = FindSeller { request: find.request, from: find.from, ..known.clone() };
            return if same == *find { Ok(()) } else { reused() };
        }
        if !self.answers(find.from) {
            return Err(no(RefusalCode::NotResponsible, "this node does not own the market"));
        }
        let (mut awaited, mut of_buyer) = (0, 0);
        for wish in self.wishes_of(from.key) {
            of_buyer += 1;
            awaited += wish.find.tickets.len();
            if wish.find.tickets.iter().any(|id| ids.contains(id)) {
                return reused();
            }
        }
        if find.tickets.iter().any(|id| self.tickets.has_signed(&(from.key, *id))) {
            return reused();
        }
        let underway = self.matches.len() + self.parked.len();
        let is_full = underway >= MAX_MATCHES || of_buyer >= MAX_MATCHES_PER_BUYER;
        if is_full || awaited + find.tickets.len() > MAX_SLICES_PER_BUYER {
            return Err(no(RefusalCode::Busy, "too many matches at once"));
        }
        if self.is_kept_out(from, now) { Err(kept_out()) } else { Ok(()) }
    }

    /// What `buyer` waits for.
    fn wishes_of(&self, buyer: PublicKey) -> impl Iterator<Item = &Wish> {
        let keys = (buyer, CommandId([0; 16]))..=(buyer, CommandId([0xff; 16]));
        let underway = self.matches.range(keys.clone()).map(|(_, known)| &known.wish);
        underway.chain(self.parked.range(keys).map(|(_, wish)| wish))
    }

    /// Asks sellers for what `wish` misses, or answers with what there is.
    pub(super) fn advance(&mut self, post: &mut Post, mut wish: Wish, now: Time) {
        let mut seen = Seen::default();
        let missing = wish.missing();
        let is_over = wish.rounds >= MAX_CANDIDATES || self.is_kept_out(wish.buyer, now);
        let parts = if missing.is_empty() || is_over {
            BTreeMap::new()
        } else {
            self.choose(post, &wish, missing, &mut seen)
        };
        if parts.is_empty() {
            return self.answer(post, wish, seen, now);
        }
        wish.rounds += 1;
        let key = wish.key();
        for part in parts.values() {
            self.books.start_flight(Spot::of(&part.listing.body), part.taken(&wish));
        }
        self.matches.insert(key, Match { wish, parts: BTreeMap::new() });
        for part in parts.into_values() {
            self.ask(post, key, part, now);
        }
    }

    /// Which sellers are to be asked for which of the `missing` tickets: from the lowest market upwards.
    fn choose(
        &self,
        post: &Post,
        wish: &Wish,
        mut missing: Vec<CommandId>,
        seen: &mut Seen,
    ) -> BTreeMap<PublicKey, Part> {
        let mut parts: BTreeMap<PublicKey, Part> = BTreeMap::new();
        let (rules, bid) = (&post.rules, wish.find.bid);
        let limit = limit(rules, bid);
        let order = Order { bid: limit.unwrap_or_default(), ..wish.order() };
        for market in placement::run(wish.find.from, |market| self.answers(market)) {
            if missing.is_empty() {
                break;
            }
            let asks = match limit {
                Some(_) => self.books.asks(market, &order, wanted(rules.rule, missing.len())),
                None => Asks::default(),
            };
            let sold = batch::choose(rules.rule, &rules.pricing, &offers(&asks), missing.len(), bid);
            for (ask, ticket) in sold.iter().zip(missing.drain(..sold.len().min(missing.len()))) {
                let spot = Spot { seller: ask.who, commodity: market.commodity };
                let Some(listing) = self.books.listing(spot) else { continue };
                let part = parts.entry(ask.who).or_insert_with(|| Part {
                    listing,
                    tickets: Vec::new(),
                    tries: 0,
                    due: Time(0),
                });
                part.tickets.push(ticket);
            }
            if !missing.is_empty() {
                self.books.add_missed(market, &order, seen);
                if rules.rule == PricingRule::MaxMin && sold.is_empty() {
                    add_unaffordable(rules, &asks, bid, seen);
                }
            }
        }
        if limit.is_none() && seen.too_dear > 0 {
            seen.lowest_ask = Some(rules.pricing.posted);
        }
        parts
    }

    /// Asks a seller, under a new number, to keep its slices.
    fn ask(&mut self, post: &mut Post, key: MatchKey, mut part: Part, now: Time) {
        let Some(known) = self.matches.get_mut(&key) else { return };
        let request = post.request();
        part.tries += 1;
        part.due = now.after(RESERVE_TIMEOUT);
        let reserve = Reserve {
            request,
            tickets: part.tickets.clone(),
            commodity: part.listing.body.market.commodity,
            version: part.listing.body.version,
            slice: requirement::slice(&known.wish.find.requirement),
            buyer: known.wish.buyer.key,
        };
        post.send(part.listing.body.seller, MarketMessage::Reserve(reserve));
        self.due.insert((part.due, request));
        self.reserves.insert(request, key);
        known.parts.insert(request, part);
    }

    fn pass_over(&mut self, post: &mut Post, key: MatchKey, part: &Part, now: Time) {
        let listing = &part.listing.body;
        self.end_flight(&key, part);
        self.books.remove_until(Spot::of(listing), listing.version);
        if let Some(known) = self.matches.get_mut(&key) {
            known.wish.tried.push(listing.seller.key);
        }
        self.go_on(post, key, now);
    }

    /// When all sellers of a round have answered, the next one begins, or the buyer is answered.
    fn go_on(&mut self, post: &mut Post, key: MatchKey, now: Time) {
        if self.matches.get(&key).is_some_and(|known| known.parts.is_empty())
            && let Some(Match { wish, .. }) = self.matches.remove(&key)
        {
            self.advance(post, wish, now);
        }
    }

    fn end_flight(&mut self, key: &MatchKey, part: &Part) {
        if let Some(known) = self.matches.get(key) {
            self.books.end_flight(Spot::of(&part.listing.body), part.taken(&known.wish));
        }
    }

    fn take_part(&mut self, from: Peer, request: RequestId) -> Option<(MatchKey, Part)> {
        let key = *self.reserves.get(&request)?;
        let known = self.matches.get_mut(&key)?;
        known.parts.get(&request).filter(|part| part.listing.body.seller == from)?;
        let part = known.parts.remove(&request)?;
        self.due.remove(&(part.due, request));
        self.reserves.remove(&request);
        Some((key, part))
    }

    /// Tells the buyer what it has got and what is missing.
    fn answer(&mut self, post: &mut Post, wish: Wish, seen: Seen, now: Time) {
        let (buyer, request) = (wish.buyer, wish.find.request);
        if wish.kept.is_empty() {
            if self.is_kept_out(buyer, now) {
                return post.refuse(buyer, request, kept_out());
            }
            if wish.rounds >= MAX_CANDIDATES {
                let refusal = no(RefusalCode::Busy, "the sellers that fit do not answer");
                return post.refuse(buyer, request, refusal);
            }
            if !self.answers(wish.find.from) {
                // The market has gone to another owner meanwhile: the buyer is to look it up again.
                let refusal = no(RefusalCode::NotResponsible, "this node does not own the market any more");
                return post.refuse(buyer, request, refusal);
            }
        }
        let tickets = self.tickets_of(post, &wish, now);
        for Ticket { winner, clearing, .. } in tickets.iter().map(|ticket| &ticket.body) {
            self.sales.note(winner.body.market, *clearing, now);
        }
        let missing = NoSeller {
            request,
            next: placement::next_outside(wish.find.from, |market| self.answers(market)),
            listings: seen.listings,
            too_dear: seen.too_dear,
            too_small: seen.too_small,
            lowest_ask: seen.lowest_ask.unwrap_or_default(),
        };
        if tickets.is_empty() {
            return post.send(buyer, MarketMessage::NoSeller(missing));
        }
        let is_short = tickets.len() < wish.find.tickets.len();
        let matched = Matched { request, tickets, missing: is_short.then_some(missing) };
        post.send(buyer, MarketMessage::Matched(Box::new(matched.clone())));
        let (key, until) = (wish.key(), now.after(TICKET_TTL));
        self.tickets.remember(key, Remembered { find: wish.find, matched, until });
    }
}

fn kept_out() -> Refusal {
    let message = "sellers turn this buyer away: it has let reservations lapse";
    Refusal::new(RefusalCode::Busy, message, "use tickets within ten seconds, and wait a little")
}

/// The highest ask that can sell; `None` where the posted price is above the bid.
fn limit(rules: &Rules, bid: Rate) -> Option<Rate> {
    match rules.rule {
        PricingRule::Posted => Some(rules.pricing.posted).filter(|posted| *posted <= bid),
        _ => Some(bid),
    }
}

/// Notes that what fits is too dear together with the owner's part, and what the cheapest would cost with it.
fn add_unaffordable(rules: &Rules, asks: &Asks, bid: Rate, seen: &mut Seen) {
    let Some(first) = asks.lowest.first() else { return };
    let dearest = asks.dearest.map(|fit| fit.rate);
    let price = pricing::price(rules.rule, &rules.pricing, first.rate, dearest, bid);
    let Ok(total) = price.and_then(pricing::Price::total) else { return };
    seen.too_dear = seen.too_dear.saturating_add(asks.seen);
    seen.too_small = seen.too_small.saturating_sub(asks.seen);
    seen.lowest_ask = Some(seen.lowest_ask.map_or(total, |lowest| lowest.min(total)));
}
