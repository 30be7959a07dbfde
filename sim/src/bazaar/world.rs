//! The run: events by time, and the hosts they happen to.

use super::deals::Deal;
use super::figures::Churned;
use super::node::{Act, Node};
use super::plan::{Departure, Plan};
use super::population::Population;
use crate::churn::Churn;
use crate::circle::Circle;
use crate::dice::{Dice, derive};
use crate::invariant::{Breach, Checked};
use crate::net::Net;
use crate::place::Place;
use crate::queue::Queue;
use crate::trace::Trace;
use crate::violation::Violation;
use chord::Chord;
use market::Marketplace;
use proto::message::chord::ChordMessage;
use proto::message::market::{MarketMessage, Ticket};
use proto::{CommandId, Hash, Peer, Signed, Span, Time};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The most hosts: what three bytes of an address can tell apart.
const MAX_HOSTS: f64 = 16_777_216.0;
/// Contacts of a newcomer.
const CONTACTS: usize = 3;
/// How long a host waits before it asks to be introduced once more.
const ENTER_AGAIN: Span = Span::secs(1);
/// After how long a node notices that nobody answers, as in the whole-node world.
const SILENCE_NOTICED: Span = Span::secs(5);
/// How long a host that leaves in order waits for that, as a node's driver does.
const LEAVE_WITHIN: Span = Span::secs(1);
/// How long a message to oneself takes.
const OWN: Span = Span::micros(10);
/// Events between two reports of progress.
const REPORT_EVERY: u64 = 1 << 14;

/// Something that happens.
pub(super) enum Event {
    Deliver { from: usize, to: usize, mail: Box<Mail> },
    Unreachable { host: usize, life: u32, to: usize },
    Wake { host: usize, life: u32, at: Time },
    Come(usize),
    Go(usize, u32),
    Gone(usize, u32),
    Enter(usize, u32),
    Request,
    Buy(u64),
    Offer(u64, CommandId),
    Done(usize, u32, CommandId),
    Lost(u64, CommandId),
}

/// What goes from host to host.
#[derive(Clone)]
pub(super) enum Mail {
    Ring(ChordMessage),
    Market(MarketMessage),
    /// A ticket is offered to its seller, for this deal.
    Offer(u64, Box<Signed<Ticket>>),
    Accept(u64, CommandId),
    Decline(u64, CommandId),
}

pub(super) struct World<'a> {
    pub(super) plan: &'a Plan,
    pub(super) now: Time,
    /// When the last request is made.
    pub(super) ends: Time,
    pub(super) population: Population,
    pub(super) queue: Queue<Event>,
    pub(super) net: Net,
    pub(super) dice: Dice,
    pub(super) deals: BTreeMap<u64, Deal>,
    pub(super) next_deal: u64,
    /// The next sub-task of the script.
    pub(super) next_wanted: usize,
    pub(super) measured: Churned,
    chord: Arc<chord::Config>,
    bounces: BTreeSet<(usize, usize)>,
    hasher: blake3::Hasher,
}

impl<'a> World<'a> {
    pub(super) fn new(plan: &'a Plan) -> Self {
        let nodes = usize::try_from(plan.nodes).unwrap_or(usize::MAX);
        let count = hosts(plan);
        let mut world = Self {
            plan,
            now: Time(0),
            ends: Time(0).after(plan.warm_up).after(plan.lasting),
            population: Population::new(count, plan.seed, plan.script.as_ref()),
            queue: Queue::default(),
            net: Net::new(plan.net.clone(), plan.seed),
            dice: Dice::new(plan.seed, "bazaar", 0),
            deals: BTreeMap::new(),
            next_deal: 0,
            next_wanted: 0,
            measured: Churned::default(),
            chord: Arc::new(plan.chord.clone()),
            bounces: BTreeSet::new(),
            hasher: blake3::Hasher::new(),
        };
        world.settle(nodes);
        world
    }

    /// Runs until the last request has ended.
    pub(super) fn run(mut self, progress: &mut dyn FnMut(u64, u64)) -> Result<Churned, Violation> {
        self.start();
        self.measured.pooled.began = Time(0).after(self.plan.warm_up);
        if let Some(first) = self.first_request() {
            self.queue.push(first, Event::Request);
        }
        while let Some((at, event)) = self.queue.pop() {
            self.now = at;
            self.note(&event);
            if let Err(breach) = self.happen(event) {
                return Err(Violation::new(self.plan.seed, self.now, breach, &Trace::default()));
            }
            if self.measured.events.is_multiple_of(REPORT_EVERY) {
                progress(self.now.0.min(self.ends.0), self.ends.0);
            }
            if self.now >= self.ends && self.deals.is_empty() {
                break;
            }
        }
        progress(self.ends.0, self.ends.0);
        self.close();
        self.measured.waits.sort_unstable();
        self.measured.lasted = self.now.since(Time(0));
        self.measured.members = self.population.members;
        self.measured.trace = Hash(*self.hasher.finalize().as_bytes());
        Ok(self.measured)
    }

