//! Whatever strangers say to a node and to a bank: both go on with their work, and what they keep for strangers
//! has bounds.

use super::books::Books;
use super::generate::{Generate, damaged};
use super::network::{Network, until};
use super::server::Server;
use super::stranger::{EXCHANGE, FETCH, FOLLOW, Heard, Said, Stranger, encoded, framed, message};
use super::work::Slow;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use prost::Message as _;
use proto::message::chord::{ChordMessage, Ping};
use proto::wire::{MAX_MESSAGE, Wire as _, v1};
use proto::{Message, RequestId};
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use tokio::task::JoinSet;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// Random contents of each kind for each method.
const ROUNDS: usize = 12;
/// Valid messages that nobody asked for, in how many streams, to each server.
const MESSAGES: usize = 600;
const STREAMS: usize = 10;
/// Connections that say nothing: more than a server accepts (`src/net.rs`, `MAX_CONNECTIONS`).
const SILENT: usize = 700;
/// Addresses that one stranger claims, each with a question whose answer goes there: more than a node dials.
const CLAIMS: u32 = 3_000;
/// Sockets that a server may have at any time: 512 and 64 accepted, 512 dialled (`src/net.rs`, `src/net/server.rs`),
/// and a few of its own.
const MAX_SOCKETS: usize = 512 + 64 + 512 + 32;
/// Sockets of a server with which no stranger is connected.
const FEW_SOCKETS: usize = 32;
/// Memory that all of this may cost a server for good, in KiB: more than twice what was seen, and a third of what
/// so many connections with full windows of 256 KiB would take.
const MAX_GROWTH: u64 = 96 << 10;
/// How long the ring may take to be in order again, in seconds.
const HEALS_WITHIN: u64 = 15;

#[test]
fn whatever_strangers_say_node_and_bank_go_on_and_keep_little_of_it() {
    let network = Network::start(3);
    network.check_ring(HEALS_WITHIN);
    let servers = [network.bank_server(), network.server(0)];
    let before = servers.each_ref().map(Server::resident);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut random = TestRunner::deterministic();
    for server in &servers {
        runtime.block_on(check_methods(server, &mut random));
        runtime.block_on(check_messages(server, &mut random));
        check_plain(server, &mut random);
        runtime.block_on(check_silent(server));
        runtime.block_on(check_claims(server));
    }
    drop(runtime);
    for (server, before) in servers.iter().zip(before) {
        check_bounds(server, before);
    }
    check_work(&network);
}

/// A value of `strategy`.
fn pick<S: Strategy>(random: &mut TestRunner, strategy: &S) -> S::Value {
    strategy.new_tree(random).expect("a value").current()
}

fn bytes(longest: usize) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..longest)
}

/// Protocol Buffers that are well-formed and have fields of any number and type.
fn fields() -> impl Strategy<Value = Vec<u8>> {
    let number = || 1_u32..20;
    let field = prop_oneof![
        (number(), any::<u64>())
            .prop_map(|(number, value)| [varint(u64::from(number << 3)), varint(value)].concat()),
        (number(), any::<[u8; 8]>()).prop_map(|(number, value)| [
            &varint(u64::from(number << 3 | 1))[..],
            &value
        ]
        .concat()),
        (number(), any::<[u8; 4]>()).prop_map(|(number, value)| [
            &varint(u64::from(number << 3 | 5))[..],
            &value
        ]
        .concat()),
        (number(), bytes(80)).prop_map(|(number, value)| delimited(number, &value)),
        (number(), number(), bytes(40))
            .prop_map(|(outer, inner, value)| delimited(outer, &delimited(inner, &value))),
    ];
    prop::collection::vec(field, 0..8).prop_map(|fields| fields.concat())
}

fn delimited(number: u32, value: &[u8]) -> Vec<u8> {
    [&varint(u64::from(number << 3 | 2))[..], &varint(value.len() as u64), value].concat()
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    bytes.push(value.to_le_bytes()[0]);
    bytes
}

