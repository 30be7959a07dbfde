//! The successor list.

use crate::interval::distance;
use proto::{Peer, RingId};

/// The nodes that follow, nearest first.
///
/// A list of `r` entries is *full*. A shorter one *wraps*: after its last entry comes the node itself, so the
/// list names everybody the node knows of. A ring of one holds the node itself.
///
/// A full list whose dead head is dropped is not shortened but padded with `last + 1`, the one value that can
/// skip nobody (Zave 2017). Pads are no nodes; they stand only at the end, and only until the stabilize step
/// that made them is complete, so a count is enough.
#[derive(Clone, Debug)]
pub(crate) struct Successors {
    me: Peer,
    limit: usize,
    peers: Vec<Peer>,
    pads: usize,
}

impl Successors {
    /// The list of a ring of one.
    pub(crate) fn alone(me: Peer, limit: usize) -> Self {
        Self { me, limit, peers: vec![me], pads: 0 }
    }

    /// The first `limit` of `entries`, cut where they wrap: at the node itself, at a repetition, or at whatever
    /// else does not lie further on.
    pub(crate) fn of(me: Peer, limit: usize, entries: impl IntoIterator<Item = Peer>) -> Self {
        let mut reached = RingId::default();
        let mut is_further = |peer: &Peer| {
            let way = distance(me.id(), peer.id());
            let is_further = way > reached;
            reached = way;
            is_further
        };
        let peers: Vec<Peer> = entries.into_iter().take_while(|peer| is_further(peer)).take(limit).collect();
        if peers.is_empty() { Self::alone(me, limit) } else { Self { me, limit, peers, pads: 0 } }
    }

    pub(crate) fn peers(&self) -> &[Peer] {
        &self.peers
    }

    pub(crate) fn head(&self) -> Peer {
        self.peers.first().copied().unwrap_or(self.me)
    }

    pub(crate) fn last(&self) -> Peer {
        self.peers.last().copied().unwrap_or(self.me)
    }

    pub(crate) fn is_alone(&self) -> bool {
        self.head().id() == self.me.id()
    }

    pub(crate) fn is_padded(&self) -> bool {
        self.pads > 0
    }

    /// Whether fewer than `r` others are named.
    pub(crate) fn wraps(&self) -> bool {
        self.is_alone() || self.peers.len() + self.pads < self.limit
    }

    /// The ids of all entries, pads included.
    pub(crate) fn ids(&self) -> impl Iterator<Item = RingId> {
        let pads = std::iter::successors(Some(self.last().id()), |id| Some(id.plus_power(0)));
        self.peers.iter().map(Peer::id).chain(pads.skip(1).take(self.pads))
    }

    /// Fills a list from which one entry is missing.
    pub(crate) fn pad(&mut self) {
        if self.peers.len() + self.pads < self.limit {
            self.pads += 1;
        }
    }

    /// Drops the dead head. False when no node is left.
    pub(crate) fn drop_head(&mut self) -> bool {
        let is_full = !self.wraps();
        if !self.peers.is_empty() {
            self.peers.remove(0);
            self.pads += usize::from(is_full);
        }
        !self.peers.is_empty()
    }
}
