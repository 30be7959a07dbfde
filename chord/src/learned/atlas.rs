//! The atlas: nodes, and the arcs that they answer for, as far as this node has heard.

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

/// Nodes and the arcs that end at them. All of it may be old or a lie: it says whom to ask first.
#[derive(Clone, Debug)]
pub(crate) struct Atlas<P> {
    limit: usize,
    nodes: BTreeMap<RingId, Known<P>>,
}

/// A node, and where its arc begins if that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Known<P> {
    node: P,
    after: Option<RingId>,
}

impl<P: Handle> Atlas<P> {
    /// Room for so many nodes.
    pub(crate) const fn new(limit: usize) -> Self {
        Self { limit, nodes: BTreeMap::new() }
    }

    /// `node` answers for what follows `after`. When there is no room, a node at random makes it. Whether that was
    /// news.
    pub(crate) fn learn(&mut self, node: P, after: RingId, dice: &mut Dice) -> bool {
        self.keep(Known { node, after: Some(after) }, dice)
    }

    /// `node` is there.
    pub(crate) fn meet(&mut self, node: P, dice: &mut Dice) {
        if self.nodes.get(&node.id()).is_none_or(|known| known.node != node) {
            self.keep(Known { node, after: None }, dice);
        }
    }

    fn keep(&mut self, known: Known<P>, dice: &mut Dice) -> bool {
        if self.limit == 0 {
            return false;
        }
        let id = known.node.id();
        if self.nodes.len() >= self.limit
            && !self.nodes.contains_key(&id)
            && let Some(victim) = any_key(&self.nodes, dice)
        {
            self.nodes.remove(&victim);
        }
        self.nodes.insert(id, known) != Some(known)
    }

    /// Forgets the nodes inside an arc, of which another says that it answers for it all.
    pub(crate) fn sweep(&mut self, arc: Range) {
        let gone: Vec<RingId> = self.inside(arc).map(|node| node.id()).take(MAX_SWEPT).collect();
        for id in gone.into_iter().filter(|id| *id != arc.until) {
            self.nodes.remove(&id);
        }
    }

    /// Whether the arc of a node is known.
    pub(crate) fn knows(&self, node: RingId) -> bool {
        self.nodes.get(&node).is_some_and(|known| known.after.is_some())
    }

    pub(crate) fn forget(&mut self, node: RingId) {
        self.nodes.remove(&node);
    }

    /// The node that answers for `key`, as far as is known.
    pub(crate) fn owner(&self, key: RingId) -> Option<P> {
        let next = self.nodes.range(key..).next().or_else(|| self.nodes.first_key_value());
        let answers =
            |id: RingId, known: &Known<P>| known.after.is_some_and(|after| is_within(after, key, id));
        next.filter(|(id, known)| answers(**id, known)).map(|(_, known)| known.node)
    }

    /// The nearest known node before `key`.
    pub(crate) fn before(&self, key: RingId) -> Option<P> {
        let last = self.nodes.range(..key).next_back().or_else(|| self.nodes.last_key_value());
        last.map(|(_, known)| known.node)
    }

    /// The known nodes of an arc, in its order.
    pub(crate) fn inside(&self, arc: Range) -> impl Iterator<Item = P> {
        let goes_around = arc.after >= arc.until;
        let end = if goes_around { Bound::Unbounded } else { Bound::Included(arc.until) };
        let first = self.nodes.range((Bound::Excluded(arc.after), end));
        let second = goes_around.then(|| self.nodes.range(..=arc.until));
        first.chain(second.into_iter().flatten()).map(|(_, known)| known.node)
    }

    /// The nodes whose arcs are known, from one point to another, both included, the first not after the second.
    pub(crate) fn between(&self, first: RingId, last: RingId) -> impl Iterator<Item = Place<P>> {
        let last = last.max(first);
        let place = |known: &Known<P>| Some(Place { node: known.node, after: known.after? });
        self.nodes.range(first..=last).filter_map(move |(_, known)| place(known))
    }

    /// A known node at random.
    pub(crate) fn any(&self, dice: &mut Dice) -> Option<P> {
        any_key(&self.nodes, dice).and_then(|id| self.nodes.get(&id)).map(|known| known.node)
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
        self.nodes.len() * size_of::<(RingId, Known<P>)>() * 3 / 2
    }
}
