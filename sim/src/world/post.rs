//! Messages on their way.

use super::World;
use super::event::Event;
use crate::fault::{Act, Fault, Lie};
use crate::host::Phase;
use crate::invariant::{Checked, channel, price};
use crate::mutant::Site;
use crate::place::Place;
use crate::sight::Sight;
use proto::message::bank::{BankMessage, Order};
use proto::message::market::MarketMessage;
use proto::message::service::{Declined, ServiceMessage};
use proto::{Message, Peer, RefusalCode, Span};
use service::Input;

/// After how long a node notices that nobody answers: the real network's dial gives up after 2 s, its keep-alive
/// after 15 s.
const SILENCE_NOTICED: Span = Span::secs(5);
/// How long a message to oneself takes.
const OWN: Span = Span::micros(10);

impl World<'_> {
    /// A node sends a message.
    pub(super) fn send(&mut self, host: usize, to: Peer, message: Message) -> Checked {
        let Some(sender) = self.hosts.get(host) else { return Ok(()) };
        let (keys, peer, clock) = (sender.keys.clone(), sender.peer, sender.clock);
        if self.is_muted(host, &message) {
            return Ok(());
        }
        price::check(&message, &self.scenario.rules)?;
        self.watch_message(host, to, &message)?;
        self.watch.overlay.sent(peer, to, &message)?;
        let from = self.mutant.sender(&Site { host, peer, keys: &keys, now: self.now });
        let Some(place) = self.by_key.get(&to.key).copied() else { return Ok(()) };
        if let (Place::Host(receiver), Message::Chord(message)) = (place, &message) {
            self.watch.ring.sent((host, clock), receiver, message, self.now);
        }
        self.put(Place::Host(host), from, place, message);
        Ok(())
    }

    /// Whether a seller that has fallen silent, or a buyer that judges nothing, would have to say this.
    fn is_muted(&self, host: usize, message: &Message) -> bool {
        let lie = self.hosts.get(host).and_then(|host| host.machine.lie);
        match (lie, message) {
            (Some(Lie::Silent), Message::Service(message)) => matches!(
                message,
                ServiceMessage::Progress(_) | ServiceMessage::Report(_) | ServiceMessage::Decline(_)
            ),
            (Some(Lie::Mute), Message::Service(message)) => matches!(message, ServiceMessage::Verdict(_)),
            // What is over it may ask for: the bank tells it that it has paid.
            (Some(Lie::Mute), Message::Bank(BankMessage::Request(request))) => {
                let order = &request.command.body.order;
                matches!(order, Order::Settle(settle) if self.watch.books.holds.contains_key(&settle.hold))
            }
            _ => false,
        }
    }

    /// Looks at what a node says to another, on its way.
    fn watch_message(&mut self, host: usize, to: Peer, message: &Message) -> Checked {
        let Some(sender) = self.hosts.get(host) else { return Ok(()) };
        let receiver = self.place_of(to.key);
        match message {
            Message::Market(message) => {
                if let MarketMessage::Matched(matched) = message {
                    for ticket in &matched.tickets {
                        let seller = self.place_of(ticket.body.winner.body.seller.key);
                        if let Some(Place::Host(seller)) = seller
                            && let Some(seller) = self.hosts.get(seller)
                        {
                            self.watch.kept.signed(seller, &ticket.body)?;
                        }
                    }
                    self.strike(Act::Signs, host);
                }
                let Some(sender) = self.hosts.get(host) else { return Ok(()) };
                self.watch.kept.sent(to, message);
                if matches!(message, MarketMessage::Unavailable(_))
                    && self.scenario.sights.contains(&Sight::AskedByTwo)
                    && self.watch.kept.is_kept_for_another(sender, to)
                {
                    self.saw(Sight::AskedByTwo);
                }
                match (message, receiver) {
                    (MarketMessage::Reserved(_), Some(Place::Host(owner))) => {
                        self.strike(Act::Reserves, owner)
                    }
                    (MarketMessage::Refused(_), Some(Place::Host(flooder))) if self.floods(flooder) => {
                        self.saw(Sight::FloodRefused);
                    }
                    _ => {}
                }
                Ok(())
            }
            Message::Service(ServiceMessage::Offer(offer)) => {
                self.watch.probes.offered(&offer.body)?;
                self.watch.sub_tasks.offered(&offer.body)?;
                if !offer.body.job.repeats.is_empty() {
                    self.tally.saw(Sight::Shared);
                }
                self.watch.saved.offered(&offer.body, self.states.begin(&offer.body.job));
                self.watch.flows.offered(&offer.body)
            }
            Message::Service(ServiceMessage::Verdict(paper)) => {
                let buyer = sender.peer.key;
                if !paper.body.is_accepted {
                    self.watch.saved.ends(|contract, _| contract == paper.body.contract);
                }
                self.watch.probes.judged(buyer, to.key, &paper.body)
            }
            Message::Service(ServiceMessage::Kept(kept)) => {
                if self.watch.saved.kept(sender, kept)? {
                    self.saw(Sight::KeptOn);
                }
                Ok(())
            }
            Message::Service(ServiceMessage::Accept(paper)) => {
                self.watch.policies.accepts(sender, paper.body.contract, to.key)?;
                self.strike(Act::Accepts, host);
                Ok(())
            }
            Message::Service(ServiceMessage::Decline(paper)) => self.watch_decline(host, &paper.body),
            _ => Ok(()),
        }
    }

    /// A seller says no, or signs that nothing is owed to it.
    fn watch_decline(&mut self, host: usize, declined: &Declined) -> Checked {
        let Some(sender) = self.hosts.get(host) else { return Ok(()) };
        let is_held = self.watch.books.holds.contains_key(&declined.contract);
        self.watch.saved.signs_away(sender, declined.contract, is_held)?;
        if declined.refusal.code == RefusalCode::Policy {
            self.saw(Sight::Forbidden);
        }
        Ok(())
    }

    fn floods(&self, number: usize) -> bool {
        let is_flooder = |fault: &Fault| matches!(fault, Fault::Flood(flood) if flood.host == number);
        self.scenario.faults.iter().any(|scheduled| is_flooder(&scheduled.fault))
    }

    /// The bank sends a message.
    pub(super) fn answer(&mut self, to: Peer, message: BankMessage) -> Checked {
        self.watch.durable.answered(&message)?;
        if let Some(place) = self.by_key.get(&to.key).copied() {
            self.put(Place::Bank, self.teller.peer, place, Message::Bank(message));
        }
        Ok(())
    }

    fn put(&mut self, source: Place, from: Peer, to: Place, message: Message) {
        let copies = if source == to { vec![OWN] } else { self.net.send(source, to) };
        for delay in copies {
            let message = Box::new(message.clone());
            self.queue.push(self.now.after(delay), Event::Deliver { source, from, to, message });
        }
    }

    /// A message arrives, if there is somebody whom it can reach.
    pub(super) fn deliver(&mut self, source: Place, from: Peer, to: Place, message: Message) -> Checked {
        if !self.net.connects(source, to) {
            self.bounce(source, to, SILENCE_NOTICED);
            return Ok(());
        }
        let truth = match source {
            Place::Bank => Some(self.teller.peer),
            Place::Host(host) => self.hosts.get(host).map(|host| host.peer),
        };
        channel::check(source, truth.unwrap_or(from), from)?;
        match to {
            Place::Bank if self.teller.bank.is_none() => {
                let refused = self.net.latency(to, source);
                self.bounce(source, to, refused);
                Ok(())
            }
            Place::Bank => self.deliver_to_bank(from, message),
            Place::Host(host) => self.deliver_to_host(source, from, host, message),
        }
    }

    fn deliver_to_host(&mut self, source: Place, from: Peer, number: usize, message: Message) -> Checked {
        let Some(host) = self.hosts.get_mut(number) else { return Ok(()) };
        match &host.phase {
            Phase::Down { .. } => {
                if matches!(message, Message::Market(MarketMessage::Reserve(_))) {
                    self.tally.saw(Sight::DeadAsked);
                }
                let after = if host.is_silent() {
                    SILENCE_NOTICED
                } else {
                    self.net.latency(Place::Host(number), source)
                };
                self.bounce(source, Place::Host(number), after);
                Ok(())
            }
            Phase::Entering => match message {
                Message::Bank(BankMessage::Entered(entered)) if source == Place::Bank => {
                    self.enter(number, *entered)
                }
                _ => Ok(()),
            },
            Phase::Up(_) => {
                match &message {
                    Message::Service(ServiceMessage::Offer(offer)) => host.note_offer(&offer.body),
                    Message::Chord(message) => self.watch.ring.received(number, message),
                    _ => {}
                }
                self.feed(number, Input::Receive { from, message })
            }
        }
    }

    /// A message did not reach `to`: whoever sent it hears that, once for several messages.
    fn bounce(&mut self, source: Place, to: Place, after: Span) {
        self.net.traffic.stopped += 1;
        let Place::Host(host) = source else { return };
        let Some(life) = self.hosts.get(host).map(|host| host.life) else { return };
        let Some(peer) = self.peer_at(to) else { return };
        if self.bounces.insert((host, to)) {
            self.queue.push(self.now.after(after), Event::Unreachable { host, life, peer });
        }
    }

    /// A node hears that a peer cannot be reached, unless the connection has recovered meanwhile.
    pub(super) fn tell_unreachable(&mut self, host: usize, peer: Peer) -> Checked {
        let Some(place) = self.by_key.get(&peer.key).copied() else { return Ok(()) };
        self.bounces.remove(&(host, place));
        let is_there = match place {
            Place::Bank => self.teller.bank.is_some(),
            Place::Host(other) => self.is_up(other),
        };
        if is_there && self.net.connects(Place::Host(host), place) {
            return Ok(());
        }
        self.watch.ring.broke(is_there && place != Place::Bank);
        self.feed(host, Input::Unreachable { peer })
    }

    fn peer_at(&self, place: Place) -> Option<Peer> {
        match place {
            Place::Bank => Some(self.teller.peer),
            Place::Host(host) => self.hosts.get(host).map(|host| host.peer),
        }
    }
}