/// What is said to one method, each with a name. `first` is a proper beginning: the greeting, where there is one.
fn contents(random: &mut TestRunner, first: &[u8], proper: &[u8]) -> Vec<(&'static str, Said)> {
    let said = |rest: Vec<u8>| Said::new([first.to_vec(), rest]);
    let mut all = vec![
        ("nothing", Said::new([])),
        ("half of a beginning", Said::new([proper[..proper.len() / 2].to_vec()])),
        (
            "a frame that is announced with 4 GiB",
            said([&[0], &u32::MAX.to_be_bytes()[..], &[0; 9_000]].concat()),
        ),
        ("a frame above the limit", said(framed(&vec![0; MAX_MESSAGE + 65]))),
        ("a frame that says that it is compressed", said([1, 0, 0, 0, 2, 8, 1].to_vec())),
        ("an empty frame", said(framed(&[]))),
    ];
    let frame = damaged(Message::strategy().prop_map(|said| message(&said).encode_to_vec()));
    // What is a message all the same may be answered.
    let frame = frame.prop_filter("no message any more", |frame| !is_message(frame)).boxed();
    for _ in 0..ROUNDS {
        all.push(("random bytes", said(pick(random, &bytes(4_000)))));
        all.push(("a frame of random bytes", said(framed(&pick(random, &bytes(4_000))))));
        all.push(("a frame of wrong fields", said(framed(&pick(random, &fields())))));
        all.push(("a damaged message", said(framed(&pick(random, &frame)))));
    }
    all
}

/// Whether a damaged frame still holds a message.
fn is_message(frame: &[u8]) -> bool {
    let body = v1::Frame::decode(frame).ok().and_then(|frame| frame.body);
    match body {
        Some(v1::frame::Body::Message(message)) => Message::from_pb(message).is_ok(),
        _ => false,
    }
}

/// Everything that is no proper request, to every method and to two that do not exist.
async fn check_methods(server: &Server, random: &mut TestRunner) {
    let schema = include_str!("../../proto/schema/compup2p/v1/node.proto");
    assert_eq!(schema.matches("\n  rpc ").count(), 3, "a method is missing here");
    let stranger = Stranger::new(90);
    let greeting = encoded(&stranger.hello(unspecified(1), 4_000));
    let open = v1::FetchOpen { hash: vec![7; 32], size: 9, sender: None, pass: None };
    let open = v1::FetchSaid { body: Some(v1::fetch_said::Body::Open(open)) };
    let request = framed(&open.encode_to_vec());
    let hello = v1::FollowHello { records: 0, head: Vec::new(), epoch: u64::MAX };
    let hello = v1::FollowSaid { body: Some(v1::follow_said::Body::Hello(hello)) };
    let hello = framed(&hello.encode_to_vec());
    // What would take a bank over, said with another key than its own.
    let heard = stranger.visit(HERE, server.address).await.call(FOLLOW, Said::new([hello.clone()])).await;
    assert_eq!(heard.status.as_deref(), Some("7"), "only the bank's key follows: {heard:?}");
    for (path, first, proper) in [
        (EXCHANGE, &greeting, &greeting),
        (EXCHANGE, &Vec::new(), &greeting),
        (FETCH, &Vec::new(), &request),
        (FOLLOW, &Vec::new(), &hello),
    ] {
        for (what, said) in contents(random, first, proper) {
            let heard = stranger.visit(HERE, server.address).await.call(path, said).await;
            check_refused(path, what, first.is_empty(), &heard);
        }
    }
    for path in ["/compup2p.v1.Node/Nothing", "/"] {
        let heard = stranger.visit(HERE, server.address).await.call(path, Said::new([request.clone()])).await;
        assert_eq!(heard.status.as_deref(), Some("12"), "{path} is not there: {heard:?}");
    }
    for half in [&greeting[..0], &greeting[..9]] {
        let half = Said::new([half.to_vec()]).and_nothing_more();
        let heard = stranger.visit(HERE, server.address).await.call(EXCHANGE, half).await;
        assert_eq!(heard.status.as_deref(), Some("4"), "the deadline of a greeting: {heard:?}");
    }
}

/// What is no message gets no message for an answer. Without a greeting it does not get one either.
#[track_caller]
fn check_refused(path: &str, what: &str, is_ungreeted: bool, heard: &Heard) {
    let said = |body: &Option<v1::frame::Body>| matches!(body, Some(v1::frame::Body::Message(_)));
    let messages = heard.frames.iter().filter(|frame| said(&frame.body)).count();
    assert_eq!(messages, 0, "{path}, {what}: {heard:?}");
    let is_refused = heard.status.as_deref().is_none_or(|status| status != "0");
    assert!(!is_ungreeted || is_refused && heard.frames.is_empty(), "{path}, {what}: {heard:?}");
}

/// Valid messages of every kind, with numbers that nobody has given, from somebody who greets properly.
async fn check_messages(server: &Server, random: &mut TestRunner) {
    let mut streams = JoinSet::new();
    let said = Message::strategy();
    for number in 0..STREAMS {
        let stranger = Stranger::new(100 + u8::try_from(number).expect("few streams"));
        let mut pieces = vec![encoded(&stranger.hello(unspecified(1), u16::try_from(number).expect("few")))];
        pieces.extend((0..MESSAGES).map(|_| encoded(&message(&pick(random, &said)))));
        let address = server.address;
        streams.spawn(
            async move { stranger.visit(HERE, address).await.call(EXCHANGE, Said::new(pieces)).await },
        );
    }
    for heard in streams.join_all().await {
        assert!(!heard.frames.is_empty(), "a proper greeting is answered: {heard:?}");
    }
    check_sockets(server);
}

