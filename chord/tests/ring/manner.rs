//! Nodes that others cannot count on.

use proto::message::chord::{ArcReply, ChordMessage, CloserNodes, FoundNode, Route, Routed};
use proto::{Peer, Span};

/// How a node answers that others cannot count on. It goes on asking and notifying as if nothing were wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Never.
    Mute,
    /// So much later than asked.
    Late(Span),
    /// Who looks something up hears that this node answers for every key itself, and the same when it asks again.
    OwnsAll,
    /// Who looks something up hears nothing.
    MuteInLookups,
    /// Who looks something up hears after so much time.
    LateInLookups(Span),
}

impl Manner {
    /// What a node of this manner sends for an honest message of its own: to whom, what, and how much later.
    pub(crate) fn of(self, me: Peer, to: Peer, message: ChordMessage) -> Option<(Peer, ChordMessage, Span)> {
        let is_of_lookup = match &message {
            ChordMessage::FoundNode(_) | ChordMessage::CloserNodes(_) | ChordMessage::Routed(_) => true,
            ChordMessage::ArcReply(_) => self == Self::OwnsAll,
            ChordMessage::Route(route) => route.origin != me,
            _ => false,
        };
        let is_spoilt = match self {
            Self::Mute | Self::Late(_) => is_answer(&message),
            Self::OwnsAll | Self::MuteInLookups | Self::LateInLookups(_) => is_of_lookup,
        };
        match (self, message) {
            (_, message) if !is_spoilt => Some((to, message, Span(0))),
            (Self::Mute | Self::MuteInLookups, _) => None,
            (Self::Late(late) | Self::LateInLookups(late), message) => Some((to, message, late)),
            (Self::OwnsAll, message) => own_all(me, to, message),
        }
    }
}

/// The answer to a lookup, with the node itself as the owner.
fn own_all(me: Peer, to: Peer, message: ChordMessage) -> Option<(Peer, ChordMessage, Span)> {
    let owner = me;
    let (to, lie) = match message {
        ChordMessage::Route(Route { origin, errand, hops, timeouts, .. }) => {
            (origin, ChordMessage::Routed(Routed { errand, owner, hops, timeouts }))
        }
        ChordMessage::Routed(answer) => (to, ChordMessage::Routed(Routed { owner, ..answer })),
        ChordMessage::ArcReply(answer) => {
            (to, ChordMessage::ArcReply(ArcReply { predecessor: None, after: me.id(), ..answer }))
        }
        ChordMessage::FoundNode(FoundNode { request, .. })
        | ChordMessage::CloserNodes(CloserNodes { request, .. }) => {
            (to, ChordMessage::FoundNode(FoundNode { request, owner }))
        }
        other => (to, other),
    };
    Some((to, lie, Span(0)))
}

const fn is_answer(message: &ChordMessage) -> bool {
    use ChordMessage::{ArcReply, Busy, CloserNodes, Compared, FoundNode, Pong, Routed, StateReply};
    matches!(
        message,
        FoundNode(_)
            | CloserNodes(_)
            | StateReply(_)
            | Busy(_)
            | Pong(_)
            | Routed(_)
            | ArcReply(_)
            | Compared(_)
    )
}
