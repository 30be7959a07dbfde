//! What is different where machines and purchases are given: buyers wait for the result, and what is lost is bought again.

use super::deals::Deal;
use super::script::{Bought, Pooled};
use super::world::{Event, Mail, World};
use crate::invariant::Checked;
use crate::place::Place;
use proto::message::market::{MarketMessage, Requirement};
use proto::wire::Wire as _;
use proto::{Bytes, CommandId, Span, Time};

/// Memory and disk of a sub-task.
const ROOM: Bytes = Bytes::mib(64);
/// What an answer to an offer takes: the id of the ticket.
const ANSWER: usize = 16;

impl World<'_> {
    /// When the first request is made.
    pub(super) fn first_request(&self) -> Option<Time> {
        let opens = Time(0).after(self.plan.warm_up);
        self.plan.script.as_ref().map_or(Some(opens), |script| Some(opens.after(script.wanted.first()?.at)))
    }

    /// The next sub-task of the script is asked for.
    pub(super) fn next_wanted(&mut self) -> Checked {
        let Some(script) = &self.plan.script else { return Ok(()) };
        let number = self.next_wanted;
        self.next_wanted += 1;
        if let Some(next) = script.wanted.get(self.next_wanted) {
            self.queue.push(Time(0).after(self.plan.warm_up).after(next.at).max(self.now), Event::Request);
        }
        let Some(wanted) = script.wanted.get(number) else { return Ok(()) };
        let requirement =
            Requirement { power: wanted.power, cores: 1, memory: ROOM, disk: ROOM, ..Requirement::default() };
        self.open(Deal::new(wanted.buyer, self.now, requirement, Some(number)))
    }

    /// A machine has done the work of a ticket, or it is gone: its core is free again. Which request it was for.
    pub(super) fn stop_work(&mut self, host: usize, id: CommandId) -> Option<u64> {
        let (since, deal) = self.population.hosts.get_mut(host)?.running.remove(&id)?;
        self.measured.pooled.busy += self.now.since(since).0;
        Some(deal)
    }

    /// The buyer of a request has its result.
    pub(super) fn deliver_result(&mut self, number: u64, host: usize, id: CommandId) {
        let Some((wanted, body)) = self.deals.get(&number).and_then(|deal| deal.contract(id)) else { return };
        let (price, to_owner) = (body.clearing, body.owner_rate);
        let buyer = self.deals.get(&number).map_or(host, |deal| deal.buyer);
        let way = self.net.latency(Place::Host(host), Place::Host(buyer));
        let first = self.plan.script.as_ref().map_or(0, |script| script.buyers);
        self.measured.pooled.bought.push(Bought {
            number: wanted,
            machine: host.saturating_sub(first),
            price,
            to_owner,
            done: self.now.after(way),
        });
        self.measured.requests += 1;
        self.deals.remove(&number);
    }

    /// A host is gone: what it was working at is lost, which its buyer notices a lease later.
    pub(super) fn lose_work(&mut self, host: usize) {
        let Some(gone) = self.population.hosts.get_mut(host) else { return };
        let since = gone.since.max(self.measured.pooled.began);
        let running: Vec<CommandId> = gone.running.keys().copied().collect();
        Pooled::add(&mut self.measured.pooled.present, host, self.now.since(since).0);
        for id in running {
            let Some(deal) = self.stop_work(host, id) else { continue };
            self.measured.pooled.lost += 1;
            if self.plan.script.is_some() {
                self.queue.push(self.now.after(self.plan.rules.lease), Event::Lost(deal, id));
            }
        }
    }

    /// The buyer has not heard of its seller for a lease: another one, if the contract is still the one it waits for.
    pub(super) fn lost(&mut self, number: u64, id: CommandId) -> Checked {
        let now = self.now;
        let Some(deal) = self.deals.get_mut(&number) else { return Ok(()) };
        if deal.contract(id).is_none() {
            return Ok(());
        }
        deal.since = now;
        deal.losses += 1;
        if self.plan.script.as_ref().is_some_and(|script| deal.losses >= script.tries) {
            self.give_up(number);
            return Ok(());
        }
        self.lose(number)
    }

    /// The end: whoever is there has been there until now.
    pub(super) fn close(&mut self) {
        for host in 0..self.population.hosts.len() {
            if self.population.is_there(host) {
                self.lose_work(host);
            }
        }
    }

    /// Counts a message.
    pub(super) fn weigh(&mut self, mail: &Mail) {
        let size = match mail {
            Mail::Ring(message) => message.encode().len(),
            Mail::Market(message) => message.encode().len(),
            Mail::Offer(_, ticket) => ticket.encode().len(),
            Mail::Accept(..) | Mail::Decline(..) => ANSWER,
        };
        self.measured.pooled.bytes += u64::try_from(size).unwrap_or(u64::MAX);
    }

    /// A host is asked for a seller.
    pub(super) fn count_question(&mut self, to: usize, mail: &Mail) {
        if matches!(mail, Mail::Market(MarketMessage::FindSeller(_))) {
            Pooled::add(&mut self.measured.pooled.asked, to, 1);
        }
    }

    /// How long a request's work runs at this host: drawn, where no script says it.
    pub(super) fn run_time(&mut self, host: usize, deal: u64) -> Span {
        let wanted = self.deals.get(&deal).and_then(|deal| deal.wanted);
        let known = self.plan.script.as_ref().and_then(|script| {
            let machine = script.machine(host)?;
            Some(script.wanted.get(wanted?)?.runs(machine.per_core))
        });
        known.unwrap_or_else(|| self.dice.exponential(self.plan.work))
    }

    /// Whether a host comes and goes: those that only buy stay.
    pub(super) fn is_restless(&self, host: usize) -> bool {
        self.plan.churn.is_some() && self.plan.script.as_ref().is_none_or(|script| host >= script.buyers)
    }
}
