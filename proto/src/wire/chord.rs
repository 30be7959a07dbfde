//! The ring's messages on the wire.

use super::{wire_oneof, wire_struct};
use crate::message::chord::{
    Busy, ChordMessage, CloserNodes, FindNext, FoundNode, Leaving, Notify, Ping, Pong, StateQuery, StateReply,
};

wire_struct!(FindNext => FindNext { request, key });
wire_struct!(FoundNode => FoundNode { request, owner });
wire_struct!(CloserNodes => CloserNodes { request, peers });
wire_struct!(StateQuery => StateQuery { request });
wire_struct!(StateReply => StateReply { request, predecessor, successors });
wire_struct!(Busy => Busy { request });
wire_struct!(Notify => Notify {});
wire_struct!(Ping => Ping { request });
wire_struct!(Pong => Pong { request });
wire_struct!(Leaving => Leaving { predecessor, successors });

wire_oneof!(ChordMessage => ChordMessage . body in chord_message::Body {
    FindNext = FindNext, FoundNode = FoundNode, CloserNodes = CloserNodes, StateQuery = StateQuery,
    StateReply = StateReply, Busy = Busy, Notify = Notify, Ping = Ping, Pong = Pong, Leaving = Leaving,
});
