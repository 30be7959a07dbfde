//! How a node names the others.

use proto::message::overlay::Stand;
use proto::{Peer, RingId};
use std::fmt::Debug;

/// A name for a node: its whole place on real nodes, a number in a simulator of millions.
pub trait Handle: Copy + Eq + Debug {
    /// The node's point on the circle; the same at every call.
    fn id(&self) -> RingId;
}

impl Handle for Peer {
    fn id(&self) -> RingId {
        Self::id(self)
    }
}

impl Handle for Stand {
    fn id(&self) -> RingId {
        self.point()
    }
}
