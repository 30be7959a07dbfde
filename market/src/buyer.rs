//! The buyer: asks the owner of the class it needs, follows upwards, and accepts only tickets that are true.

pub mod shortage;
mod way;

use crate::Output;
use crate::placement::climb::Word;
use crate::post::Post;
use crate::ticket::{self, Ordered, TicketFault};
use crate::{placement, requirement};
use proto::message::market::{
    FindSeller, MAX_BATCH, MarketMessage, Matched, NoSeller, RefusedRequest, Requirement,
};
use proto::{CommandId, Market, Peer, Placement, PublicKey, Rate, RefusalCode, RequestId, Span, Time};
use shortage::Shortage;
use std::collections::{BTreeMap, VecDeque};
use way::Way;

/// Purchases that are under way at the same time; the rest waits in order.
pub const MAX_PURCHASES: usize = 64;
/// How long an owner has to answer, each time it is asked. It may have to ask several sellers meanwhile; who
/// asks again joins the match that is under way.
pub const ASK_TIMEOUT: Span = Span::secs(3);
/// How often one market is tried before the next one is.
pub const ASK_TRIES: u32 = 4;
/// How long a lookup may take before it counts as failed.
pub const LOOKUP_TIMEOUT: Span = Span::secs(10);
/// The first pause after a failure; doubled with every further one.
pub const FIRST_PAUSE: Span = Span::millis(200);
/// The longest pause.
pub const LONGEST_PAUSE: Span = Span::secs(4);
/// For how long the owner of a market is taken from memory.
pub const MEMORY: Span = Span::secs(30);
/// After this long a purchase ends without a seller.
pub const PURCHASE_DEADLINE: Span = Span::secs(120);

/// What a driver orders.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) token: u64,
    /// The ids of the slices that have no seller yet.
    pub(crate) tickets: Vec<CommandId>,
    pub(crate) requirement: Requirement,
    pub(crate) bid: Rate,
    pub(crate) avoid: Vec<PublicKey>,
}

/// The buyer's state.
#[derive(Debug, Default)]
pub(crate) struct Buyer {
    pub(crate) purchases: BTreeMap<u64, Purchase>,
    pub(crate) queue: VecDeque<Order>,
    /// One lookup for all that wait for the same market.
    lookups: BTreeMap<Market, Sought>,
    /// What lookups have found of late.
    known: BTreeMap<Market, (Venue, Time)>,
}

/// A market and its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Venue {
    pub(crate) market: Market,
    pub(crate) owner: Peer,
}

/// How a search in the second ring ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Search {
    /// This is the asked or the nearest larger market with listings.
    Found(Venue),
    /// Nobody is listed at or above the asked market.
    Nobody,
    /// It has failed.
    Failed,
}

#[derive(Debug)]
pub(crate) struct Purchase {
    order: Order,
    way: Way,
    step: Step,
    tries: u32,
    deadline: Time,
    shortage: Shortage,
}

#[derive(Clone, Copy, Debug)]
struct Sought {
    token: u64,
    until: Time,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    /// Waits for the lookup of its market.
    LookingUp,
    /// Waits for the owner's answer.
    Asking { request: RequestId, owner: Peer, until: Time },
    /// Waits before it tries again.
    Waiting { until: Time },
}

impl Buyer {
    pub(crate) fn next_due(&self) -> Option<Time> {
        let step = |purchase: &Purchase| match purchase.step {
            Step::LookingUp => purchase.deadline,
            Step::Asking { until, .. } | Step::Waiting { until } => until.min(purchase.deadline),
        };
        let lookups = self.lookups.values().map(|sought| sought.until);
        self.purchases.values().map(step).chain(lookups).min()
    }

    pub(crate) fn buy(&mut self, post: &mut Post, mut order: Order, now: Time) {
        order.avoid.truncate(crate::owner::MAX_AVOID);
        order.tickets.truncate(MAX_BATCH);
        self.queue.push_back(order);
        self.start(post, now);
    }

    /// Starts what waits while there is room.
    pub(crate) fn start(&mut self, post: &mut Post, now: Time) {
        while self.purchases.len() < MAX_PURCHASES {
            let Some(order) = self.queue.pop_front() else { return };
            let market = requirement::market(&order.requirement);
            let serial = post.number();
            let purchase = Purchase {
                way: Way::from(market),
                step: Step::LookingUp,
                tries: 0,
                deadline: now.after(PURCHASE_DEADLINE),
                shortage: Shortage { bid: order.bid, ..Shortage::default() },
                order,
            };
            self.purchases.insert(serial, purchase);
            self.approach(post, serial, now);
        }
    }

    /// Whether the lookup was ours.
    pub(crate) fn found(&mut self, post: &mut Post, token: u64, owner: Option<Peer>, now: Time) -> bool {
        let Some(market) = self.sought(token) else { return false };
        let spot = owner.map(|owner| Venue { market, owner });
        self.searched(post, token, spot.map_or(Search::Failed, Search::Found), now);
        true
    }

