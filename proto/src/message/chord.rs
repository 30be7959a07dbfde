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
pub struct FoundNode<P = Peer> {
    /// The asker's number.
    pub request: RequestId,
    /// The node that answers for the key.
    pub owner: P,
}

/// The answer that carries a lookup on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloserNodes<P = Peer> {
    /// The asker's number.
    pub request: RequestId,
    /// Nodes that precede the key, the nearest to it first.
    pub peers: Vec<P>,
}

/// Predecessor and successor list of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateReply<P = Peer> {
    /// The asker's number.
    pub request: RequestId,
    /// The predecessor, if one is known.
    pub predecessor: Option<P>,
    /// The successor list, nearest first.
    pub successors: Vec<P>,
}

/// "I may be your predecessor."
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notify {}

/// "I leave", to the predecessor and to the successor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaving<P = Peer> {
    /// The leaving node's predecessor.
    pub predecessor: Option<P>,
    /// The leaving node's successor list.
    pub successors: Vec<P>,
}

/// A message of the ring. `P` is how it names nodes: by their whole places, or in a simulator by a handle.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is documented at its payload")]
pub enum ChordMessage<P = Peer> {
    FindNext(FindNext),
    FoundNode(FoundNode<P>),
    CloserNodes(CloserNodes<P>),
    StateQuery(StateQuery),
    StateReply(StateReply<P>),
    Busy(Busy),
    Notify(Notify),
    Ping(Ping),
    Pong(Pong),
    Leaving(Leaving<P>),
}
