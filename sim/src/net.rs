//! The network between the processes: how long a message takes, and whether it arrives, once or twice.
//!
//! Messages are lost, doubled and overtaken one by one, which is harsher than the streams of the real node: those
//! lose and reorder nothing until they break.

use crate::dice::Dice;
use crate::place::Place;
use proto::Span;
use std::collections::BTreeSet;

/// How long a message is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Latency {
    /// Always as long.
    Constant(Span),
    /// Anything between two durations with the same chance.
    Uniform {
        /// The shortest.
        least: Span,
        /// The longest.
        most: Span,
    },
    /// A part that no message is faster than, and an exponential one.
    Exponential {
        /// The shortest.
        least: Span,
        /// The mean of what comes on top.
        mean: Span,
    },
}

/// What the network does to messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// The network.
#[derive(Clone, Debug)]
pub(crate) struct Net {
    model: Model,
    dice: Dice,
    cut_off: BTreeSet<usize>,
    /// What happened so far.
    pub(crate) traffic: Traffic,
}

impl Latency {
    /// How long one message takes.
    pub(crate) fn draw(self, dice: &mut Dice) -> Span {
        match self {
            Self::Constant(span) => span,
            Self::Uniform { least, most } => Span(dice.between(least.0, most.0)),
            Self::Exponential { least, mean } => least.plus(dice.exponential(mean)),
        }
    }
}

impl Net {
    /// A whole network.
    #[must_use]
    pub(crate) fn new(model: Model, seed: u64) -> Self {
        let dice = Dice::new(seed, "net", 0);
        Self { model, dice, cut_off: BTreeSet::new(), traffic: Traffic::default() }
    }

    /// After how long the copies of a message arrive that is sent now: none, one or two.
    pub(crate) fn send(&mut self) -> Vec<Span> {
        self.traffic.sent += 1;
        if self.dice.is_hit(self.model.loss) {
            self.traffic.lost += 1;
            return Vec::new();
        }
        let mut copies = vec![self.latency()];
        if self.dice.is_hit(self.model.duplication) {
            self.traffic.doubled += 1;
            copies.push(self.latency());
        }
        copies
    }

    /// How long something takes from one process to another.
    pub(crate) fn latency(&mut self) -> Span {
        self.model.latency.draw(&mut self.dice)
    }

    /// Cuts these nodes off from all others and from the bank; among themselves they are connected.
    pub(crate) fn cut_off(&mut self, hosts: impl IntoIterator<Item = usize>) {
        self.cut_off = hosts.into_iter().collect();
    }

    /// Whether messages get from one process to the other.
    #[must_use]
    pub(crate) fn connects(&self, from: Place, to: Place) -> bool {
        self.is_cut_off(from) == self.is_cut_off(to)
    }

    fn is_cut_off(&self, place: Place) -> bool {
        matches!(place, Place::Host(host) if self.cut_off.contains(&host))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LATENCY: Latency = Latency::Uniform { least: Span(100), most: Span(300) };

    fn send_many(loss: u32, duplication: u32) -> (Vec<Vec<Span>>, Traffic) {
        let mut net = Net::new(Model { latency: LATENCY, loss, duplication }, 3);
        let copies = (0..10_000).map(|_| net.send()).collect();
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
        net.cut_off([1, 2]);
        for (from, to, expected) in [
            (Place::Host(1), Place::Host(2), true),
            (Place::Host(1), Place::Host(0), false),
            (Place::Host(0), Place::Host(2), false),
            (Place::Bank, Place::Host(1), false),
            (Place::Host(0), Place::Bank, true),
        ] {
            assert_eq!(net.connects(from, to), expected, "{from} {to}");
        }
        net.cut_off([]);
        assert!(net.connects(Place::Host(1), Place::Bank));
    }
}
