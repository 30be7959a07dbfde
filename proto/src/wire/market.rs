//! The market's messages and papers on the wire.

use super::{wire_oneof, wire_struct};
use crate::Bundle;
use crate::message::market::{
    Delist, FindSeller, HandOver, Handed, HandedOver, List, Listed, Listing, MarketMessage, Matched,
    NoSeller, Platform, RefusedRequest, Requirement, Reserve, Reserved, Standing, Ticket, Unavailable,
};

wire_struct!(Platform => Platform { os, arch, native, release, layers });
wire_struct!(Standing => Standing { account, kept, broken, expires });
wire_struct!(Bundle => Bundle { cores, memory, disk });
wire_struct!(Listing => Listing {
    seller, version, market, cores, per_core, ask, memory, disk, platform, longest, standing, whole, expires,
});
wire_struct!(Requirement => Requirement {
    commodity, power, cores, memory, disk, os, arch, native, run_time, reputation, release, layers,
});
wire_struct!(Ticket => Ticket {
    id, buyer, owner, requirement, rule, bid, clearing, fee, asks_seen, winner, runner_up, expires, owner_rate, draw,
});
wire_struct!(List => List { request, listing });
wire_struct!(Listed => Listed { request, version });
wire_struct!(Delist => Delist { commodity, version });
wire_struct!(FindSeller => FindSeller { request, tickets, from, requirement, bid, avoid });
wire_struct!(Matched => Matched { request, tickets, missing });
wire_struct!(NoSeller => NoSeller { request, next, listings, too_dear, too_small, lowest_ask });
wire_struct!(RefusedRequest => RefusedRequest { request, refusal });
wire_struct!(Reserve => Reserve { request, tickets, commodity, version, slice, buyer });
wire_struct!(Reserved => Reserved { request, kept });
wire_struct!(Unavailable => Unavailable { request });
wire_struct!(Handed => Handed { listing, sold });
wire_struct!(HandOver => HandOver { request, listings, is_last });
wire_struct!(HandedOver => HandedOver { request });

wire_oneof!(MarketMessage => MarketMessage . body in market_message::Body {
    List = List, Listed = Listed, Delist = Delist, FindSeller = FindSeller, Matched = Matched,
    NoSeller = NoSeller, Refused = Refused, Reserve = Reserve, Reserved = Reserved, Unavailable = Unavailable,
    HandOver = HandOver, HandedOver = HandedOver, Survey = Survey, Surveyed = Surveyed,
});
