//! Proximity neighbour selection: of a finger and the nodes that follow it, a lookup goes to the nearest that precedes
//! the key (ToN VI, Table IV).

use crate::fingers::reach;
use crate::handle::Handle;
use crate::interval::distance;
use crate::node::Chord;
use crate::requests::Purpose;
use proto::{RequestId, RingId, Time};
use std::collections::BTreeMap;

/// How many nodes are measured for one finger at most.
pub const MAX_ALTERNATES: usize = 32;

/// Fingers and those that do as well.
#[derive(Clone, Debug)]
pub(crate) struct Alternates<P> {
    /// By the reach of the finger, which is the first.
    nodes: BTreeMap<u32, Vec<P>>,
    /// The finger that is being measured.
    gauged: Option<u32>,
}

impl<P> Alternates<P> {
    pub(super) const fn new() -> Self {
        Self { nodes: BTreeMap::new(), gauged: None }
    }

    /// Bytes on the heap; the tree's own are estimated as half as much again.
    pub(super) fn footprint(&self) -> usize {
        let lists: usize = self.nodes.values().map(|nodes| nodes.capacity() * size_of::<P>()).sum();
        lists + self.nodes.len() * size_of::<(u32, Vec<P>)>() * 3 / 2
    }
}

impl<P: Handle> Alternates<P> {
    /// Takes the nodes for a finger that others have measured.
    pub(crate) fn insert(&mut self, reach: u32, nodes: Vec<P>) {
        self.nodes.insert(reach, nodes);
    }

    /// Forgets a node that is dead. A finger without it has no alternates until it is refreshed.
    pub(super) fn forget(&mut self, gone: RingId) {
        self.nodes.retain(|_, nodes| {
            nodes.retain(|node| node.id() != gone);
            nodes.len() > 1
        });
    }
}

impl<P: Handle> Chord<P> {
    /// A finger has been found: asks it who follows.
    pub(crate) fn gauge(&mut self, finger: P, now: Time) {
        let proximity = self.config.routing.proximity;
        let Some(reach) = reach(self.me.id(), finger) else { return };
        let Some(learned) = self.learned.as_mut().filter(|_| proximity > 0) else { return };
        let alternates = &mut learned.alternates;
        if alternates.gauged.is_none() {
            alternates.gauged = Some(reach);
            alternates.nodes.insert(reach, vec![finger]);
            self.ask(finger, Purpose::Alternates, now);
        }
    }

    /// Those who follow the finger: measures whoever has not been measured.
    pub(crate) fn on_alternates(&mut self, list: &[P], now: Time) {
        let (me, proximity) = (self.me.id(), self.config.routing.proximity.min(MAX_ALTERNATES));
        let Some(learned) = &mut self.learned else { return };
        let Some(reach) = learned.alternates.gauged else { return };
        let Some(nodes) = learned.alternates.nodes.get_mut(&reach) else { return };
        nodes.extend(list.iter().copied().take(proximity).take_while(|node| node.id() != me));
        let is_unknown = |node: &&P| learned.distances.mean(node.id()).is_none();
        let unknown: Vec<P> = nodes.iter().filter(is_unknown).copied().collect();
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

    /// Whether all have been measured: then the next finger may be.
    pub(crate) fn gauged(&mut self) {
        if !self.requests.has(|purpose| matches!(purpose, Purpose::Gauge | Purpose::Alternates))
            && let Some(learned) = &mut self.learned
        {
            learned.alternates.gauged = None;
        }
    }

    /// The nearest node of those that do as well as `finger` on the way to `key`, and get nearer to it.
    pub(crate) fn nearest_for(&self, finger: P, key: RingId) -> Option<P> {
        let learned = self.learned.as_ref()?;
        let reach = reach(self.me.id(), finger)?;
        let nodes = learned.alternates.nodes.get(&reach).filter(|nodes| nodes.first() == Some(&finger))?;
        let way = distance(finger.id(), key);
        let precedes = |node: &&P| distance(finger.id(), node.id()) < way;
        let measured = |node: &P| learned.distances.mean(node.id()).map(|mean| (mean, *node));
        nodes.iter().filter(precedes).filter_map(measured).min_by_key(|(mean, _)| *mean).map(|(_, node)| node)
    }
}
