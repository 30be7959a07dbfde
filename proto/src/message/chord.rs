//! Messages of the ring (Chord, ToN 2003, as corrected by Zave, TSE 2017).

use crate::id::{Peer, RequestId, RingId};

macro_rules! request_only {
    ($($(#[$doc:meta])* $name:ident),*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name {
            /// The asker's number for it.
            pub request: RequestId,
        }
    )*};
}

request_only!(
    /// Asks for predecessor and successor list.
    StateQuery,
    /// "Alive, in the middle of a step; the answer follows."
    Busy,
    /// Asks whether the node lives.
    Ping,
    /// It lives.
    Pong
);

/// One step of an iterative lookup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FindNext {
    /// The asker's number for it.
    pub request: RequestId,
    /// What is looked up.
    pub key: RingId,
}

/// The answer that ends a lookup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FoundNode {
    /// The asker's number.
    pub request: RequestId,
    /// The node that answers for the key.
    pub owner: Peer,
}

/// The answer that carries a lookup on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloserNodes {
    /// The asker's number.
    pub request: RequestId,
    /// Nodes that precede the key, the nearest to it first.
    pub peers: Vec<Peer>,
}

/// Predecessor and successor list of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateReply {
    /// The asker's number.
    pub request: RequestId,
    /// The predecessor, if one is known.
    pub predecessor: Option<Peer>,
    /// The successor list, nearest first.
    pub successors: Vec<Peer>,
}

/// "I may be your predecessor."
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notify {}

/// "I leave", to the predecessor and to the successor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaving {
    /// The leaving node's predecessor.
    pub predecessor: Option<Peer>,
    /// The leaving node's successor list.
    pub successors: Vec<Peer>,
}

/// A message of the ring.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is documented at its payload")]
pub enum ChordMessage {
    FindNext(FindNext),
    FoundNode(FoundNode),
    CloserNodes(CloserNodes),
    StateQuery(StateQuery),
    StateReply(StateReply),
    Busy(Busy),
    Notify(Notify),
    Ping(Ping),
    Pong(Pong),
    Leaving(Leaving),
}
