//! Any number of nodes in any number of rings, in one process: virtual nodes (ToN IV-B), and a second ring whose
//! points are market ids (CompuP2P's processor overlay, paper IV-B).

use crate::face::{Input, Output};
use crate::handle::Handle;
use crate::interval::distance;
use crate::node::Chord;
use proto::{RingId, Time};
use std::collections::{BTreeMap, BTreeSet};

/// The nodes that a host runs at most, in all rings together.
pub const MAX_PLACES_OF_HOST: usize = 65_536;

/// One node of a host: the ring, by whatever the host calls it, and the node's point in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct At<R> {
    /// The ring.
    pub ring: R,
    /// The node's id.
    pub id: RingId,
}

/// Why a node cannot be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// The host runs a node at this point of this ring.
    #[error("the host has a node at this place of the ring already")]
    Taken,
    /// The host runs [`MAX_PLACES_OF_HOST`] nodes.
    #[error("the host runs as many nodes as it may")]
    Full,
}

/// The nodes of one host. It has the face of a single node, with the place said beside each input and output.
///
/// What is sent between two nodes of the host comes out like everything else: whoever drives it has one way for all
/// messages, and one set of connections, since the nodes of a host have one address.
#[derive(Debug)]
pub struct Host<R, P> {
    nodes: BTreeMap<At<R>, Chord<P>>,
    due: BTreeSet<(Time, At<R>)>,
    armed: BTreeMap<At<R>, Time>,
    /// Nodes that may have outputs, in the order in which they were given inputs.
    talking: Vec<At<R>>,
}

impl<R, P> Default for Host<R, P> {
    fn default() -> Self {
        Self { nodes: BTreeMap::new(), due: BTreeSet::new(), armed: BTreeMap::new(), talking: Vec::new() }
    }
}

impl<R: Copy + Ord, P: Handle> Host<R, P> {
    /// Adds a node to a ring. It joins when it is told to.
    ///
    /// # Errors
    /// The place is taken, or the host is full.
    pub fn add(&mut self, ring: R, node: Chord<P>) -> Result<At<R>, HostError> {
        let at = At { ring, id: node.me().id() };
        if self.nodes.contains_key(&at) {
            return Err(HostError::Taken);
        }
        if self.nodes.len() >= MAX_PLACES_OF_HOST {
            return Err(HostError::Full);
        }
        self.nodes.insert(at, node);
        self.stir(at);
        Ok(at)
    }

    /// Takes a node out, whatever it is doing. To leave in order it gets [`Input::Leave`] first.
    pub fn remove(&mut self, at: At<R>) -> Option<Chord<P>> {
        let node = self.nodes.remove(&at)?;
        self.disarm(at);
        self.talking.retain(|other| *other != at);
        Some(node)
    }

    /// Gives a node an input. What is for a place that the host does not have is ignored.
    pub fn handle(&mut self, at: At<R>, input: Input<P>, now: Time) {
        if let Some(node) = self.nodes.get_mut(&at) {
            node.handle(input, now);
            self.stir(at);
        }
    }

    /// Looks a key up in a ring, from the own node that is nearest before it. False if the host has no member there.
    pub fn look_up(&mut self, ring: R, token: u64, key: RingId, now: Time) -> bool {
        let nearest = self
            .places(ring)
            .filter(|(_, node)| node.is_member())
            .min_by_key(|(_, node)| way(node, key))
            .map(|(at, _)| at);
        if let Some(at) = nearest {
            self.handle(at, Input::Lookup { token, key }, now);
        }
        nearest.is_some()
    }

    /// The deadlines that have come.
    pub fn handle_timeouts(&mut self, now: Time) {
        while let Some((_, at)) = self.due.first().copied().filter(|(due, _)| *due <= now) {
            self.disarm(at);
            self.handle(at, Input::Timeout, now);
        }
    }

    /// The next thing that a node wants done or known; drain after every input.
    pub fn poll_output(&mut self) -> Option<(At<R>, Output<P>)> {
        loop {
            let at = *self.talking.first()?;
            if let Some(output) = self.nodes.get_mut(&at).and_then(Chord::poll_output) {
                return Some((at, output));
            }
            self.talking.remove(0);
        }
    }

    /// When [`Host::handle_timeouts`] is due.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Time> {
        self.due.first().map(|(due, _)| *due)
    }

    /// One node.
    #[must_use]
    pub fn node(&self, at: At<R>) -> Option<&Chord<P>> {
        self.nodes.get(&at)
    }

    /// The nodes of the host in a ring, by their points.
    pub fn places(&self, ring: R) -> impl Iterator<Item = (At<R>, &Chord<P>)> {
        let first = At { ring, id: RingId([0; 20]) };
        let last = At { ring, id: RingId([0xFF; 20]) };
        self.nodes.range(first..=last).map(|(at, node)| (*at, node))
    }

    /// The own node that answers for a key in a ring, if one does.
    #[must_use]
    pub fn responsible(&self, ring: R, key: RingId) -> Option<At<R>> {
        self.places(ring).find(|(_, node)| answers(node, key)).map(|(at, _)| at)
    }

    /// A node may have something to say, and another deadline.
    fn stir(&mut self, at: At<R>) {
        let due = self.nodes.get(&at).and_then(Chord::poll_timeout);
        if self.armed.get(&at).copied() != due {
            self.disarm(at);
            if let Some(due) = due {
                self.armed.insert(at, due);
                self.due.insert((due, at));
            }
        }
        if !self.talking.contains(&at) {
            self.talking.push(at);
        }
    }

    fn disarm(&mut self, at: At<R>) {
        if let Some(due) = self.armed.remove(&at) {
            self.due.remove(&(due, at));
        }
    }
}

/// How far it is from a node to a key; nothing for a node that answers for it.
fn way<P: Handle>(node: &Chord<P>, key: RingId) -> RingId {
    if answers(node, key) { RingId::default() } else { distance(node.me().id(), key) }
}

/// Whether a node answers for a key.
fn answers<P: Handle>(node: &Chord<P>, key: RingId) -> bool {
    node.range().is_some_and(|range| range.contains(key))
}
