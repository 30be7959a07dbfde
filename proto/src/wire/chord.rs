//! The ring's messages on the wire.

use super::{wire_oneof, wire_struct};
use crate::message::chord::{
    Announce, ArcQuery, ArcReply, Busy, ChordMessage, CloserNodes, Compare, Compared, FindNext, FoundNode,
    Leaving, Nearer, Notify, Ping, Place, Pong, Route, Routed, StateQuery, StateReply,
};

wire_struct!(FindNext => FindNext { request, key });
wire_struct!(FoundNode => FoundNode { request, owner });
wire_struct!(CloserNodes => CloserNodes { request, peers });
wire_struct!(StateQuery => StateQuery { request });
wire_struct!(StateReply => StateReply { request, predecessor, successors });
wire_struct!(Busy => Busy { request });
wire_struct!(Notify => Notify {});
wire_struct!(Nearer => Nearer { node });
wire_struct!(Ping => Ping { request });
wire_struct!(Pong => Pong { request });
wire_struct!(Leaving => Leaving { predecessor, successors });
wire_struct!(Route => Route { request, origin, errand, key, hops, timeouts });
wire_struct!(Routed => Routed { errand, owner, hops, timeouts });
wire_struct!(Place => Place { node, after });
wire_struct!(Announce => Announce { place, until });
wire_struct!(Compare => Compare { request, start, digits, digests });
wire_struct!(ArcQuery => ArcQuery { request });
wire_struct!(ArcReply => ArcReply { request, predecessor, after });
wire_struct!(Compared => Compared { request, differing, places });

wire_oneof!(ChordMessage => ChordMessage . body in chord_message::Body {
    FindNext = FindNext, FoundNode = FoundNode, CloserNodes = CloserNodes, StateQuery = StateQuery,
    StateReply = StateReply, Busy = Busy, Notify = Notify, Ping = Ping, Pong = Pong, Leaving = Leaving, Route = Route,
    Routed = Routed, Announce = Announce, Compare = Compare, Compared = Compared,
    ArcQuery = ArcQuery, ArcReply = ArcReply, Nearer = Nearer,
});