    /// A lookup or a search in the second ring has ended.
    pub(crate) fn searched(&mut self, post: &mut Post, token: u64, search: Search, now: Time) {
        let Some(wanted) = self.sought(token) else { return };
        self.lookups.remove(&wanted);
        // Whoever names a market below the wanted one has not found anything.
        let is_fit = |market: Market| {
            market.commodity == wanted.commodity
                && market.class >= wanted.class
                && placement::is_market(market)
        };
        let search = match search {
            Search::Found(spot) if !is_fit(spot.market) => Search::Failed,
            search => search,
        };
        if let Search::Found(spot) = search {
            self.known.insert(wanted, (spot, now.after(MEMORY)));
        }
        let waits =
            |purchase: &Purchase| purchase.way.market() == wanted && matches!(purchase.step, Step::LookingUp);
        for serial in self.serials(waits) {
            match search {
                Search::Found(spot) => self.ask(post, serial, spot, now),
                Search::Nobody => self.give_up(post, serial, now),
                Search::Failed => self.fail(post, serial, now),
            }
        }
    }

    fn sought(&self, token: u64) -> Option<Market> {
        self.lookups.iter().find(|(_, sought)| sought.token == token).map(|(market, _)| *market)
    }

    pub(crate) fn matched(&mut self, post: &mut Post, from: Peer, matched: Matched, now: Time) {
        let Some(serial) = self.asked(from, matched.request) else { return };
        let Some(purchase) = self.purchases.get_mut(&serial) else { return };
        match purchase.judge(post, from, &matched, now) {
            Ok(()) => {
                let token = purchase.order.token;
                for ticket in matched.tickets {
                    purchase.order.tickets.retain(|id| *id != ticket.body.id);
                    post.put(Output::Bought { token, ticket: Box::new(ticket) });
                }
                if purchase.order.tickets.is_empty() {
                    self.purchases.remove(&serial);
                    return self.start(post, now);
                }
                // The rest is looked for where the owner points to, or else in the next market.
                let next = purchase.way.market().next();
                match matched.missing {
                    Some(missing) => self.point(post, serial, &missing, now),
                    None => self.climb(post, serial, next, Word::Other, now),
                }
            }
            Err(fault) => {
                purchase.shortage.add_fault(fault);
                let next = purchase.way.market().next();
                self.climb(post, serial, next, Word::Other, now);
            }
        }
    }

    pub(crate) fn no_seller(&mut self, post: &mut Post, from: Peer, answer: NoSeller, now: Time) {
        if let Some(serial) = self.asked(from, answer.request) {
            self.point(post, serial, &answer, now);
        }
    }

    /// An owner has nobody, or nobody else, and points to the next market.
    fn point(&mut self, post: &mut Post, serial: u64, answer: &NoSeller, now: Time) {
        let Some(purchase) = self.purchases.get_mut(&serial) else { return };
        purchase.shortage.add_answer(answer);
        // An owner can point only upwards; what else it says is taken for the next market.
        let market = purchase.way.market();
        let is_upwards = |next: &Market| {
            next.commodity == market.commodity && next.class > market.class && placement::is_market(*next)
        };
        let next = match answer.next {
            Some(next) if !is_upwards(&next) => market.next(),
            next => next,
        };
        let word = if answer.listings == 0 { Word::Empty } else { Word::Other };
        self.climb(post, serial, next, word, now);
    }

    pub(crate) fn refused(&mut self, post: &mut Post, from: Peer, refused: &RefusedRequest, now: Time) {
        let Some(serial) = self.asked(from, refused.request) else { return };
        let Some(purchase) = self.purchases.get_mut(&serial) else { return };
        purchase.shortage.last_refusal = Some(refused.refusal.code);
        if refused.refusal.code.is_retryable() {
            if refused.refusal.code == RefusalCode::NotResponsible {
                self.forget(from);
            }
            self.fail(post, serial, now);
        } else {
            purchase.shortage.unreachable = purchase.shortage.unreachable.saturating_add(1);
            let next = purchase.way.market().next();
            self.climb(post, serial, next, Word::Other, now);
        }
    }

    pub(crate) fn unreachable(&mut self, post: &mut Post, peer: Peer, now: Time) {
        self.forget(peer);
        let asks = |purchase: &Purchase| matches!(purchase.step, Step::Asking { owner, .. } if owner == peer);
        for serial in self.serials(asks) {
            self.fail(post, serial, now);
        }
    }

    pub(crate) fn tick(&mut self, post: &mut Post, now: Time) {
        self.known.retain(|_, (_, until)| *until > now);
        let lost: Vec<u64> =
            self.lookups.values().filter(|sought| sought.until <= now).map(|sought| sought.token).collect();
        for token in lost {
            self.found(post, token, None, now);
        }
        for serial in self.serials(|purchase| purchase.deadline <= now) {
            if let Some(purchase) = self.purchases.get_mut(&serial) {
                purchase.shortage.is_out_of_time = true;
            }
            self.give_up(post, serial, now);
        }
        let is_due = |purchase: &Purchase| match purchase.step {
            Step::LookingUp => false,
            Step::Asking { until, .. } | Step::Waiting { until } => until <= now,
        };
        for serial in self.serials(is_due) {
            match self.purchases.get(&serial).map(|purchase| purchase.step) {
                Some(Step::Asking { owner, .. }) => {
                    self.forget(owner);
                    self.fail(post, serial, now);
                }
                _ => self.approach(post, serial, now),
            }
        }
    }

