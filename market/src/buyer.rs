//! The buyer: asks the owner of the class it needs, follows upwards, and accepts only tickets that are true.

pub mod shortage;

use crate::Output;
use crate::post::Post;
use crate::ticket::{self, Ordered, TicketFault};
use crate::{placement, requirement};
use proto::message::market::{
    FindSeller, MAX_BATCH, MarketMessage, Matched, NoSeller, RefusedRequest, Requirement,
};
use proto::{CommandId, Market, Peer, PublicKey, Rate, RefusalCode, RequestId, Span, Time};
use shortage::Shortage;
use std::collections::{BTreeMap, VecDeque};

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
    known: BTreeMap<Market, (Peer, Time)>,
}

#[derive(Debug)]
pub(crate) struct Purchase {
    order: Order,
    market: Market,
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
                order,
                market,
                step: Step::LookingUp,
                tries: 0,
                deadline: now.after(PURCHASE_DEADLINE),
                shortage: Shortage::default(),
            };
            self.purchases.insert(serial, purchase);
            self.approach(post, serial, now);
        }
    }

    /// Whether the lookup was ours.
    pub(crate) fn found(&mut self, post: &mut Post, token: u64, owner: Option<Peer>, now: Time) -> bool {
        let Some((&market, _)) = self.lookups.iter().find(|(_, sought)| sought.token == token) else {
            return false;
        };
        self.lookups.remove(&market);
        if let Some(owner) = owner {
            self.known.insert(market, (owner, now.after(MEMORY)));
        }
        let waits =
            |purchase: &Purchase| purchase.market == market && matches!(purchase.step, Step::LookingUp);
        for serial in self.serials(waits) {
            match owner {
                Some(owner) => self.ask(post, serial, owner, now),
                None => self.fail(post, serial, now),
            }
        }
        true
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
                let next = purchase.market.next();
                match matched.missing {
                    Some(missing) => self.point(post, serial, &missing, now),
                    None => self.climb(post, serial, next, now),
                }
            }
            Err(fault) => {
                purchase.shortage.add_fault(fault);
                let next = purchase.market.next();
                self.climb(post, serial, next, now);
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
        let is_upwards = |next: &Market| {
            next.commodity == purchase.market.commodity
                && next.class > purchase.market.class
                && placement::is_market(*next)
        };
        let next = match answer.next {
            Some(next) if !is_upwards(&next) => purchase.market.next(),
            next => next,
        };
        self.climb(post, serial, next, now);
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
            let next = purchase.market.next();
            self.climb(post, serial, next, now);
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
        let market = purchase.market;
        if let Some((owner, _)) = self.known.get(&market).copied() {
            return self.ask(post, serial, owner, now);
        }
        purchase.step = Step::LookingUp;
        self.lookups.entry(market).or_insert_with(|| {
            let token = post.number();
            post.put(Output::Lookup { token, key: placement::key(post.rules.placement, market) });
            Sought { token, until: now.after(LOOKUP_TIMEOUT) }
        });
    }

    fn ask(&mut self, post: &mut Post, serial: u64, owner: Peer, now: Time) {
        let Some(purchase) = self.purchases.get_mut(&serial) else { return };
        let request = post.request();
        let order = &purchase.order;
        let find = FindSeller {
            request,
            tickets: order.tickets.clone(),
            from: purchase.market,
            requirement: order.requirement.clone(),
            bid: order.bid,
            avoid: order.avoid.clone(),
        };
        purchase.step = Step::Asking { request, owner, until: now.after(ASK_TIMEOUT) };
        post.send(owner, MarketMessage::FindSeller(Box::new(find)));
    }

    /// Goes on in the market `next`, or ends above the last one.
    fn climb(&mut self, post: &mut Post, serial: u64, next: Option<Market>, now: Time) {
        let Some(purchase) = self.purchases.get_mut(&serial) else { return };
        match next {
            Some(next) => {
                (purchase.market, purchase.tries) = (next, 0);
                self.approach(post, serial, now);
            }
            None => self.give_up(post, serial, now),
        }
    }

    /// One attempt came to nothing: pause and look up again, or go on in the next market.
    fn fail(&mut self, post: &mut Post, serial: u64, now: Time) {
        let Some(purchase) = self.purchases.get_mut(&serial) else { return };
        purchase.tries += 1;
        if purchase.tries < ASK_TRIES {
            let until = post.again(FIRST_PAUSE, purchase.tries - 1, LONGEST_PAUSE, now);
            purchase.step = Step::Waiting { until };
        } else {
            purchase.shortage.unreachable = purchase.shortage.unreachable.saturating_add(1);
            let next = purchase.market.next();
            self.climb(post, serial, next, now);
        }
    }

    fn give_up(&mut self, post: &mut Post, serial: u64, now: Time) {
        if let Some(Purchase { order, shortage, .. }) = self.purchases.remove(&serial) {
            post.put(Output::NotBought { token: order.token, tickets: order.tickets, shortage });
            self.start(post, now);
        }
    }

    fn forget(&mut self, owner: Peer) {
        self.known.retain(|_, (known, _)| *known != owner);
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
