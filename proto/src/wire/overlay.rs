//! The processor overlay's messages on the wire. Those of the ring that name nodes have a form of their own, since a
//! node is a market and an owner there.

use super::{wire_oneof, wire_struct};
use crate::message::chord::{
    Announce, ArcReply, ChordMessage, CloserNodes, Compared, FoundNode, Leaving, Nearer, Place, Route,
    Routed, StateReply,
};
use crate::message::overlay::{
    AskMembers, Enrol, Gone, Members, OverlayMessage, Seek, Sought, Stand, Talk, Unsure,
};

type StandFound = FoundNode<Stand>;
type StandCloser = CloserNodes<Stand>;
type StandState = StateReply<Stand>;
type StandNearer = Nearer<Stand>;
type StandLeaving = Leaving<Stand>;
type StandArc = ArcReply<Stand>;
type StandRoute = Route<Stand>;
type StandRouted = Routed<Stand>;
type StandPlace = Place<Stand>;
type StandAnnounce = Announce<Stand>;
type StandCompared = Compared<Stand>;
type StandMessage = ChordMessage<Stand>;

wire_struct!(Stand => Stand { market, owner });
wire_struct!(StandFound => StandFound { request, owner });
wire_struct!(StandCloser => StandCloser { request, peers });
wire_struct!(StandState => StandState { request, predecessor, successors });
wire_struct!(StandNearer => StandNearer { node });
wire_struct!(StandLeaving => StandLeaving { predecessor, successors });
wire_struct!(StandArc => StandArc { request, predecessor, after });
wire_struct!(StandRoute => StandRoute { request, origin, errand, key, hops, timeouts });
wire_struct!(StandRouted => StandRouted { errand, owner, hops, timeouts });
wire_struct!(StandPlace => StandPlace { node, after });
wire_struct!(StandAnnounce => StandAnnounce { place, until });
wire_struct!(StandCompared => StandCompared { request, differing, places });
wire_struct!(Talk => Talk { from, to, message });
wire_struct!(Gone => Gone { market });
wire_struct!(Seek => Seek { request, at_least });
wire_struct!(Sought => Sought { request, market });
wire_struct!(Unsure => Unsure { request });
wire_struct!(Enrol => Enrol { request, market });
wire_struct!(AskMembers => AskMembers { request, commodity });
wire_struct!(Members => Members { request, members, is_sure });

wire_oneof!(StandMessage => StandMessage . body in stand_message::Body {
    FindNext = FindNext, FoundNode = FoundNode, CloserNodes = CloserNodes, StateQuery = StateQuery,
    StateReply = StateReply, Busy = Busy, Notify = Notify, Ping = Ping, Pong = Pong, Leaving = Leaving, Route = Route,
    Routed = Routed, Announce = Announce, Compare = Compare, Compared = Compared,
    ArcQuery = ArcQuery, ArcReply = ArcReply, Nearer = Nearer,
});

wire_oneof!(OverlayMessage => OverlayMessage . body in overlay_message::Body {
    Talk = Talk, Gone = Gone, Seek = Seek, Sought = Sought, Unsure = Unsure, Enrol = Enrol, AskMembers = AskMembers,
    Members = Members,
});
