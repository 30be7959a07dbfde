//! Responsibility that passes from node to node: what an owner hands over when a part of its arc goes to another
//! node or when it leaves, what a newcomer waits for, and the copies that are kept for others.
//!
//! A part that is lost is a [`Gift`]: its listings go to the heir page by page, and until the heir has confirmed the
//! last one, or [`HAND_OVER_WITHIN`] has passed, the giver goes on answering for it. What it keeps for others goes
//! along: it may be the heir's, left by somebody between who is gone. A newcomer lets buyers wait
//! until its donor has said which page was the last. Nothing is sold twice by that: two owners may know the same
//! listing, but a slice is sold by its seller, who keeps each core for one ticket. What a giver has promised stays
//! with it: matches under way end where they began, and it remembers its tickets until they end.
//!
//! What goes over are listings signed by their sellers, so that a liar can hold some back (as any owner can), or
//! bring up such as have been withdrawn or claim that their cores are sold. The first costs a question that the
//! seller answers with no, the second lasts until the next renewal. It may also call a page its last that is not, and
//! a newcomer answers with what it has, as it would without hand-overs. Only a neighbour can do any of that where it
//! counts: from others the node takes copies for markets that it does not answer for, and no more.

use super::{MatchKey, Owner, no};
use crate::Output;
use crate::matching::{Books, Entry, Spot};
use crate::placement;
use crate::post::Post;
use proto::message::market::{HandOver, Handed, HandedOver, Listing, MarketMessage};
use proto::{Bundle, Market, Peer, Placement, Range, RefusalCode, RequestId, Signed, Span, Time};
use std::collections::{BTreeMap, BTreeSet};

/// Listings in one message: at most 40 kB.
pub const MAX_HANDED: usize = 64;
/// Messages to one heir that wait for their confirmation.
pub const MAX_PAGES: usize = 16;
/// Parts of the arc that are being handed over at the same time; beyond that the oldest is given up.
pub const MAX_GIFTS: usize = 8;
/// Successors that are known; as many at most keep copies.
pub const MAX_SUCCESSORS: usize = 8;
/// How long the heir has to confirm a message, each time it is sent.
pub const HAND_OVER_TIMEOUT: Span = Span::millis(300);
/// How long a lost part is answered for at most.
pub const HAND_OVER_WITHIN: Span = Span::secs(3);
/// How long a node that leaves has to hand everything over; a node's driver waits for two seconds.
pub const LEAVE_WITHIN: Span = Span::millis(800);
/// How long a newcomer waits for its donor; less than a buyer waits for an answer.
pub const EXPECT_WITHIN: Span = Span::secs(2);

/// The part of the arc that changed hands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Change {
    /// The arc now.
    pub(crate) range: Range,
    /// Who has the part that was lost, if one was, and what lies before.
    pub(crate) heir: Option<Peer>,
    /// Who had the part that was gained.
    pub(crate) donor: Option<Peer>,
}

/// What is on its way to others, or from them.
#[derive(Debug, Default)]
pub(crate) struct Estate {
    gifts: Vec<Gift>,
    expected: Option<Expected>,
    departure: Option<Departure>,
    successors: Vec<Peer>,
}

/// A part of the arc that is being handed over.
#[derive(Debug)]
struct Gift {
    placement: Placement,
    heir: Peer,
    /// The part that is still answered for; none when nothing was lost.
    arc: Option<Range>,
    /// What has yet to be sent.
    pending: BTreeSet<Spot>,
    /// Messages that the heir has not confirmed.
    pages: BTreeMap<RequestId, Page>,
    /// Whether the heir has been told that it has everything; one that inherits does not wait for that.
    is_closed: bool,
    is_departure: bool,
    until: Time,
}

#[derive(Debug)]
struct Page {
    message: HandOver,
    due: Time,
}

/// A newcomer's hope.
#[derive(Clone, Copy, Debug)]
struct Expected {
    donor: Peer,
    until: Time,
}

#[derive(Clone, Copy, Debug)]
struct Departure {
    until: Time,
    is_over: bool,
}

impl Estate {
    pub(crate) fn next_due(&self) -> Option<Time> {
        let pages = self.gifts.iter().flat_map(|gift| gift.pages.values().map(|page| page.due));
        let gifts = self.gifts.iter().map(|gift| gift.until);
        let expected = self.expected.map(|expected| expected.until);
        let departure = self.departure.filter(|departure| !departure.is_over).map(|d| d.until);
        pages.chain(gifts).chain(expected).chain(departure).min()
    }

    /// Whether a lost part with this market is still answered for.
    pub(crate) fn holds(&self, market: Market) -> bool {
        self.gifts.iter().any(|gift| gift.holds(market))
    }

    /// Whether a donor may still have listings for this node.
    pub(crate) const fn is_expecting(&self) -> bool {
        self.expected.is_some()
    }

    /// Whoever inherits `market` is to have the new listing of a seller too; who leaves keeps nothing back.
    pub(crate) fn changed(&mut self, market: Market, spot: Spot) {
        for gift in self.gifts.iter_mut().filter(|gift| gift.is_departure || gift.holds(market)) {
            gift.pending.insert(spot);
        }
    }

