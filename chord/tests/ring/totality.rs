//! Whatever arrives, a node does not fail, keeps its invariants, and answers within bounds. With
//! `PROPTEST_CASES=100000` it goes on for longer.

use crate::world::local;
use chord::{
    Chord, Config, Input, MAX_CLOSER, MAX_DELAYED, MAX_LOOKUPS, MAX_PLACES, Output, Patience, Routing, Style,
};
use proptest::prelude::*;
use proto::key::PublicKey;
use proto::message::chord::{
    Announce, ArcQuery, ArcReply, Busy, ChordMessage, CloserNodes, Compare, Compared, FindNext, FoundNode,
    Leaving, Nearer, Notify, Ping, Place, Pong, Route, Routed, StateQuery, StateReply,
};
use proto::{Peer, Range, RequestId, RingId, Time};

/// What happens to the node. Numbers of requests are meant relative to the last one that the node has used.
#[derive(Clone, Debug)]
enum Happening {
    Input(Input),
    Receive { from: Peer, message: ChordMessage, back: Option<usize> },
    Later(u64),
}

/// One of twelve peers; number 0 is the node itself.
fn peer() -> impl Strategy<Value = Peer> {
    (0_u16..12).prop_map(at)
}

fn at(number: u16) -> Peer {
    Peer::new(format!("10.3.0.{number}:7000").parse().unwrap(), number, PublicKey([3; 32]))
}

fn message() -> impl Strategy<Value = ChordMessage> {
    let peers = || prop::collection::vec(peer(), 0..14);
    let request = RequestId(0);
    let key = || prop_oneof![peer().prop_map(|peer| peer.id()), any::<[u8; 20]>().prop_map(RingId)];
    let place = || (peer(), key()).prop_map(|(node, after)| Place { node, after });
    let route = (peer(), key(), 0_u32..70, any::<u32>()).prop_map(move |(origin, key, hops, timeouts)| {
        let errand = RequestId(1);
        ChordMessage::Route(Route { request, origin, errand, key, hops, timeouts })
    });
    let routed = (peer(), any::<u32>(), any::<u32>()).prop_map(|(owner, hops, timeouts)| {
        ChordMessage::Routed(Routed { errand: RequestId(1), owner, hops, timeouts })
    });
    let compare = (key(), 0_u32..200, prop::collection::vec(any::<u64>(), 14..18)).prop_map(
        move |(start, digits, digests)| ChordMessage::Compare(Compare { request, start, digits, digests }),
    );
    let compared = (any::<u32>(), prop::collection::vec(place(), 0..80))
        .prop_map(move |(differing, places)| ChordMessage::Compared(Compared { request, differing, places }));
    let ring = prop_oneof![
        key().prop_map(move |key| ChordMessage::FindNext(FindNext { request, key })),
        peer().prop_map(move |owner| ChordMessage::FoundNode(FoundNode { request, owner })),
        peers().prop_map(move |peers| ChordMessage::CloserNodes(CloserNodes { request, peers })),
        Just(ChordMessage::StateQuery(StateQuery { request })),
        (prop::option::of(peer()), peers()).prop_map(move |(predecessor, successors)| {
            ChordMessage::StateReply(StateReply { request, predecessor, successors })
        }),
        Just(ChordMessage::Busy(Busy { request })),
        Just(ChordMessage::Notify(Notify {})),
        peer().prop_map(|node| ChordMessage::Nearer(Nearer { node })),
        Just(ChordMessage::Ping(Ping { request })),
        Just(ChordMessage::Pong(Pong { request })),
        (prop::option::of(peer()), peers()).prop_map(|(predecessor, successors)| {
            ChordMessage::Leaving(Leaving { predecessor, successors })
        }),
    ];
    let shortcuts = prop_oneof![
        2 => route,
        2 => routed,
        2 => (place(), key()).prop_map(|(place, until)| ChordMessage::Announce(Announce { place, until })),
        1 => compare,
        2 => compared,
        1 => Just(ChordMessage::ArcQuery(ArcQuery { request })),
        2 => (prop::option::of(peer()), key()).prop_map(move |(predecessor, after)| {
            ChordMessage::ArcReply(ArcReply { request, predecessor, after })
        }),
    ];
    prop_oneof![2 => ring, 1 => shortcuts]
}

/// Ways of finding the owner, all that there are.
fn routing() -> impl Strategy<Value = Routing> {
    let style = prop_oneof![Just(Style::Iterative), Just(Style::Recursive)];
    let patience = prop_oneof![Just(Patience::Fixed), Just(Patience::Adaptive)];
    let proximity = prop_oneof![Just(0_usize), Just(3), Just(1_000)];
    let room = || prop_oneof![Just(0_usize), Just(4), Just(1_000)];
    (style, 0_usize..9, patience, proximity, room(), room()).prop_map(
        |(style, parallel, patience, proximity, cache, view)| Routing {
            style,
            parallel,
            patience,
            proximity,
            cache,
            view,
        },
    )
}

