//! Proximity neighbour selection: of the nodes that would do as a finger, the nearest is taken (ToN VI, Table IV).

use crate::handle::Handle;
use crate::interval::distance;
use crate::node::Chord;
use crate::requests::Purpose;
use proto::{RequestId, Time};

/// How many nodes are measured for one finger at most.
pub const MAX_ALTERNATES: usize = 32;

/// The nodes of which one becomes a finger.
#[derive(Clone, Debug)]
pub(crate) struct Gauging<P> {
    exponent: u32,
    /// The first node after the finger's point.
    owner: P,
    nodes: Vec<P>,
}

impl<P> Gauging<P> {
    pub(super) const fn footprint(&self) -> usize {
        self.nodes.capacity() * size_of::<P>()
    }
}

impl<P: Handle> Chord<P> {
    /// A finger has been found: asks it who follows.
    pub(crate) fn gauge(&mut self, exponent: u32, owner: P, now: Time) {
        let (me, proximity) = (self.me, self.config.routing.proximity);
        let Some(learned) = self.learned.as_mut().filter(|_| proximity > 0 && owner.id() != me.id()) else {
            return;
        };
        if learned.gauging.is_none() {
            learned.gauging = Some(Gauging { exponent, owner, nodes: vec![owner] });
            self.ask(owner, Purpose::Alternates, now);
        }
    }

    /// Those who follow the finger: measures whoever has not been measured.
    pub(crate) fn on_alternates(&mut self, list: &[P], now: Time) {
        let (me, proximity) = (self.me.id(), self.config.routing.proximity.min(MAX_ALTERNATES));
        let Some(learned) = &mut self.learned else { return };
        let Some(gauging) = &mut learned.gauging else { return };
        let end = if gauging.exponent >= 159 { me } else { me.plus_power(gauging.exponent + 1) };
        let way = |node: P| distance(gauging.owner.id(), node.id());
        let room = distance(gauging.owner.id(), end);
        let alternates = list.iter().copied().take(proximity).filter(|node| way(*node) < room);
        gauging.nodes.extend(alternates.filter(|node| node.id() != me));
        let unknown: Vec<P> = gauging
            .nodes
            .iter()
            .copied()
            .filter(|node| learned.distances.mean(node.id()).is_none())
            .collect();
        for node in unknown {
            self.ask(node, Purpose::Gauge, now);
        }
        self.gauged();
    }

    /// A node has been measured.
    pub(crate) fn on_gauged(&mut self, request: RequestId, from: P) {
        if self.requests.answered(request, from, |purpose| purpose == Purpose::Gauge).is_some() {
            self.believe(from);
            self.gauged();
        }
    }

    /// Takes the nearest once all have been measured.
    pub(crate) fn gauged(&mut self) {
        if self.requests.has(|purpose| matches!(purpose, Purpose::Gauge | Purpose::Alternates)) {
            return;
        }
        let Some(learned) = &mut self.learned else { return };
        let Some(Gauging { exponent, owner, nodes }) = learned.gauging.take() else { return };
        let measured = |node: P| learned.distances.mean(node.id()).map(|mean| (mean, node));
        let nearest = nodes.into_iter().filter_map(measured).min_by_key(|(mean, _)| *mean);
        if let (Some((_, node)), Some(member)) = (nearest, &mut self.member) {
            member.fingers.prefer(exponent, owner, node);
        }
    }
}