    fn give(&mut self, gift: Gift) {
        let oldest = self.gifts.iter().position(|gift| !gift.is_departure);
        if let Some(oldest) = oldest.filter(|_| self.gifts.len() >= MAX_GIFTS) {
            self.gifts.remove(oldest);
        }
        self.gifts.push(gift);
    }
}

impl Gift {
    fn holds(&self, market: Market) -> bool {
        self.arc.is_some_and(|arc| arc.contains(placement::key(self.placement, market)))
    }

    /// Sends what is due again and what has not been sent.
    fn proceed(&mut self, post: &mut Post, books: [&Books; 2], is_whole: bool, now: Time) {
        for page in self.pages.values_mut().filter(|page| page.due <= now) {
            page.due = now.after(HAND_OVER_TIMEOUT);
            post.send(self.heir, MarketMessage::HandOver(Box::new(page.message.clone())));
        }
        while self.pages.len() < MAX_PAGES {
            let listings = self.next_listings(books);
            let is_last = is_whole && self.pending.is_empty() && self.pages.is_empty();
            if listings.is_empty() && (self.is_closed || !is_last) {
                return;
            }
            self.is_closed |= is_last;
            let message = HandOver { request: post.request(), listings, is_last };
            let due = now.after(HAND_OVER_TIMEOUT);
            self.pages.insert(message.request, Page { message: message.clone(), due });
            post.send(self.heir, MarketMessage::HandOver(Box::new(message)));
        }
    }

    fn next_listings(&mut self, books: [&Books; 2]) -> Vec<Handed> {
        let mut listings = Vec::new();
        while listings.len() < MAX_HANDED
            && let Some(spot) = self.pending.pop_first()
        {
            listings.extend(books.iter().find_map(|books| books.handed(spot)));
        }
        listings
    }

    fn is_done(&self) -> bool {
        self.is_closed && self.pending.is_empty() && self.pages.is_empty()
    }

    /// Who leaves goes on giving what is listed meanwhile.
    fn is_over(&self, now: Time) -> bool {
        (self.is_done() && !self.is_departure) || self.until <= now
    }
}

impl Owner {
    /// Whether this node answers for `market`.
    pub(crate) fn answers(&self, market: Market) -> bool {
        self.range.is_some_and(|range| range.contains(placement::key(self.placement, market)))
            || self.estate.holds(market)
    }

    pub(crate) fn range_changed(&mut self, me: Peer, renewal: Span, change: Change, now: Time) {
        let Change { range, heir, donor } = change;
        let former = self.range.replace(range);
        let has_grown =
            former.is_none_or(|former| range.after != former.after && !former.contains(range.after));
        if donor.is_none() && (has_grown || range.after == range.until) {
            self.settles = self.settles.max(now.after(renewal));
        }
        // An heir that is gone needs nothing any more.
        self.estate.gifts.retain(|gift| gift.is_departure || !range.contains(gift.heir.id()));
        if let Some(heir) = heir.filter(|heir| *heir != me) {
            let is_cut = |former: &Range| {
                range.after != former.after && range.after != range.until && former.contains(range.after)
            };
            let lost = former.filter(is_cut).map(|former| Range { after: former.after, until: range.after });
            self.give(heir, lost, false, now.after(HAND_OVER_WITHIN));
        }
        if let Some(donor) = donor.filter(|donor| *donor != me) {
            self.estate.expected = Some(Expected { donor, until: now.after(EXPECT_WITHIN) });
        }
        if self.estate.departure.is_some_and(|departure| !departure.is_over) {
            self.bequeath();
        }
        self.shelve();
    }

    /// The nodes that would answer for this one's arc, one after the other.
    pub(crate) fn succeeded_by(&mut self, me: Peer, mut peers: Vec<Peer>) {
        peers.retain(|peer| *peer != me);
        peers.truncate(MAX_SUCCESSORS);
        self.estate.successors = peers;
        let Estate { gifts, successors, .. } = &self.estate;
        if gifts.iter().any(|gift| gift.is_departure && !successors.contains(&gift.heir)) {
            self.bequeath();
        }
    }

    /// Hands everything over to the successor; then, or after [`LEAVE_WITHIN`], says [`Output::HandedOver`].
    pub(crate) fn leave(&mut self, now: Time) {
        if self.estate.departure.is_none() {
            let departure = Departure { until: now.after(LEAVE_WITHIN), is_over: false };
            self.estate.departure = Some(departure);
            self.bequeath();
        }
    }

    /// Listings from another owner: what this node answers for goes into the books, the rest is kept aside.
    pub(crate) fn hand_over(&mut self, post: &mut Post, from: Peer, message: HandOver, now: Time) {
        let HandOver { request, listings, is_last } = message;
        if listings.len() > MAX_HANDED {
            return post.refuse(from, request, no(RefusalCode::Malformed, "too many listings at once"));
        }
        let is_neighbour = self.is_neighbour(from);
        for handed in listings {
            if is_neighbour || !self.answers(handed.listing.body.market) {
                // What is not worth keeping is no loss for the sender either.
                let _ = self.admit(post, handed, true, now);
            }
        }
        if is_last && is_neighbour {
            self.estate.expected = None;
        }
        post.send(from, MarketMessage::HandedOver(HandedOver { request }));
    }