/// Bytes on the bare connection; the answer is for `channel.rs` to look at.
fn check_plain(server: &Server, random: &mut TestRunner) {
    let client_hello: &[u8] = &[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3];
    for _ in 0..ROUNDS {
        for start in [&[][..], client_hello] {
            let mut stream = TcpStream::connect(server.address).expect("the server listens");
            // The server may have closed before all was said.
            let _ = stream.write_all(&[start, &pick(random, &bytes(4_000))].concat());
        }
    }
    check_sockets(server);
}

/// Many connections that say nothing, bare ones and such that have shown a key.
async fn check_silent(server: &Server) {
    let bare: Vec<TcpStream> =
        (0..SILENT).map(|_| TcpStream::connect(server.address).expect("the server listens")).collect();
    check_sockets(server);
    drop(bare);
    let stranger = Stranger::new(91);
    let mut visits = Vec::new();
    for _ in 0..SILENT {
        visits.push(stranger.visit(HERE, server.address).await);
    }
    check_sockets(server);
}

/// Somebody claims one address after the other, where somebody accepts and says nothing, and asks from each.
async fn check_claims(server: &Server) {
    let mute = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).expect("a free port");
    let port = mute.local_addr().expect("an address").port();
    let stranger = Stranger::new(92);
    let question = message(&Message::Chord(ChordMessage::Ping(Ping { request: RequestId(1) })));
    let claims = (0..CLAIMS).flat_map(|number| {
        let [_, a, b, c] = number.to_be_bytes();
        let address = SocketAddr::from((Ipv4Addr::new(127, a + 1, b, c), port));
        [encoded(&stranger.hello(address, 0)), encoded(&question)]
    });
    let said = Said::new([claims.collect::<Vec<_>>().concat()]);
    let heard = stranger.visit(HERE, server.address).await.call(EXCHANGE, said);
    let heard = tokio::spawn(heard);
    until("all claims are heard and given up", 30, || {
        check_sockets(server);
        let sockets = server.sockets();
        let is_over = heard.is_finished() && sockets <= FEW_SOCKETS;
        if is_over { Ok(()) } else { Err(format!("{sockets} sockets")) }
    });
    let heard = heard.await.expect("it is waited for");
    let messages = heard.frames.len() - 1;
    assert_eq!(messages, 0, "answers go to the address that is claimed: {heard:?}");
    assert_eq!(heard.status.as_deref(), Some("0"), "it is heard to its end: {heard:?}");
}

#[track_caller]
fn check_sockets(server: &Server) {
    let sockets = server.sockets();
    assert!(sockets <= MAX_SOCKETS, "{} has {sockets} sockets", server.name);
}

/// Everything that was sent has been read, and nothing of it is kept.
fn check_bounds(server: &Server, before: u64) {
    until("all is read, and the strangers are forgotten", 60, || {
        let (sockets, waiting) = (server.sockets(), server.unread());
        if sockets <= FEW_SOCKETS && waiting == 0 {
            Ok(())
        } else {
            Err(format!("{} has {sockets} sockets, {waiting} bytes are not read", server.name))
        }
    });
    let grown = server.resident().saturating_sub(before);
    println!("{}: {before} KiB before, {grown} KiB more after", server.name);
    assert!(grown <= MAX_GROWTH, "{} has grown by {grown} KiB, from {before}", server.name);
}

/// The ring is in order, a lookup ends, work is bought and paid.
fn check_work(network: &Network) {
    network.check_ring(HEALS_WITHIN);
    let check = network.check(0);
    assert!(check.is_closed && check.nodes == network.count() && check.defects.is_empty(), "{check:?}");
    for node in 0..network.count() {
        let status = network.status(node);
        assert_eq!((status.working, status.unanswered_orders), (0, 0), "{status:?}");
        network.look_up(node, "anything");
    }
    network.submit(0, &[Slow { name: "slow", count: 3, millions: 1, price: 10 }]);
    let task = network.wait(0, 0);
    assert_eq!((task.state.as_str(), task.count("succeeded")), ("succeeded", 3), "{task:?}");
    Books::when_nothing_is_held(network, 5).check_payments(0, &task);
}

fn unspecified(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::UNSPECIFIED, port))
}
