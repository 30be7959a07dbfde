//! The atlas: which node answers for which arc, as far as this node has heard.

use super::distances::any_key;
use crate::dice::Dice;
use crate::handle::Handle;
use crate::interval::is_within;
use proto::message::chord::Place;
use proto::{Range, RingId};
use std::collections::BTreeMap;
use std::ops::Bound;

/// How many nodes one word may declare gone: those that lie inside the arc that another claims.
const MAX_SWEPT: usize = 16;

/// Nodes and the arcs that end at them. What is known of an arc may be old: it is asked for before it is believed.
#[derive(Clone, Debug)]
pub(crate) struct Atlas<P> {
    limit: usize,
    nodes: BTreeMap<RingId, Place<P>>,
}

impl<P: Handle> Atlas<P> {
    /// Room for so many nodes.
    pub(crate) const fn new(limit: usize) -> Self {
        Self { limit, nodes: BTreeMap::new() }
    }

    /// `node` answers for what follows `after`. When there is no room, a node at random makes it. Whether that was
    /// news.
    pub(crate) fn learn(&mut self, node: P, after: RingId, dice: &mut Dice) -> bool {
        if self.limit == 0 {
            return false;
        }
        let id = node.id();
        if self.nodes.len() >= self.limit
            && !self.nodes.contains_key(&id)
            && let Some(victim) = any_key(&self.nodes, dice)
        {
            self.nodes.remove(&victim);
        }
        let place = Place { node, after };
        self.nodes.insert(id, place) != Some(place)
    }

    /// Forgets the nodes inside an arc, of which another says that it answers for it all.
    pub(crate) fn sweep(&mut self, arc: Range) {
        let gone: Vec<RingId> = self.inside(arc).map(|place| place.node.id()).take(MAX_SWEPT).collect();
        for id in gone.into_iter().filter(|id| *id != arc.until) {
            self.nodes.remove(&id);
        }
    }

    pub(crate) fn knows(&self, node: RingId) -> bool {
        self.nodes.contains_key(&node)
    }

    pub(crate) fn forget(&mut self, node: RingId) {
        self.nodes.remove(&node);
    }

    /// The node that answers for `key`, as far as is known.
    pub(crate) fn owner(&self, key: RingId) -> Option<P> {
        let place = self.nodes.range(key..).next().or_else(|| self.nodes.first_key_value());
        place.filter(|(id, place)| is_within(place.after, key, **id)).map(|(_, place)| place.node)
    }

    /// The known nodes of an arc, in its order.
    pub(crate) fn inside(&self, arc: Range) -> impl Iterator<Item = &Place<P>> {
        let goes_around = arc.after >= arc.until;
        let end = if goes_around { Bound::Unbounded } else { Bound::Included(arc.until) };
        let first = self.nodes.range((Bound::Excluded(arc.after), end));
        let second = goes_around.then(|| self.nodes.range(..=arc.until));
        first.chain(second.into_iter().flatten()).map(|(_, place)| place)
    }

    /// The known nodes from one point to another, both included, the first not after the second.
    pub(crate) fn between(&self, first: RingId, last: RingId) -> impl Iterator<Item = &Place<P>> {
        let last = last.max(first);
        self.nodes.range(first..=last).map(|(_, place)| place)
    }

    /// A known node at random.
    pub(crate) fn any(&self, dice: &mut Dice) -> Option<P> {
        any_key(&self.nodes, dice).and_then(|id| self.nodes.get(&id)).map(|place| place.node)
    }

    /// Whether another node would take the place of one.
    pub(crate) fn is_full(&self) -> bool {
        self.nodes.len() >= self.limit
    }

    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Bytes on the heap; the tree's own are estimated as half as much again.
    pub(crate) fn footprint(&self) -> usize {
        self.nodes.len() * size_of::<(RingId, Place<P>)>() * 3 / 2
    }
}