fn happening() -> impl Strategy<Value = Happening> {
    let input = prop_oneof![
        Just(Input::Create),
        prop::collection::vec(peer(), 0..20).prop_map(|via| Input::Join { via }),
        peer().prop_map(|peer| Input::Unreachable { peer }),
        (any::<u64>(), any::<[u8; 20]>()).prop_map(|(token, key)| Input::Lookup { token, key: RingId(key) }),
        Just(Input::Timeout),
    ];
    prop_oneof![
        3 => input.prop_map(Happening::Input),
        8 => (peer(), message(), prop::option::of(0_usize..4))
            .prop_map(|(from, message, back)| Happening::Receive { from, message, back }),
        3 => (0_u64..600_000).prop_map(Happening::Later),
        1 => Just(Happening::Input(Input::Leave)),
    ]
}

/// The number of a question that the node has asked.
fn number(message: &ChordMessage) -> Option<RequestId> {
    match message {
        ChordMessage::FindNext(FindNext { request, .. })
        | ChordMessage::StateQuery(StateQuery { request })
        | ChordMessage::Route(Route { request, .. })
        | ChordMessage::Compare(Compare { request, .. })
        | ChordMessage::ArcQuery(ArcQuery { request })
        | ChordMessage::Ping(Ping { request }) => Some(*request),
        _ => None,
    }
}

/// `message` as the answer to `request`.
fn answering(request: RequestId, message: ChordMessage) -> ChordMessage {
    match message {
        ChordMessage::FoundNode(answer) => ChordMessage::FoundNode(FoundNode { request, ..answer }),
        ChordMessage::CloserNodes(answer) => ChordMessage::CloserNodes(CloserNodes { request, ..answer }),
        ChordMessage::StateReply(answer) => ChordMessage::StateReply(StateReply { request, ..answer }),
        ChordMessage::Busy(_) => ChordMessage::Busy(Busy { request }),
        ChordMessage::Pong(_) => ChordMessage::Pong(Pong { request }),
        ChordMessage::ArcReply(answer) => ChordMessage::ArcReply(ArcReply { request, ..answer }),
        ChordMessage::Compared(answer) => ChordMessage::Compared(Compared { request, ..answer }),
        other => other,
    }
}

fn check_list(message: &ChordMessage) {
    match message {
        ChordMessage::CloserNodes(answer) => assert!(answer.peers.len() <= MAX_CLOSER),
        ChordMessage::StateReply(answer) => assert!(answer.successors.len() <= 4),
        ChordMessage::Compared(answer) => assert!(answer.places.len() <= MAX_PLACES),
        _ => {}
    }
}

proptest! {
    #[test]
    fn no_history_makes_a_node_fail_or_forget_its_invariants(
        routing in routing(),
        history in prop::collection::vec(happening(), 1..120),
    ) {
        let mut now = Time(1);
        let mut node = Chord::new(Config { routing, ..local(4) }, at(0), [9; 32], now);
        let mut errand = RequestId(1);
        let mut asked: Vec<(Peer, RequestId)> = Vec::new();
        let (mut lookups, mut ended) = (0, 0);
        let mut arc: Option<Range> = None;
        for happening in history {
            match happening {
                Happening::Later(span) => {
                    now = Time(now.0 + span);
                    node.handle(Input::Timeout, now);
                    prop_assert!(node.poll_timeout().is_none_or(|due| due > now));
                }
                Happening::Input(input) => {
                    lookups += usize::from(matches!(input, Input::Lookup { .. }));
                    node.handle(input, now);
                }
                Happening::Receive { from, message, back } => {
                    let known = back.and_then(|back| asked.iter().rev().nth(back)).copied();
                    let (from, message) =
                        known.map_or((from, message.clone()), |(to, request)| (to, answering(request, message)));
                    let message = match message {
                        ChordMessage::Routed(answer) => ChordMessage::Routed(Routed { errand, ..answer }),
                        other => other,
                    };
                    node.handle(Input::Receive { from, message }, now);
                }
            }
            prop_assert_eq!(node.check(), Ok(()));
            let outputs: Vec<Output> = std::iter::from_fn(|| node.poll_output()).collect();
            prop_assert!(outputs.len() <= MAX_DELAYED + MAX_LOOKUPS + 16, "{} outputs", outputs.len());
            for output in outputs {
                match output {
                    Output::Send { to, message } => {
                        prop_assert_ne!(to.id(), node.me().id());
                        if let ChordMessage::Route(route) = &message {
                            errand = route.errand;
                        }
                        check_list(&message);
                        asked.extend(number(&message).map(|request| (to, request)));
                    }
                    Output::Found { .. } | Output::NotFound { .. } => ended += 1,
                    Output::RangeChanged { range, heir, .. } => {
                        let has_heir = range.after != node.me().id() && arc.is_some();
                        prop_assert_eq!(heir.map(|heir| heir.id()), has_heir.then_some(range.after));
                        arc = Some(range);
                    }
                    Output::Left | Output::Isolated { .. } => arc = arc.filter(|_| node.is_member()),
                    _ => {}
                }
            }
            prop_assert_eq!(arc, node.range());
        }
        node.handle(Input::Leave, now);
        ended += std::iter::from_fn(|| node.poll_output())
            .filter(|output| matches!(output, Output::Found { .. } | Output::NotFound { .. }))
            .count();
        prop_assert_eq!(ended, lookups);
        prop_assert_eq!(node.poll_timeout(), None);
        prop_assert!(!node.is_member());
    }
}
