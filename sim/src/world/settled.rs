//! Worlds that begin with a ring that was repaired long ago.

use super::World;
use super::event::Event;
use super::nodes::{LOOK_EVERY, seed_of};
use crate::circle::Circle;
use crate::dice::Dice;
use crate::host::Phase;
use crate::invariant::Checked;
use crate::place::Place;
use proto::Peer;
use service::{Input, Node};

impl World<'_> {
    /// All that do not join later are members.
    pub(super) fn settle(&mut self) -> Checked {
        let is_there = |number: &usize| !self.scenario.joins_late(*number);
        let peers: Vec<Peer> = (0..self.hosts.len())
            .filter(is_there)
            .filter_map(|number| self.hosts.get(number))
            .map(|host| host.peer)
            .collect();
        let circle = Circle::new(peers, self.scenario.chord.routing.view);
        let mut dice = Dice::new(self.seed, "looks", 0);
        (0..circle.len()).try_for_each(|place| self.settle_at(&circle, place, &mut dice))
    }

    fn settle_at(&mut self, circle: &Circle, place: usize, dice: &mut Dice) -> Checked {
        let rules = self.scenario.rules;
        let known = circle.at(place).zip(circle.known(place, rules.successors.into()));
        let Some((peer, known)) = known else { return Ok(()) };
        let (Some(Place::Host(number)), Some(neighbours)) =
            (self.place_of(peer.key), circle.neighbours(place, &known))
        else {
            return Ok(());
        };
        let Some(host) = self.hosts.get(number) else { return Ok(()) };
        let (config, seed, keys) = (self.config(host, rules), seed_of(host, self.seed), host.keys.clone());
        let (life, work) = (host.life, host.decision);
        let node = Node::settled(config, peer, keys, seed, neighbours, host.clock.at(self.now));
        if let Some(host) = self.hosts.get_mut(number) {
            host.phase = Phase::Up(Box::new(node));
        }
        self.watch.contracts.starts(number);
        self.tally.starts += 1;
        // Drivers that were started at different times do not measure at the same moment.
        let first = self.now.after(proto::Span(dice.below(LOOK_EVERY.0)));
        self.queue.push(first, Event::Look { host: number, life });
        self.feed(number, Input::Decide { work })
    }
}