    /// Asks the owner of the purchase's market, or looks it up.
    fn approach(&mut self, post: &mut Post, serial: u64, now: Time) {
        let Some(purchase) = self.purchases.get_mut(&serial) else { return };
        let market = purchase.way.market();
        if let Some((spot, _)) = self.known.get(&market).copied() {
            return self.ask(post, serial, spot, now);
        }
        purchase.step = Step::LookingUp;
        self.lookups.entry(market).or_insert_with(|| {
            let token = post.number();
            post.put(match post.rules.placement {
                Placement::Single => Output::Lookup { token, key: placement::key(Placement::Single, market) },
                Placement::Processor => Output::LookupMarket { token, at_least: market },
            });
            Sought { token, until: now.after(LOOKUP_TIMEOUT) }
        });
    }

    fn ask(&mut self, post: &mut Post, serial: u64, spot: Venue, now: Time) {
        let Some(purchase) = self.purchases.get_mut(&serial) else { return };
        let Venue { market, owner } = spot;
        if market != purchase.way.market() {
            // The second ring has named a larger one: nobody is listed below it.
            purchase.way = Way::from(market);
        }
        let request = post.request();
        let order = &purchase.order;
        let find = FindSeller {
            request,
            tickets: order.tickets.clone(),
            from: market,
            requirement: order.requirement.clone(),
            bid: order.bid,
            avoid: order.avoid.clone(),
        };
        purchase.step = Step::Asking { request, owner, until: now.after(ASK_TIMEOUT) };
        post.send(owner, MarketMessage::FindSeller(Box::new(find)));
    }

    /// All below the market `next` has been asked: goes on, or ends when no market is left.
    fn climb(&mut self, post: &mut Post, serial: u64, next: Option<Market>, word: Word, now: Time) {
        let Some(purchase) = self.purchases.get_mut(&serial) else { return };
        let way = purchase.way.clone();
        let way = match post.rules.placement {
            Placement::Single => way.go_on(next, word),
            Placement::Processor => way.follow(next),
        };
        match way {
            Some(way) => {
                (purchase.way, purchase.tries) = (way, 0);
                self.approach(post, serial, now);
            }
            None => self.give_up(post, serial, now),
        }
    }

    /// One attempt came to nothing: pause and look up again, or go on in the next market.
    fn fail(&mut self, post: &mut Post, serial: u64, now: Time) {
        let Some(purchase) = self.purchases.get_mut(&serial) else { return };
        purchase.tries = purchase.tries.saturating_add(1);
        // Without the second ring's word nobody knows which market is next.
        let is_searching =
            post.rules.placement == Placement::Processor && matches!(purchase.step, Step::LookingUp);
        if purchase.tries < ASK_TRIES || is_searching {
            let until = post.again(FIRST_PAUSE, purchase.tries - 1, LONGEST_PAUSE, now);
            purchase.step = Step::Waiting { until };
        } else {
            purchase.shortage.unreachable = purchase.shortage.unreachable.saturating_add(1);
            let next = purchase.way.market().next();
            self.climb(post, serial, next, Word::Other, now);
        }
    }

    fn give_up(&mut self, post: &mut Post, serial: u64, now: Time) {
        if let Some(Purchase { order, shortage, .. }) = self.purchases.remove(&serial) {
            post.put(Output::NotBought { token: order.token, tickets: order.tickets, shortage });
            self.start(post, now);
        }
    }

    fn forget(&mut self, owner: Peer) {
        self.known.retain(|_, (spot, _)| spot.owner != owner);
    }

    fn asked(&self, from: Peer, answered: RequestId) -> Option<u64> {
        let is_asked = |purchase: &Purchase| match purchase.step {
            Step::Asking { request, owner, .. } => (request, owner) == (answered, from),
            _ => false,
        };
        self.serials(is_asked).first().copied()
    }

    fn serials(&self, is_wanted: impl Fn(&Purchase) -> bool) -> Vec<u64> {
        self.purchases.iter().filter(|(_, purchase)| is_wanted(purchase)).map(|(serial, _)| *serial).collect()
    }
}

impl Purchase {
    fn judge(&self, post: &Post, from: Peer, matched: &Matched, now: Time) -> Result<(), TicketFault> {
        if matched.tickets.is_empty() {
            return Err(TicketFault::OtherOrder);
        }
        let ordered = Ordered {
            tickets: &self.order.tickets,
            buyer: post.me.key,
            owner: from.key,
            requirement: &self.order.requirement,
            bid: self.order.bid,
            avoid: &self.order.avoid,
        };
        matched.tickets.iter().try_for_each(|ticket| ticket::verify_answer(&ticket.body, &ordered))?;
        ticket::verify_batch(&matched.tickets, &post.rules)?;
        matched
            .tickets
            .iter()
            .try_for_each(|ticket| ticket::verify_ticket(ticket, &post.rules, post.bank, now))
    }
}