    pub(crate) fn handed_over(&mut self, from: Peer, request: RequestId) {
        for gift in self.estate.gifts.iter_mut().filter(|gift| gift.heir == from) {
            gift.pages.remove(&request);
        }
    }

    /// Sends copies of a new listing to the successors that are to keep them.
    pub(crate) fn copy(&self, post: &mut Post, listing: &Signed<Listing>) {
        for &to in self.estate.successors.iter().take(post.rules.replicas.into()) {
            let listings = vec![Handed { listing: listing.clone(), sold: Bundle::default() }];
            let message = HandOver { request: post.request(), listings, is_last: false };
            post.send(to, MarketMessage::HandOver(Box::new(message)));
        }
    }

    /// `peer` cannot be reached: it gives nothing, and what a departure would leave to it goes to the next. A lost
    /// part is answered for until its time is over: if the heir is dead, it may come back.
    pub(crate) fn lose_partner(&mut self, peer: Peer) {
        let Estate { gifts, expected, successors, .. } = &mut self.estate;
        *expected = expected.filter(|expected| expected.donor != peer);
        successors.retain(|successor| *successor != peer);
        if gifts.iter().any(|gift| gift.is_departure && gift.heir == peer) {
            self.bequeath();
        }
    }

    /// Ends what is over, and sends what is to be sent.
    pub(crate) fn proceed(&mut self, post: &mut Post, now: Time) {
        self.estate.expected = self.estate.expected.filter(|expected| expected.until > now);
        let is_whole = !self.estate.is_expecting();
        if is_whole {
            for (_, wish) in std::mem::take(&mut self.parked) {
                self.advance(post, wish, now);
            }
        }
        let count = self.estate.gifts.len();
        for gift in self.estate.gifts.iter_mut().filter(|gift| gift.until > now) {
            gift.proceed(post, [&self.books, &self.kept], is_whole, now);
        }
        self.estate.gifts.retain(|gift| !gift.is_over(now));
        if self.estate.gifts.len() < count {
            self.shelve();
        }
        self.depart(post, now);
    }

    fn depart(&mut self, post: &mut Post, now: Time) {
        let is_given = self.estate.gifts.iter().all(Gift::is_done);
        let is_idle = is_given && self.matches.is_empty() && self.parked.is_empty();
        let Some(departure) = &mut self.estate.departure else { return };
        if !departure.is_over && (is_idle || departure.until <= now) {
            departure.is_over = true;
            post.put(Output::HandedOver);
        }
    }

    /// All that this node has goes to its first successor.
    fn bequeath(&mut self) {
        self.estate.gifts.retain(|gift| !gift.is_departure);
        let heir = self.estate.successors.first().copied();
        if let (Some(heir), Some(arc), Some(departure)) = (heir, self.range, self.estate.departure) {
            self.give(heir, Some(arc), true, departure.until);
        }
    }

    /// Starts a hand-over. It may end another, whose part is answered for no longer.
    fn give(&mut self, heir: Peer, arc: Option<Range>, is_departure: bool, until: Time) {
        let (pending, pages, is_closed) = (BTreeSet::new(), BTreeMap::new(), is_departure);
        let placement = self.placement;
        let mut gift = Gift { placement, heir, arc, pending, pages, is_closed, is_departure, until };
        gift.pending.extend(self.books.spots(|market| gift.holds(market)));
        gift.pending.extend(self.kept.spots(|_| true));
        self.estate.give(gift);
        self.shelve();
    }

    /// Puts aside what this node does not answer for any more, and into the books what it answers for now.
    fn shelve(&mut self) {
        let lost = self.books.spots(|market| !self.answers(market));
        let gained = self.kept.spots(|market| self.answers(market));
        let lost: Vec<Entry> = lost.into_iter().filter_map(|spot| self.books.remove(spot)).collect();
        let gained: Vec<Entry> = gained.into_iter().filter_map(|spot| self.kept.remove(spot)).collect();
        lost.into_iter().for_each(|entry| self.kept.adopt(entry));
        gained.into_iter().for_each(|entry| self.books.adopt(entry));
    }

    /// Whether `peer` is next to this node in the ring, as far as is known here.
    fn is_neighbour(&self, peer: Peer) -> bool {
        let Estate { expected, successors, .. } = &self.estate;
        let is_predecessor = self.range.is_some_and(|range| range.after == peer.id());
        is_predecessor
            || successors.contains(&peer)
            || expected.is_some_and(|expected| expected.donor == peer)
    }

    /// What has no end: a hand-over whose time has passed, or a buyer that waits for nothing.
    pub(crate) fn is_late(&self, now: Time) -> bool {
        let is_due = self.estate.next_due().is_some_and(|due| due <= now);
        is_due || (!self.parked.is_empty() && !self.estate.is_expecting())
    }

    /// Notes that a question waits; its key is no match under way.
    pub(super) fn park(&mut self, key: MatchKey, wish: super::Wish) {
        self.parked.insert(key, wish);
    }
}