    pub(super) fn new_id(&mut self) -> CommandId {
        let mut bytes = [0; 16];
        for byte in &mut bytes {
            *byte = u8::try_from(self.dice.below(256)).unwrap_or(0);
        }
        CommandId(bytes)
    }

    /// The first hosts are members of a ring that was repaired long ago, and the others away.
    fn settle(&mut self, nodes: usize) {
        let peers = self.population.hosts.iter().take(nodes).map(|host| host.peer).collect();
        let circle = Circle::new(peers, self.chord.routing.view);
        for place in 0..circle.len() {
            let (Some(peer), Some(known)) = (circle.at(place), circle.known(place, self.chord.successors))
            else {
                continue;
            };
            let Some(neighbours) = circle.neighbours(place, &known) else { continue };
            let number = Population::number(peer);
            let [ring, _] = self.seeds(number);
            let chord = Chord::settled(Arc::clone(&self.chord), peer, ring, neighbours, self.now);
            self.put(number, chord);
            self.population.set_member(number, true);
        }
    }

    fn start(&mut self) {
        for number in 0..self.population.hosts.len() {
            let is_there = self.population.is_there(number);
            if is_there && let Some(node) = self.population.node_mut(number) {
                node.settle(Time(0));
            }
            if let Some(churn) = self.plan.churn.filter(|_| self.is_restless(number)) {
                let lengths = if is_there { churn.stay } else { churn.away };
                let left = lengths.residual(&mut self.dice);
                let event = if is_there { Event::Go(number, 0) } else { Event::Come(number) };
                self.queue.push(Time(0).after(left), event);
            }
            if is_there {
                // Nobody makes anything of it yet that could break an invariant.
                let _ = self.supply(number);
            }
        }
    }

    /// Seeds for ring and market of the present life of a host.
    fn seeds(&self, number: usize) -> [[u8; 32]; 2] {
        let wide = u64::try_from(number).unwrap_or(u64::MAX);
        let life = u64::from(self.population.life(number).unwrap_or(0));
        ["ring", "market"].map(|part| derive(self.plan.seed, &format!("{part} {life}"), wide))
    }

    fn put(&mut self, number: usize, chord: Chord) {
        let [_, seed] = self.seeds(number);
        let rules = self.plan.rules;
        let Some(host) = self.population.hosts.get_mut(number) else { return };
        let config = market::Config { rules, bank: None };
        let market = Marketplace::new(config, host.peer, host.keys.clone(), seed, self.now);
        host.node = Some(Box::new(Node::new(chord, market)));
        host.since = self.now;
    }

    fn supply(&mut self, number: usize) -> Checked {
        let supply = self.population.hosts.get(number).and_then(|host| host.supply.clone());
        if supply.is_none() {
            return Ok(());
        }
        self.feed_market(number, market::Input::Supply { supply })
    }

    /// Takes an event into the trace: when, what, and to whom.
    fn note(&mut self, event: &Event) {
        self.measured.events += 1;
        let (kind, who) = match event {
            Event::Deliver { to, mail, .. } => match **mail {
                Mail::Ring(_) => (0_u64, *to),
                Mail::Market(_) => (1, *to),
                Mail::Offer(..) => (2, *to),
                Mail::Accept(..) => (3, *to),
                Mail::Decline(..) => (4, *to),
            },
            Event::Unreachable { host, .. } => (5, *host),
            Event::Wake { host, .. } => (6, *host),
            Event::Come(host) => (7, *host),
            Event::Go(host, _) | Event::Gone(host, _) => (8, *host),
            Event::Enter(host, _) => (9, *host),
            Event::Done(host, ..) => (10, *host),
            Event::Request => (11, 0),
            Event::Buy(deal) | Event::Offer(deal, _) | Event::Lost(deal, _) => {
                (12, usize::try_from(*deal).unwrap_or(0))
            }
        };
        let who = u64::try_from(who).unwrap_or(u64::MAX);
        for word in [self.now.0, kind, who] {
            self.hasher.update(&word.to_le_bytes());
        }
    }

