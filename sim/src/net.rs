//! The network between the processes: how long a message takes, and whether it arrives, once or twice.
//!
//! Messages are lost, doubled and overtaken one by one, which is harsher than the streams of the real node: those
//! lose and reorder nothing until they break.

use crate::dice::Dice;
use crate::network::Latency;
use crate::place::Place;
use proto::Span;
use std::collections::BTreeMap;

/// What the network does to messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    /// How long they take.
    pub latency: Latency,
    /// How many in a thousand are lost.
    pub loss: u32,
    /// How many in a thousand arrive twice.
    pub duplication: u32,
}

/// What happened to messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Sent by nodes and bank.
    pub sent: u64,
    /// Lost by chance.
    pub lost: u64,
    /// Arrived twice.
    pub doubled: u64,
    /// Not delivered, because of a partition or because the receiver was down.
    pub stopped: u64,
}

/// Which messages a cut stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Those in both directions.
    Both,
    /// Those to the nodes that are cut off: they are heard, and hear nothing.
    In,
    /// Those from them: they hear, and are not heard.
    Out,
}

/// The network.
#[derive(Clone, Debug)]
pub(crate) struct Net {
    model: Model,
    dice: Dice,
    cut_off: BTreeMap<usize, Way>,
    /// What happened so far.
    pub(crate) traffic: Traffic,
}

impl Net {
    /// A whole network.
    #[must_use]
    pub(crate) fn new(model: Model, seed: u64) -> Self {
        let dice = Dice::new(seed, "net", 0);
        Self { model, dice, cut_off: BTreeMap::new(), traffic: Traffic::default() }
    }

    /// After how long the copies of a message arrive that is sent now: none, one or two.
    pub(crate) fn send(&mut self, from: Place, to: Place) -> Vec<Span> {
        self.traffic.sent += 1;
        if self.dice.is_hit(self.model.loss) {
            self.traffic.lost += 1;
            return Vec::new();
        }
        let mut copies = vec![self.latency(from, to)];
        if self.dice.is_hit(self.model.duplication) {
            self.traffic.doubled += 1;
            copies.push(self.latency(from, to));
        }
        copies
    }

    /// How long something takes from one process to another.
    pub(crate) fn latency(&mut self, from: Place, to: Place) -> Span {
        self.model.latency.draw(&mut self.dice, (number(from), number(to)))
    }

    /// Cuts these nodes off from all others and from the bank; among themselves they are connected.
    pub(crate) fn cut_off(&mut self, hosts: impl IntoIterator<Item = usize>, way: Way) {
        self.cut_off = hosts.into_iter().map(|host| (host, way)).collect();
    }

    /// Whether messages get from one process to the other.
    #[must_use]
    pub(crate) fn connects(&self, from: Place, to: Place) -> bool {
        let (sender, receiver) = (self.cut(from), self.cut(to));
        sender.is_some() == receiver.is_some() || sender == Some(Way::In) || receiver == Some(Way::Out)
    }

    fn cut(&self, place: Place) -> Option<Way> {
        match place {
            Place::Host(host) => self.cut_off.get(&host).copied(),
            Place::Bank => None,
        }
    }
}

/// What tells a process apart from the others.
fn number(place: Place) -> u64 {
    match place {
        Place::Bank => 0,
        Place::Host(host) => u64::try_from(host).unwrap_or(u64::MAX).saturating_add(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LATENCY: Latency = Latency::Uniform { least: Span(100), most: Span(300) };

    fn send_many(loss: u32, duplication: u32) -> (Vec<Vec<Span>>, Traffic) {
        let mut net = Net::new(Model { latency: LATENCY, loss, duplication }, 3);
        let copies = (0..10_000).map(|_| net.send(Place::Bank, Place::Host(0))).collect();
        (copies, net.traffic)
    }

    #[test]
    fn a_quiet_network_delivers_everything_once_within_its_latency() {
        let (copies, traffic) = send_many(0, 0);
        assert!(copies.iter().all(|copies| copies.len() == 1 && (100..=300).contains(&copies[0].0)));
        assert_eq!(traffic, Traffic { sent: 10_000, ..Traffic::default() });
    }

    #[test]
    fn loss_and_duplication_have_their_rates() {
        let (copies, traffic) = send_many(50, 100);
        let arrived: usize = copies.iter().map(Vec::len).sum();
        assert_eq!(arrived as u64, 10_000 - traffic.lost + traffic.doubled);
        // 500 ± 22 and 950 ± 29, one standard deviation.
        assert!((400..600).contains(&traffic.lost), "{traffic:?}");
        assert!((820..1_080).contains(&traffic.doubled), "{traffic:?}");
    }

    #[test]
    fn a_cut_separates_both_ways_and_heals() {
        let mut net = Net::new(Model { latency: LATENCY, loss: 0, duplication: 0 }, 3);
        net.cut_off([1, 2], Way::Both);
        for (from, to, expected) in [
            (Place::Host(1), Place::Host(2), true),
            (Place::Host(1), Place::Host(0), false),
            (Place::Host(0), Place::Host(2), false),
            (Place::Bank, Place::Host(1), false),
            (Place::Host(0), Place::Bank, true),
        ] {
            assert_eq!(net.connects(from, to), expected, "{from} {to}");
        }
        net.cut_off([], Way::Both);
        assert!(net.connects(Place::Host(1), Place::Bank));
    }

    #[test]
    fn a_cut_may_be_of_one_direction() {
        let mut net = Net::new(Model { latency: LATENCY, loss: 0, duplication: 0 }, 3);
        let (inside, also, outside) = (Place::Host(1), Place::Host(2), Place::Host(0));
        for (way, is_heard, hears) in [(Way::In, true, false), (Way::Out, false, true)] {
            net.cut_off([1, 2], way);
            let found = (net.connects(inside, outside), net.connects(outside, inside));
            assert_eq!(found, (is_heard, hears), "{way:?}");
            assert_eq!((net.connects(inside, Place::Bank), net.connects(Place::Bank, inside)), found);
            assert!(net.connects(inside, also) && net.connects(outside, Place::Bank));
        }
    }
}
