//! The arc that a node answers for.

use crate::handle::Handle;
use proto::{Range, RingId};

/// The predecessor, and the arc that follows from it.
///
/// When the predecessor dies and no other is known yet, the arc stays as it was: a part of the true one, so
/// nobody else's keys are claimed.
#[derive(Clone, Debug)]
pub(crate) struct Responsibility<P> {
    predecessor: Option<P>,
    range: Range,
}

impl<P: Handle> Responsibility<P> {
    /// Of the successor of `predecessor`.
    pub(crate) fn new(me: RingId, predecessor: P) -> Self {
        Self { predecessor: Some(predecessor), range: Range { after: predecessor.id(), until: me } }
    }

    pub(crate) fn predecessor(&self) -> Option<P> {
        self.predecessor
    }

    pub(crate) fn range(&self) -> Range {
        self.range
    }

    /// Whether `predecessor` is the one.
    pub(crate) fn follows(&self, peer: RingId) -> bool {
        self.predecessor.is_some_and(|known| known.id() == peer)
    }

    /// Takes another predecessor, and returns the arc if that changed.
    pub(crate) fn follow(&mut self, predecessor: P) -> Option<Range> {
        self.predecessor = Some(predecessor);
        let range = Range { after: predecessor.id(), ..self.range };
        (std::mem::replace(&mut self.range, range) != range).then_some(range)
    }

    /// Forgets the predecessor.
    pub(crate) fn lose(&mut self) {
        self.predecessor = None;
    }
}