    fn happen(&mut self, event: Event) -> Checked {
        match event {
            Event::Deliver { from, to, mail } => self.deliver(from, to, *mail),
            Event::Unreachable { host, life, to } => self.tell_unreachable(host, life, to),
            Event::Wake { host, life, at } => self.wake(host, life, at),
            Event::Come(host) => self.come(host),
            Event::Go(host, life) => self.go(host, life),
            Event::Gone(host, life) => {
                self.end(host, life);
                Ok(())
            }
            Event::Enter(host, life) => self.enter(host, life),
            Event::Request => self.request(),
            Event::Buy(deal) => self.buy(deal),
            Event::Offer(deal, id) => self.offer(deal, id),
            Event::Done(host, life, id) => self.done(host, life, id),
            Event::Lost(deal, id) => self.lost(deal, id),
        }
    }

    /// A session begins.
    fn come(&mut self, number: usize) -> Checked {
        self.measured.arrivals += 1;
        let [seed, _] = self.seeds(number);
        let Some(peer) = self.population.hosts.get(number).map(|host| host.peer) else { return Ok(()) };
        self.put(number, Chord::new(Arc::clone(&self.chord), peer, seed, self.now));
        let life = self.population.life(number).unwrap_or(0);
        if let Some(churn) = self.plan.churn {
            let stay = churn.stay.draw(&mut self.dice);
            self.queue.push(self.now.after(stay), Event::Go(number, life));
        }
        self.supply(number)?;
        self.enter(number, life)
    }

    /// A session ends.
    fn go(&mut self, number: usize, life: u32) -> Checked {
        if self.population.life(number) != Some(life) {
            return Ok(());
        }
        self.measured.departures += 1;
        self.abandon(number);
        if let Some(churn) = self.plan.churn {
            let away = churn.away.draw(&mut self.dice).plus(LEAVE_WITHIN);
            self.queue.push(self.now.after(away), Event::Come(number));
        }
        if self.plan.departure != Departure::Orderly {
            self.end(number, life);
            return Ok(());
        }
        self.queue.push(self.now.after(LEAVE_WITHIN).after(Span(0)), Event::Gone(number, life));
        self.feed(number, Node::leave)
    }

    fn end(&mut self, number: usize, life: u32) {
        if self.population.life(number) == Some(life) && self.population.is_there(number) {
            self.lose_work(number);
            self.population.remove(number);
            self.bounces.retain(|(from, _)| *from != number);
        }
    }

    /// A newcomer is introduced to some members.
    fn enter(&mut self, number: usize, life: u32) -> Checked {
        if self.population.life(number) != Some(life) {
            return Ok(());
        }
        let members: Vec<usize> =
            (0..CONTACTS).filter_map(|_| self.population.anybody(&mut self.dice)).collect();
        let others = members.into_iter().filter(|member| *member != number);
        let via: Vec<Peer> =
            others.filter_map(|member| self.population.hosts.get(member)).map(|host| host.peer).collect();
        self.feed(number, |node, now| node.chord.handle(chord::Input::Join { via }, now))
    }

    pub(super) fn feed_market(&mut self, number: usize, input: market::Input) -> Checked {
        self.feed(number, |node, now| node.market.handle(input, now))
    }

    /// One input, and everything that follows from it.
    fn feed(&mut self, number: usize, give: impl FnOnce(&mut Node, Time)) -> Checked {
        let now = self.now;
        let Some(node) = self.population.node_mut(number) else { return Ok(()) };
        give(node, now);
        let mut acts = Vec::new();
        node.route(&mut acts, now);
        if self.plan.checks {
            let opinion = node.market.check();
            opinion.map_err(|violation| Breach::new("market", format!("node {number} says: {violation}")))?;
        }
        for act in acts {
            self.act(number, act);
        }
        self.set_wake(number);
        Ok(())
    }

    fn act(&mut self, number: usize, act: Act) {
        let life = self.population.life(number).unwrap_or(0);
        match act {
            Act::Ring(to, message) => self.post(number, to, Mail::Ring(message)),
            Act::Market(to, message) => self.post(number, to, Mail::Market(message)),
            Act::Bought(deal, ticket) => self.bought(deal, ticket),
            Act::NotBought(deal) => self.not_bought(deal),
            Act::LookedUp => self.measured.lookups += 1,
            Act::Found(hops, timeouts) => {
                let pooled = &mut self.measured.pooled;
                pooled.found += 1;
                pooled.hops += u64::from(hops);
                pooled.timeouts += u64::from(timeouts);
            }
            Act::Joined => self.population.set_member(number, true),
            Act::FellOut => {
                self.population.set_member(number, false);
                self.queue.push(self.now.after(ENTER_AGAIN), Event::Enter(number, life));
            }
            Act::Left => self.end(number, life),
        }
    }

