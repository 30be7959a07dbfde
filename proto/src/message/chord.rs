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
    Pong,
    /// Asks where the arc begins that the node answers for.
    ArcQuery
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

/// A recursive lookup on its way. Whoever takes it over answers with [`Pong`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route<P = Peer> {
    /// The number of whoever passes it on.
    pub request: RequestId,
    /// Who wants to know.
    pub origin: P,
    /// The number by which that node recognises the answer.
    pub errand: RequestId,
    /// What is looked up.
    pub key: RingId,
    /// How many nodes it has been passed on to.
    pub hops: u32,
    /// How many nodes on the way did not take it over.
    pub timeouts: u32,
}

/// The answer to a recursive lookup, from the key's predecessor to whoever wants to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Routed<P = Peer> {
    /// The asker's number.
    pub errand: RequestId,
    /// The node that answers for the key.
    pub owner: P,
    /// How many nodes have passed it on.
    pub hops: u32,
    /// How many nodes on the way did not take it over.
    pub timeouts: u32,
}

/// A node and the arc that it answers for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<P = Peer> {
    /// The node.
    pub node: P,
    /// Where its arc begins: the id of its predecessor.
    pub after: RingId,
}

/// A node has a new arc. Whoever hears of it tells those that it knows up to a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Announce<P = Peer> {
    /// The node and its arc.
    pub place: Place<P>,
    /// Up to where the receiver is to pass it on, that point not included.
    pub until: RingId,
}

/// "This is what I know of the ids that begin with certain digits: where do we differ?"
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compare {
    /// The asker's number.
    pub request: RequestId,
    /// The first of these ids.
    pub start: RingId,
    /// How many hexadecimal digits they share.
    pub digits: u32,
    /// The digest of the members whose next digit is 0, 1, … 15.
    pub digests: Vec<u64>,
}

/// Where two nodes differ in what they know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compared<P = Peer> {
    /// The asker's number.
    pub request: RequestId,
    /// One bit for each next digit whose members differ, the lowest for 0.
    pub differing: u32,
    /// All members with the shared digits that the answering node knows, if they are few.
    pub places: Vec<Place<P>>,
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

/// Where the arc begins that a node answers for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArcReply<P = Peer> {
    /// The asker's number.
    pub request: RequestId,
    /// The predecessor, if one is known.
    pub predecessor: Option<P>,
    /// The last point before the arc.
    pub after: RingId,
}

/// "I may be your predecessor."
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notify {}

/// "Between you and me lies this node", to a node that may take the sender for its successor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nearer<P = Peer> {
    /// The node between.
    pub node: P,
}

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
    Route(Route<P>),
    Routed(Routed<P>),
    Announce(Announce<P>),
    Compare(Compare),
    Compared(Compared<P>),
    ArcQuery(ArcQuery),
    ArcReply(ArcReply<P>),
    Nearer(Nearer<P>),
}
