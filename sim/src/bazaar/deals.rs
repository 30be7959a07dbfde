//! The scripts: what a buyer does from its request to its contract, and what a seller does with an offer.
//!
//! It is what `service::dispatch` and `service::worker` do, without money and work: a purchase, a pause for the hold,
//! the offer, which is repeated four times a lease, and another purchase that avoids the seller if it declines or falls
//! silent.

use super::population::Population;
use super::script::Script;
use super::world::{Event, Mail, World};
use crate::invariant::Checked;
use crate::place::Place;
use market::Input;
use proto::message::market::{Requirement, Ticket};
use proto::{Bytes, Capacity, CommandId, Peer, PublicKey, Rate, Signed, Span, Time};

/// The most that buyers pay: more than anybody asks for.
const BID: Rate = Rate(100_000);
/// Memory and disk of a sub-task.
const ROOM: Bytes = Bytes::mib(64);
/// The wait after the first purchase that found nobody; doubled up to the longest.
const FIRST_LOOK: Span = Span::millis(50);
/// The longest of these waits.
const SLOWEST_LOOK: Span = Span::millis(1_000);
/// How long a request may go on.
const PATIENCE: Span = Span::secs(120);

/// A request that has not ended.
pub(super) struct Deal {
    pub(super) buyer: usize,
    /// Since when a seller is looked for.
    pub(super) since: Time,
    /// Which sub-task of the script it is.
    pub(super) wanted: Option<usize>,
    /// Machines that were gone before they had done it.
    pub(super) losses: u32,
    /// Purchases begun.
    matches: usize,
    fruitless: u32,
    avoid: Vec<PublicKey>,
    requirement: Requirement,
    offer: Option<Offer>,
}

/// A ticket that is offered to its seller.
struct Offer {
    ticket: Box<Signed<Ticket>>,
    since: Time,
    /// The connection broke once.
    is_doubtful: bool,
    /// The seller has accepted, and works.
    is_taken: bool,
}

/// What a request may come to.
struct Limits {
    /// What its buyer pays for a Gc at most.
    bid: Rate,
    /// How long it may go on.
    patience: Span,
    /// The longest wait between two purchases that found nobody.
    slowest: Span,
}

impl Deal {
    pub(super) const fn new(
        buyer: usize,
        since: Time,
        requirement: Requirement,
        wanted: Option<usize>,
    ) -> Self {
        Self {
            buyer,
            since,
            wanted,
            losses: 0,
            matches: 0,
            fruitless: 0,
            avoid: Vec::new(),
            requirement,
            offer: None,
        }
    }

    /// Which sub-task of the script it is, and the ticket, if that has this id.
    pub(super) fn contract(&self, id: CommandId) -> Option<(usize, &Ticket)> {
        let offer = self.offer.as_ref().filter(|offer| offer.ticket.body.id == id)?;
        Some((self.wanted?, &offer.ticket.body))
    }

    fn limits(&self, script: Option<&Script>) -> Limits {
        let wanted = script.and_then(|script| Some((script, script.wanted.get(self.wanted?)?)));
        match wanted {
            Some((script, wanted)) => Limits {
                bid: wanted.bid(self.fruitless),
                patience: script.patience,
                slowest: script.slowest_look,
            },
            None => Limits { bid: BID, patience: PATIENCE, slowest: SLOWEST_LOOK },
        }
    }
}

