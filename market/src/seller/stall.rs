//! One listing's life: its owner is looked up, it is listed, renewed, moved to another market when what is free
//! changes its class, and taken off when nothing is left.

use super::Goods;
use crate::post::Post;
use crate::ticket::LIFETIME_RENEWALS;
use crate::{Output, Supply, placement};
use proto::message::market::{
    Delist, List, Listed, Listing, MAX_BATCH, MarketMessage, RefusedRequest, Reserve, Reserved, Unavailable,
};
use proto::{Capacity, Commodity, Market, Peer, Range, Refusal, RefusalCode, RequestId, Signed, Span, Time};

/// How long a reservation is kept unless it is taken; longer than a ticket lives, so that whoever holds a
/// ticket that has not ended finds its slice.
pub const RESERVATION_TTL: Span = Span::secs(15);
/// How long the owner has to confirm a listing, each time it is sent.
pub const LIST_TIMEOUT: Span = Span::secs(1);
/// How often a listing is sent before its owner is looked up again.
pub const LIST_TRIES: u32 = 2;
/// How long a lookup may take before it counts as failed.
pub const LOOKUP_TIMEOUT: Span = Span::secs(10);
/// The first pause after a failure; doubled with every failure up to the renewal period.
pub const FIRST_PAUSE: Span = Span::millis(250);
/// Owners that may still hold one of this seller's listings; older ones are forgotten first.
pub const MAX_VENUES: usize = 8;
/// Reservations by owners that this seller did not list with which wait for the ring's word.
pub const MAX_STRANGERS: usize = 16;
/// How long they wait; an owner asks no longer than that.
pub const STRANGER_TIMEOUT: Span = Span::secs(2);

/// What a seller does for its listing of one commodity.
#[derive(Debug)]
pub(crate) struct Stall {
    pub(crate) commodity: Commodity,
    /// What is offered now, under its newest version.
    pub(crate) listing: Option<Signed<Listing>>,
    /// The first version with the present terms: a reservation of an older one would be for terms that no longer hold.
    terms_since: u64,
    /// Whether the next version is the first with other terms.
    has_new_terms: bool,
    /// The market last listed in and who owns it.
    home: Option<(Market, Peer)>,
    /// Owners that were sent a listing which may still stand.
    venues: Vec<Venue>,
    strangers: Option<Strangers>,
    step: Step,
    failures: u32,
    is_outdated: bool,
}

#[derive(Clone, Copy, Debug)]
struct Venue {
    owner: Peer,
    until: Time,
    is_open: bool,
}

/// Owners that ask for a slice although this seller has not listed with them: its listing may have been handed over
/// to them, or they may lie. The ring tells, by the same lookup that decides where this seller lists.
#[derive(Debug)]
struct Strangers {
    token: u64,
    market: Market,
    until: Time,
    asks: Vec<(Peer, Reserve)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Nothing to sell.
    Idle,
    /// The owner is being looked up.
    LookingUp { token: u64, market: Market, until: Time },
    /// The owner was sent the listing.
    Listing { request: RequestId, owner: Peer, tries: u32, until: Time },
    /// The owner has confirmed; time to renew.
    Standing { renew: Time },
    /// Something failed; time to try again.
    Waiting { until: Time },
}

impl Stall {
    pub(crate) fn new(commodity: Commodity, now: Time) -> Self {
        Self {
            commodity,
            listing: None,
            terms_since: now.0,
            has_new_terms: false,
            home: None,
            venues: Vec::new(),
            strangers: None,
            step: Step::Idle,
            failures: 0,
            is_outdated: false,
        }
    }

    pub(crate) fn is_standing(&self) -> bool {
        matches!(self.step, Step::Standing { .. })
    }

    pub(crate) fn next_due(&self) -> Option<Time> {
        let step = match self.step {
            Step::Idle => None,
            Step::LookingUp { until, .. } | Step::Listing { until, .. } | Step::Waiting { until } => {
                Some(until)
            }
            Step::Standing { renew } => Some(renew),
        };
        let strangers = self.strangers.as_ref().map(|strangers| strangers.until);
        [step, strangers].into_iter().flatten().min()
    }

