//! The successor list.

use crate::handle::Handle;
use crate::interval::distance;
use proto::RingId;

/// The nodes that follow, nearest first.
///
/// A list of `r` entries is *full*. A shorter one *wraps*: after its last entry comes the node itself, so the
/// list names everybody the node knows of. A ring of one holds the node itself.
///
/// A full list whose dead head is dropped is not shortened but padded with `last + 1`, the one value that can
/// skip nobody (Zave 2017). Pads are no nodes; they stand only at the end, so a count is enough. To others a
/// padded list is shown without its pads, and a list that wraps with the node itself at its end: whoever reads a
/// short list without its owner knows that pads follow.
#[derive(Clone, Debug)]
pub(crate) struct Successors<P> {
    me: P,
    limit: u16,
    pads: u16,
    peers: Vec<P>,
}

impl<P: Handle> Successors<P> {
    /// The list of a ring of one.
    pub(crate) fn alone(me: P, limit: usize) -> Self {
        Self { me, limit: short(limit), pads: 0, peers: vec![me] }
    }

    /// The list of a node that is followed by `head`, which has shown `tail`.
    pub(crate) fn behind(me: P, limit: usize, head: P, tail: &[P]) -> Self {
        Self::read(me, limit, std::iter::once(&head).chain(tail), Self::is_open(head, tail))
    }

    /// The list of a node that takes the place between `predecessor` and the first of the list that this one has
    /// shown.
    pub(crate) fn after(me: P, limit: usize, predecessor: P, list: &[P]) -> Self {
        Self::read(me, limit, list, Self::is_open(predecessor, list))
    }

    /// A list of nodes of whom it is not known whether they follow each other; padded unless it `wraps`.
    pub(crate) fn guessed(me: P, limit: usize, peers: &[P], wraps: bool) -> Self {
        Self::read(me, limit, peers, !wraps)
    }

    /// Whether a list that `owner` has shown does not end because it wraps.
    fn is_open(owner: P, list: &[P]) -> bool {
        list.last().is_none_or(|last| last.id() != owner.id())
    }

    /// The first `limit` entries, cut where they wrap: at the node itself, at a repetition, or at whatever else does
    /// not lie further on. What is missing at the end of an open list that was not cut is padded.
    fn read<'a>(me: P, limit: usize, entries: impl IntoIterator<Item = &'a P>, is_open: bool) -> Self
    where
        P: 'a,
    {
        let mut peers: Vec<P> = Vec::with_capacity(limit);
        let mut reached = RingId::default();
        let mut is_cut = false;
        for peer in entries.into_iter().take(limit) {
            let way = distance(me.id(), peer.id());
            is_cut = way <= reached;
            if is_cut {
                break;
            }
            reached = way;
            peers.push(*peer);
        }
        if peers.is_empty() {
            return Self::alone(me, limit);
        }
        let pads = if is_open && !is_cut { limit - peers.len() } else { 0 };
        Self { me, limit: short(limit), pads: short(pads), peers }
    }

    /// The list as others see it.
    pub(crate) fn shown(&self) -> Vec<P> {
        let end = (self.wraps() && !self.is_alone()).then_some(self.me);
        self.peers.iter().copied().chain(end).collect()
    }

    /// Bytes on the heap.
    pub(crate) fn footprint(&self) -> usize {
        self.peers.capacity() * size_of::<P>()
    }

    pub(crate) fn peers(&self) -> &[P] {
        &self.peers
    }

    pub(crate) fn head(&self) -> P {
        self.peers.first().copied().unwrap_or(self.me)
    }

    pub(crate) fn last(&self) -> P {
        self.peers.last().copied().unwrap_or(self.me)
    }

    pub(crate) fn is_alone(&self) -> bool {
        self.head().id() == self.me.id()
    }

    /// Whether fewer than `r` others are named.
    pub(crate) fn wraps(&self) -> bool {
        self.is_alone() || self.peers.len() + usize::from(self.pads) < usize::from(self.limit)
    }

    /// The ids of all entries, pads included.
    pub(crate) fn ids(&self) -> impl Iterator<Item = RingId> {
        let pads = std::iter::successors(Some(self.last().id()), |id| Some(id.plus_power(0)));
        self.peers.iter().map(P::id).chain(pads.skip(1).take(usize::from(self.pads)))
    }

    /// Drops the dead head. False when no node is left.
    pub(crate) fn drop_head(&mut self) -> bool {
        let is_full = !self.wraps();
        if !self.peers.is_empty() {
            self.peers.remove(0);
            self.pads += u16::from(is_full);
        }
        !self.peers.is_empty()
    }
}

/// A length of a list: [`crate::Config::list_length`] is far below the limit.
fn short(length: usize) -> u16 {
    u16::try_from(length).unwrap_or(u16::MAX)
}