impl World<'_> {
    /// Somebody needs a seller.
    pub(super) fn request(&mut self) -> Checked {
        if self.plan.script.is_some() {
            return self.next_wanted();
        }
        let gap = self.dice.exponential(self.plan.request_every);
        if self.now.after(gap) < self.ends {
            self.queue.push(self.now.after(gap), Event::Request);
        }
        let Some(buyer) = self.population.anybody(&mut self.dice) else { return Ok(()) };
        let requirement = Requirement {
            power: Capacity(self.dice.between(500, 2_000)),
            cores: 1,
            memory: ROOM,
            disk: ROOM,
            ..Requirement::default()
        };
        self.open(Deal::new(buyer, self.now, requirement, None))
    }

    pub(super) fn open(&mut self, deal: Deal) -> Checked {
        self.next_deal += 1;
        self.deals.insert(self.next_deal, deal);
        self.buy(self.next_deal)
    }

    /// The next purchase of a request, unless its patience is over.
    pub(super) fn buy(&mut self, number: u64) -> Checked {
        let ticket = self.new_id();
        let Some(deal) = self.deals.get_mut(&number) else { return Ok(()) };
        let Limits { bid, patience, .. } = deal.limits(self.plan.script.as_ref());
        if self.now.since(deal.since) > patience {
            self.give_up(number);
            return Ok(());
        }
        deal.matches += 1;
        deal.offer = None;
        let (requirement, avoid) = (deal.requirement.clone(), deal.avoid.clone());
        let buyer = deal.buyer;
        self.feed_market(buyer, Input::Buy { token: number, tickets: vec![ticket], requirement, bid, avoid })
    }

    pub(super) fn give_up(&mut self, number: u64) {
        self.deals.remove(&number);
        self.measured.requests += 1;
        self.measured.unserved += 1;
    }

    pub(super) fn not_bought(&mut self, number: u64) {
        self.measured.empty += 1;
        let Some(deal) = self.deals.get_mut(&number) else { return };
        deal.avoid.clear();
        let slowest = deal.limits(self.plan.script.as_ref()).slowest;
        let pause = FIRST_LOOK.times(1 << deal.fruitless.min(16)).min(slowest);
        deal.fruitless += 1;
        self.queue.push(self.now.after(pause), Event::Buy(number));
    }

    /// A ticket: the bank is asked, there and back, and then the seller.
    pub(super) fn bought(&mut self, number: u64, ticket: Box<Signed<Ticket>>) {
        self.measured.tickets += 1;
        let seller = Population::number(ticket.body.winner.body.seller);
        self.measured.dead_tickets += u64::from(!self.population.is_there(seller));
        let Some(deal) = self.deals.get_mut(&number) else { return };
        let (buyer, bank) = (Place::Host(deal.buyer), Place::Bank);
        let hold = self.net.latency(buyer, bank).plus(self.net.latency(bank, buyer));
        let id = ticket.body.id;
        deal.offer = Some(Offer { ticket, since: self.now.after(hold), is_doubtful: false, is_taken: false });
        self.queue.push(self.now.after(hold), Event::Offer(number, id));
    }

    /// An offer is sent, or sent again, or given up.
    pub(super) fn offer(&mut self, number: u64, id: CommandId) -> Checked {
        let Some(deal) = self.deals.get_mut(&number) else { return Ok(()) };
        let is_open = |offer: &&Offer| offer.ticket.body.id == id && !offer.is_taken;
        let Some(offer) = deal.offer.as_ref().filter(is_open) else {
            return Ok(());
        };
        if self.now.since(offer.since) >= self.plan.rules.lease {
            return self.lose(number);
        }
        let (buyer, seller) = (deal.buyer, offer.ticket.body.winner.body.seller);
        let mail = Mail::Offer(number, offer.ticket.clone());
        let again = self.now.after(self.plan.rules.sign_of_life());
        self.queue.push(again, Event::Offer(number, id));
        self.post(buyer, seller, mail);
        Ok(())
    }

    /// The connection of `buyer` to `peer` broke: offers to it are repeated once, and then given up.
    pub(super) fn doubt(&mut self, buyer: usize, peer: Peer) -> Checked {
        let mut concerned = Vec::new();
        for (number, deal) in self.deals.iter_mut().filter(|(_, deal)| deal.buyer == buyer) {
            let Some(offer) = deal.offer.as_mut() else { continue };
            let is_meant = offer.ticket.body.winner.body.seller == peer && !offer.is_taken;
            if is_meant && offer.since <= self.now {
                let was_doubtful = std::mem::replace(&mut offer.is_doubtful, true);
                concerned.push((*number, was_doubtful, offer.ticket.clone()));
            }
        }
        for (number, was_doubtful, ticket) in concerned {
            if was_doubtful {
                self.lose(number)?;
            } else {
                self.post(buyer, peer, Mail::Offer(number, ticket));
            }
        }
        Ok(())
    }

    /// The seller of a ticket is not heard of: another one.
    pub(super) fn lose(&mut self, number: u64) -> Checked {
        self.measured.vanished += 1;
        self.go_elsewhere(number)
    }

    fn go_elsewhere(&mut self, number: u64) -> Checked {
        let Some(deal) = self.deals.get_mut(&number) else { return Ok(()) };
        let Some(offer) = deal.offer.take() else { return Ok(()) };
        deal.avoid.push(offer.ticket.body.winner.body.seller.key);
        self.buy(number)
    }

    /// A seller gets an offer: it accepts if the ticket is true and its slice is kept.
    pub(super) fn offered(
        &mut self,
        number: usize,
        from: Peer,
        deal: u64,
        ticket: &Signed<Ticket>,
    ) -> Checked {
        let id = ticket.body.id;
        let now = self.now;
        let Some(host) = self.population.hosts.get_mut(number) else { return Ok(()) };
        let Some(node) = host.node.as_mut() else { return Ok(()) };
        let is_known = host.contracts.contains(&id);
        let is_taken = is_known || node.market.verify_offer(ticket, now).is_ok();
        self.post(number, from, if is_taken { Mail::Accept(deal, id) } else { Mail::Decline(deal, id) });
        if is_known {
            return Ok(());
        }
        if !is_taken {
            let slice = self.population.node(number).and_then(|node| node.market.slice(&id));
            let is_kept = slice.is_some_and(|slice| slice.buyer == from.key);
            return if is_kept { self.feed_market(number, Input::Free { ticket: id }) } else { Ok(()) };
        }
        let life = self.population.life(number).unwrap_or(0);
        if let Some(host) = self.population.hosts.get_mut(number) {
            host.contracts.insert(id);
            host.running.insert(id, (now, deal));
        }
        let work = self.run_time(number, deal);
        self.queue.push(now.after(work), Event::Done(number, life, id));
        self.feed_market(number, Input::Take { ticket: id })
    }

    /// The work of a contract has ended.
    pub(super) fn done(&mut self, number: usize, life: u32, id: CommandId) -> Checked {
        if self.population.life(number) != Some(life) {
            return Ok(());
        }
        if let Some(deal) = self.stop_work(number, id) {
            self.deliver_result(deal, number, id);
        }
        self.feed_market(number, Input::Free { ticket: id })
    }

    /// The seller's answer.
    pub(super) fn answered(&mut self, number: u64, id: CommandId, is_taken: bool) -> Checked {
        let Some(deal) = self.deals.get_mut(&number) else { return Ok(()) };
        let is_asked = |offer: &&mut Offer| offer.ticket.body.id == id && !offer.is_taken;
        let Some(offer) = deal.offer.as_mut().filter(is_asked) else { return Ok(()) };
        offer.is_taken = is_taken;
        if !is_taken {
            self.measured.declined += 1;
            return self.go_elsewhere(number);
        }
        let (matches, wait) = (deal.matches, self.now.since(deal.since));
        self.measured.contract(matches, wait);
        if deal.wanted.is_none() {
            self.measured.requests += 1;
            self.deals.remove(&number);
        }
        Ok(())
    }

    /// A buyer is gone: nobody cares for its requests any more.
    pub(super) fn abandon(&mut self, buyer: usize) {
        let before = self.deals.len();
        self.deals.retain(|_, deal| deal.buyer != buyer);
        let gone = before - self.deals.len();
        self.measured.abandoned += u64::try_from(gone).unwrap_or(0);
    }
}