    /// The supply changes from `old` to `new`.
    pub(crate) fn supply_changed(&mut self, old: Option<&Supply>, new: Option<&Supply>) {
        let commodity = self.commodity;
        let is_sold = |supply: &Supply| supply.asks.ask(commodity).is_some();
        self.has_new_terms |= old.map(|old| old.terms(commodity)) != new.map(|new| new.terms(commodity));
        self.is_outdated |= old.is_some_and(is_sold) || new.is_some_and(is_sold);
    }

    /// What is free has changed, or what is said of it.
    pub(crate) const fn set_outdated(&mut self) {
        self.is_outdated = true;
    }

    pub(crate) fn range_changed(&mut self, post: &Post, range: Range) {
        if let Some((market, owner)) = self.home
            && range.contains(placement::key(post.rules.placement, market)) != (owner == post.me)
        {
            self.home = None;
            self.is_outdated |= self.listing.is_some();
        }
    }

    /// An owner asks for a slice; whether it is kept now. One that this seller has not listed with has to wait until the ring has confirmed
    /// that it answers for this seller's market.
    ///
    /// So a liar can reserve nothing that it could not reserve as the owner that the ring names. What it can do is to
    /// have the ring asked, for one question at a time, and, with [`MAX_STRANGERS`] names, to keep an heir waiting until
    /// this seller renews its listing.
    pub(crate) fn reserve(
        &mut self,
        post: &mut Post,
        goods: &mut Goods,
        from: Peer,
        reserve: Reserve,
        now: Time,
    ) -> bool {
        let is_known = self.venues.iter().any(|venue| venue.owner == from);
        let market = self.listing.as_ref().map(|listing| listing.body.market);
        match market.filter(|_| !is_known && self.stands_by(goods, reserve.version)) {
            Some(market) => {
                self.ask_ring(post, market, from, reserve, now);
                false
            }
            None => self.keep_slice(post, goods, from, reserve, is_known, now),
        }
    }

    /// Whether what was listed under `version` is still offered at the same terms.
    fn stands_by(&self, goods: &Goods, version: u64) -> bool {
        (self.terms_since..=goods.version).contains(&version)
    }

    fn ask_ring(&mut self, post: &mut Post, market: Market, from: Peer, reserve: Reserve, now: Time) {
        let strangers = self.strangers.get_or_insert_with(|| {
            let token = post.number();
            post.put(Output::Lookup { token, key: placement::key(post.rules.placement, market) });
            Strangers { token, market, until: now.after(STRANGER_TIMEOUT), asks: Vec::new() }
        });
        // An owner that asks again means the same slice.
        strangers.asks.retain(|(who, ask)| (*who, &ask.tickets) != (from, &reserve.tickets));
        if strangers.asks.len() < MAX_STRANGERS {
            strangers.asks.push((from, reserve));
        }
    }

    /// The ring has said who answers for the market, or nothing. If that is nobody whom this seller has listed with,
    /// its listing goes there now: who was refused drops it. Whether a slice is kept now.
    fn judge_strangers(
        &mut self,
        post: &mut Post,
        goods: &mut Goods,
        owner: Option<Peer>,
        now: Time,
    ) -> bool {
        let Some(Strangers { market, asks, .. }) = self.strangers.take() else { return false };
        let listing = self.listing.as_ref().filter(|listing| listing.body.market == market);
        let expires = listing.map(|listing| listing.body.expires);
        let owner = owner.filter(|_| listing.is_some());
        if let Some(owner) = owner.filter(|owner| self.venues.iter().all(|venue| venue.owner != *owner)) {
            self.home = Some((market, owner));
            self.is_outdated = true;
        }
        if let (Some(owner), Some(expires)) = (owner, expires)
            && asks.iter().any(|(from, _)| *from == owner)
        {
            self.open(owner, expires);
        }
        let mut is_sold = false;
        for (from, reserve) in asks {
            is_sold |= self.keep_slice(post, goods, from, reserve, owner == Some(from), now);
        }
        is_sold
    }