    pub(super) fn post(&mut self, from: usize, to: Peer, mail: Mail) {
        let count = match &mail {
            Mail::Ring(_) => &mut self.measured.ring_messages,
            Mail::Market(
                MarketMessage::List(_)
                | MarketMessage::Listed(_)
                | MarketMessage::Delist(_)
                | MarketMessage::HandOver(_)
                | MarketMessage::HandedOver(_),
            ) => &mut self.measured.listing_messages,
            _ => &mut self.measured.match_messages,
        };
        *count += 1;
        if self.plan.script.is_some() {
            self.weigh(&mail);
        }
        let to = Population::number(to);
        let copies = if from == to { vec![OWN] } else { self.net.send(Place::Host(from), Place::Host(to)) };
        for delay in copies {
            let mail = Box::new(mail.clone());
            self.queue.push(self.now.after(delay), Event::Deliver { from, to, mail });
        }
    }

    fn deliver(&mut self, from: usize, to: usize, mail: Mail) -> Checked {
        let is_there = self.population.is_there(to);
        self.count_question(to, &mail);
        if matches!(mail, Mail::Market(MarketMessage::Reserve(_))) {
            self.measured.questions += 1;
            self.measured.dead_questions += u64::from(!is_there);
        }
        if !is_there {
            self.bounce(from, to);
            return Ok(());
        }
        let Some(sender) = self.population.hosts.get(from).map(|host| host.peer) else { return Ok(()) };
        match mail {
            Mail::Ring(message) => {
                let input = chord::Input::Receive { from: sender, message };
                self.feed(to, |node, now| node.chord.handle(input, now))
            }
            Mail::Market(message) => self.feed_market(to, market::Input::Receive { from: sender, message }),
            Mail::Offer(deal, ticket) => self.offered(to, sender, deal, &ticket),
            Mail::Accept(deal, id) => self.answered(deal, id, true),
            Mail::Decline(deal, id) => self.answered(deal, id, false),
        }
    }

    /// Whoever sent something to a host that is gone hears that, once for several messages.
    fn bounce(&mut self, from: usize, to: usize) {
        let Some(life) = self.population.life(from).filter(|_| self.population.is_there(from)) else {
            return;
        };
        if self.bounces.insert((from, to)) {
            let after = match self.plan.departure {
                Departure::Silent => SILENCE_NOTICED,
                Departure::Crash | Departure::Orderly => self.net.latency(Place::Host(to), Place::Host(from)),
            };
            self.queue.push(self.now.after(after), Event::Unreachable { host: from, life, to });
        }
    }

    fn tell_unreachable(&mut self, host: usize, life: u32, to: usize) -> Checked {
        if self.population.life(host) != Some(life) {
            return Ok(());
        }
        self.bounces.remove(&(host, to));
        let gone = self.population.hosts.get(to).filter(|other| other.node.is_none());
        let Some(peer) = gone.map(|other| other.peer) else { return Ok(()) };
        self.feed(host, |node, now| node.unreachable(peer, now))?;
        self.doubt(host, peer)
    }

    fn wake(&mut self, number: usize, life: u32, at: Time) -> Checked {
        let Some(host) = self.population.hosts.get_mut(number) else { return Ok(()) };
        if host.life != life || host.wake != Some(at) {
            return Ok(());
        }
        host.wake = None;
        self.feed(number, Node::time_out)
    }

    fn set_wake(&mut self, number: usize) {
        let now = self.now;
        let Some(host) = self.population.hosts.get_mut(number) else { return };
        let Some(due) = host.node.as_ref().and_then(|node| node.next_due()) else { return };
        let at = due.max(now);
        if host.wake.is_none_or(|wake| at < wake) {
            host.wake = Some(at);
            self.queue.push(at, Event::Wake { host: number, life: host.life, at });
        }
    }
}

/// How many hosts there are, so that as many as are wanted are there at a time.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "limited to hosts that have an address"
)]
fn hosts(plan: &Plan) -> usize {
    if let Some(script) = &plan.script {
        return script.hosts();
    }
    let presence = plan.churn.map_or(1.0, Churn::presence);
    libm::round(f64::from(plan.nodes) / presence).clamp(0.0, MAX_HOSTS) as usize
}
