//! What goes into a [`crate::Chord`] and what comes out of it.

use proto::message::chord::ChordMessage;
use proto::{Peer, Range, RingId};

/// Everything that can happen to a node of the ring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input<P = Peer> {
    /// Start a ring of one node. Ignored by a member.
    Create,
    /// Join the ring that the nodes in `via` know. A member stays what it is until the join has succeeded,
    /// and then changes its place in one step.
    Join {
        /// Contacts, tried in this order; at most [`crate::MAX_VIA`] of them.
        via: Vec<P>,
    },
    /// A message has arrived. The driver vouches for `from`.
    Receive {
        /// Who sent it.
        from: P,
        /// What was said.
        message: ChordMessage<P>,
    },
    /// The transport could not reach `peer`: the connection was refused or broke.
    Unreachable {
        /// The peer.
        peer: P,
    },
    /// These nodes are said to be members of the same ring: whoever runs the node hears of some from time to time,
    /// at random. If one of them belongs to another ring, which a partition has left or a mistake has founded, the
    /// two grow together. At most [`crate::MAX_VIA`] are looked at.
    Meet {
        /// Who.
        peers: Vec<P>,
    },
    /// Find the node that answers for `key`. Exactly one [`Output::Found`] or [`Output::NotFound`] follows.
    Lookup {
        /// The caller's name for this lookup.
        token: u64,
        /// What is looked up.
        key: RingId,
    },
    /// Leave the ring in order.
    Leave,
    /// The moment of [`crate::Chord::poll_timeout`] has come.
    Timeout,
}

/// Everything that a node of the ring wants done or known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output<P = Peer> {
    /// Send a message. Whether it arrives is nobody's promise.
    Send {
        /// To whom.
        to: P,
        /// What to say.
        message: ChordMessage<P>,
    },
    /// The node is a member now (also after [`Input::Create`]).
    Joined,
    /// The join has been given up. A node that was no member is none, and nothing of the try is left.
    JoinFailed {
        /// Why.
        reason: JoinFailure,
    },
    /// The node answers for this arc from now on. Whoever keeps records for it hands those of a lost part over to
    /// the heir, and whatever else may be the heir's; and expects those of a gained part from the donor.
    RangeChanged {
        /// The arc.
        range: Range,
        /// Who answers for what lies before the arc, and so for the part that was lost if one was: the new
        /// predecessor. None in a ring of one, and for a newcomer.
        heir: Option<P>,
        /// Who answered until now for what a newcomer has gained, as far as it knows: its successor. None when a
        /// part was gained because somebody is gone.
        donor: Option<P>,
    },
    /// A lookup has succeeded.
    Found {
        /// The caller's name for the lookup.
        token: u64,
        /// What was looked up.
        key: RingId,
        /// The node that answers for the key.
        owner: P,
        /// Whether the way from the key to the owner goes through zero: no node of the ring lies at or above the key. Where
        /// points are amounts, such as market ids, that means that nobody has so much.
        wraps: bool,
        /// How many nodes were asked until the key's predecessor was reached; the dead ones and the owner
        /// not counted (the convention of ToN Fig. 10).
        hops: u32,
        /// How many nodes on the way did not answer.
        timeouts: u32,
    },
    /// A lookup has failed.
    NotFound {
        /// The caller's name for the lookup.
        token: u64,
        /// What was looked up.
        key: RingId,
        /// Why.
        reason: LookupFailure,
    },
    /// Every node that this one knew has been found dead: Zave's assumption was broken, and the ring cannot
    /// repair this.
    ///
    /// A node whose short list told it that it knew the whole ring goes on as a ring of one
    /// ([`crate::Chord::is_member`] stays true); any other is no member any more. Either way the driver is to
    /// send [`Input::Join`] with contacts from the bootstrap server, again after [`Output::JoinFailed`], or
    /// [`Input::Create`] when nobody else is left.
    Isolated {
        /// Those who were asked last and did not answer. If it was this node's own connection that failed, they
        /// are there again after it.
        known: Vec<P>,
    },
    /// The node has left the ring and forgotten it.
    Left,
}

/// Why a join failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum JoinFailure {
    /// There was no contact but the node itself.
    #[error("there is no contact to join through")]
    NoContact,
    /// No contact led to a predecessor that answered.
    #[error("no contact led to the place in the ring")]
    NoAnswer,
    /// Another node holds this place in the ring.
    #[error("another node holds this place in the ring")]
    PlaceTaken,
}

/// Why a lookup failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum LookupFailure {
    /// The node is no member of a ring, or ceased to be one.
    #[error("the node is not a member of a ring")]
    NotMember,
    /// [`crate::MAX_LOOKUPS`] lookups are under way.
    #[error("too many lookups are under way")]
    TooMany,
    /// The lookup timeout has passed.
    #[error("nobody led to the key in time")]
    TimedOut,
    /// [`crate::MAX_HOPS`] nodes have answered and none was the last.
    #[error("the way to the key is too long")]
    TooManyHops,
}