    /// Answers an owner; whether what is free has changed.
    fn keep_slice(
        &self,
        post: &mut Post,
        goods: &mut Goods,
        from: Peer,
        reserve: Reserve,
        is_owner: bool,
        now: Time,
    ) -> bool {
        let Reserve { request, mut tickets, version, slice, buyer, .. } = reserve;
        let until = now.after(RESERVATION_TTL);
        let is_offered = is_owner && self.stands_by(goods, version);
        let is_some = slice.amount_of(self.commodity, Capacity(1)) > 0;
        let is_turned_away = goods.trust.turns_away(buyer, now);
        let mut is_changed = false;
        tickets.truncate(MAX_BATCH);
        tickets.retain(|ticket| {
            // The same question again, after a lost answer, is the same reservation.
            let is_kept = is_offered && goods.slices.extend(*ticket, buyer, slice, until);
            let is_new = is_offered
                && !is_kept
                && !is_turned_away
                && is_some
                && goods.slices.offered(self.commodity).holds(slice)
                && goods.slices.reserve(*ticket, buyer, slice, until);
            is_changed |= is_new;
            is_kept || is_new
        });
        let answer = if tickets.is_empty() && is_offered && is_turned_away {
            let why = "the buyer has let reservations lapse here";
            let refusal = Refusal::new(RefusalCode::Policy, why, "");
            MarketMessage::Refused(RefusedRequest { request, refusal })
        } else if tickets.is_empty() {
            MarketMessage::Unavailable(Unavailable { request })
        } else {
            MarketMessage::Reserved(Reserved { request, kept: tickets })
        };
        post.send(from, answer);
        is_changed
    }

    pub(crate) fn listed(&mut self, post: &mut Post, from: Peer, listed: Listed, now: Time) {
        if let Step::Listing { request, owner, .. } = self.step
            && (request, owner) == (listed.request, from)
        {
            self.failures = 0;
            // Only now, so that buyers find one of the two listings while the seller moves.
            self.delist_except(post, Some(from), listed.version);
            self.step = Step::Standing { renew: now.after(post.jittered(post.rules.renewal)) };
        }
    }

    /// Whether the refusal was the answer to a listing of ours.
    pub(crate) fn refused(
        &mut self,
        post: &mut Post,
        goods: &mut Goods,
        from: Peer,
        refused: &RefusedRequest,
        now: Time,
    ) -> bool {
        let Step::Listing { request, owner, .. } = self.step else { return false };
        if (request, owner) != (refused.request, from) {
            return false;
        }
        if matches!(refused.refusal.code, RefusalCode::Mismatch | RefusalCode::IdReused) {
            // An earlier life listed with a faster clock: go on above it.
            goods.version = goods.version.saturating_add(post.rules.renewal.0);
        }
        self.fail(post, now);
        true
    }

    pub(crate) fn unreachable(&mut self, post: &mut Post, peer: Peer, now: Time) {
        match self.step {
            Step::Listing { owner, .. } if owner == peer => self.fail(post, now),
            Step::Standing { .. } if self.home.is_some_and(|(_, owner)| owner == peer) => {
                self.fail(post, now)
            }
            _ => {}
        }
    }

    /// If the lookup was ours: whether a slice is kept now.
    pub(crate) fn found(
        &mut self,
        post: &mut Post,
        goods: &mut Goods,
        token: u64,
        owner: Option<Peer>,
        now: Time,
    ) -> Option<bool> {
        if self.strangers.as_ref().is_some_and(|strangers| strangers.token == token) {
            return Some(self.judge_strangers(post, goods, owner, now));
        }
        let Step::LookingUp { token: ours, market, .. } = self.step else { return None };
        if ours != token {
            return None;
        }
        match owner {
            Some(owner) => {
                self.home = Some((market, owner));
                self.place(post, now);
            }
            None => self.fail(post, now),
        }
        Some(false)
    }

    pub(crate) fn tick(&mut self, post: &mut Post, goods: &mut Goods, now: Time) {
        self.venues.retain(|venue| venue.until > now);
        if self.strangers.as_ref().is_some_and(|strangers| strangers.until <= now) {
            // Without an owner nobody gets a slice.
            self.judge_strangers(post, goods, None, now);
        }
        match self.step {
            Step::Listing { owner, tries, until, .. } if until <= now && tries < LIST_TRIES => {
                self.send(post, owner, tries + 1, now);
            }
            Step::LookingUp { until, .. } | Step::Listing { until, .. } if until <= now => {
                self.fail(post, now)
            }
            Step::Waiting { until } if until <= now => {
                self.step = Step::Idle;
                self.is_outdated = true;
            }
            Step::Standing { renew } if renew <= now => self.is_outdated = true,
            _ => {}
        }
    }

    /// Lists what is free now, where something has changed or is due.
    pub(crate) fn flush(&mut self, post: &mut Post, goods: &mut Goods, now: Time) {
        if !std::mem::take(&mut self.is_outdated) {
            return;
        }
        let stood = goods.version;
        goods.version = stood.saturating_add(1);
        let has_new_terms = std::mem::take(&mut self.has_new_terms);
        if has_new_terms {
            self.terms_since = goods.version;
        }
        self.listing = self.offer(post, goods, now).map(|listing| Signed::new(listing, &post.keys));
        if self.listing.is_none() {
            self.step = Step::Idle;
        }
        if self.listing.is_none() || has_new_terms {
            // What stands elsewhere is not for sale any more, or not at these terms.
            let market = self.listing.as_ref().map(|listing| listing.body.market);
            let home = self.home.filter(|(home, _)| Some(*home) == market).map(|(_, owner)| owner);
            self.delist_except(post, home, stood);
        }
        if !matches!(self.step, Step::Waiting { .. }) {
            self.place(post, now);
        }
    }

    /// Sends the newest listing to the owner of its market, or looks that owner up.
    fn place(&mut self, post: &mut Post, now: Time) {
        let Some(market) = self.listing.as_ref().map(|listing| listing.body.market) else { return };
        match (self.home, self.step) {
            (Some((home, owner)), _) if home == market => self.send(post, owner, 1, now),
            (_, Step::LookingUp { market: sought, .. }) if sought == market => {}
            _ => {
                let token = post.number();
                self.step = Step::LookingUp { token, market, until: now.after(LOOKUP_TIMEOUT) };
                post.put(crate::Output::Lookup { token, key: placement::key(post.rules.placement, market) });
            }
        }
    }

    fn send(&mut self, post: &mut Post, owner: Peer, tries: u32, now: Time) {
        let Some(listing) = self.listing.clone() else { return };
        self.open(owner, listing.body.expires);
        let request = post.request();
        self.step = Step::Listing { request, owner, tries, until: now.after(LIST_TIMEOUT) };
        post.send(owner, MarketMessage::List(Box::new(List { request, listing })));
    }

    fn offer(&self, post: &Post, goods: &Goods, now: Time) -> Option<Listing> {
        let supply = goods.slices.supply()?;
        let ask = supply.asks.ask(self.commodity)?;
        let offered = goods.slices.offered(self.commodity);
        let amount = offered.amount_of(self.commodity, supply.per_core);
        let expires = now.after(post.rules.renewal.times(LIFETIME_RENEWALS));
        let lasting = goods.standing.as_ref().filter(|standing| standing.body.expires >= expires);
        let listing = Listing {
            seller: post.me,
            version: goods.version,
            market: Market::of(self.commodity, amount),
            cores: offered.cores,
            per_core: supply.per_core,
            ask,
            memory: offered.memory,
            disk: offered.disk,
            platform: supply.platform.clone(),
            longest: supply.longest,
            standing: lasting.cloned(),
            whole: supply.offered(self.commodity, supply.whole()),
            expires,
        };
        (amount > 0).then_some(listing)
    }

    fn fail(&mut self, post: &mut Post, now: Time) {
        self.home = None;
        let until = post.again(FIRST_PAUSE, self.failures, post.rules.renewal, now);
        self.failures = self.failures.saturating_add(1);
        self.step = Step::Waiting { until };
    }

    fn open(&mut self, owner: Peer, until: Time) {
        self.venues.retain(|venue| venue.owner != owner);
        if self.venues.len() >= MAX_VENUES {
            self.venues.remove(0);
        }
        self.venues.push(Venue { owner, until, is_open: true });
    }

    fn delist_except(&mut self, post: &mut Post, keep: Option<Peer>, version: u64) {
        for venue in &mut self.venues {
            if venue.is_open && Some(venue.owner) != keep {
                venue.is_open = false;
                post.send(venue.owner, MarketMessage::Delist(Delist { commodity: self.commodity, version }));
            }
        }
    }
}
