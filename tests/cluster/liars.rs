//! Whoever claims a place in the ring that is not its own, and whoever takes a place and never answers.

use super::books::Books;
use super::network::{Network, until};
use super::stranger::{EXCHANGE, Said, Stranger, encoded, message};
use super::work::Slow;
use proto::message::bank::{BankMessage, Enter};
use proto::message::chord::{ChordMessage, Leaving, Notify, Ping};
use proto::wire::v1;
use proto::{Message, Peer, PublicKey, RequestId, RingId, Rules};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use tokio::runtime::Runtime;

/// How long the ring may take to be in order, in seconds: a silent neighbour is asked three times, each a second.
const HEALS_WITHIN: u64 = 15;
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

/// Says `first` as the first frame to the bank and to a node; both refuse it with `words`.
#[track_caller]
fn check_refused(network: &Network, first: &v1::Frame, words: &str) {
    let stranger = Stranger::new(80);
    for address in [network.bank_address(), network.address(0)] {
        let said = Said::new([encoded(first)]);
        let heard = async { stranger.visit(HERE, address).await.call(EXCHANGE, said).await };
        let heard = Runtime::new().expect("a runtime").block_on(heard);
        let told = heard.message.replace("%20", " ");
        assert_eq!((heard.status.as_deref(), told.as_str()), (Some("9"), words), "{heard:?}");
    }
}

#[test]
fn whoever_claims_a_place_that_it_cannot_have_is_refused_with_a_reason() {
    let network = Network::start(3);
    let (own, other) = (Stranger::new(80), Stranger::new(81));
    let address = SocketAddr::new(HERE, 1);
    let limit = Rules::LOCAL.slot_limit;
    for slot in [limit, u16::MAX] {
        let words = format!("it claims the slot {slot}, an address has {limit} from 0 on");
        check_refused(&network, &own.hello(address, slot), &words);
    }
    let words = format!("it claims the key {:#}, the channel's is {:#}", other.key(), own.key());
    check_refused(&network, &other.hello(address, 0), &words);
    check_refused(&network, &message(&ping()), "it did not greet first");
}

#[test]
fn whoever_claims_the_place_of_a_member_gets_no_answers_and_cannot_send_it_away() {
    let network = Network::start(3);
    network.check_ring(HEALS_WITHIN);
    let liar = Stranger::new(82);
    let place = network.place(1);
    let said = |times: usize| {
        let leaving =
            Message::Chord(ChordMessage::Leaving(Leaving { predecessor: None, successors: vec![] }));
        let notify = Message::Chord(ChordMessage::Notify(Notify {}));
        let lies = [leaving, notify, ping()].map(|lie| encoded(&message(&lie))).concat();
        Said::new([encoded(&liar.hello(place.addr, place.slot)), lies.repeat(times)])
    };
    let runtime = Runtime::new().expect("a runtime");
    for victim in [0, 2] {
        let address = network.address(victim);
        let call = |from: IpAddr, said: Said| {
            runtime.block_on(async { liar.visit(from, address).await.call(EXCHANGE, said).await })
        };
        let heard = call(ELSEWHERE, said(20));
        assert_eq!(heard.frames.len(), 1, "only the greeting: {heard:?}");
        let reason = format!("the key there is {:#}", place.key);
        until("the answer was tried where the place is", 10, || {
            let log = network.log(victim);
            if log.contains(&reason) { Ok(()) } else { Err(log) }
        });
        call(HERE, said(20));
        assert_eq!(network.check(victim).defects, Vec::<String>::new(), "at once, and without a change");
    }
    network.check_ring(HEALS_WITHIN);
}

#[test]
fn a_ring_does_without_a_node_that_takes_a_place_and_never_answers() {
    let mut network = Network::start(4);
    network.check_ring(HEALS_WITHIN);
    // Whoever dials it is accepted and hears nothing.
    let mute = TcpListener::bind((HERE, 0)).expect("a free port");
    let address = mute.local_addr().expect("an address");
    let liar = Stranger::new(83);
    let slot = slot_before(&network, address, liar.key());
    let hello = encoded(&liar.hello(address, slot));
    let enter = Enter { request: RequestId(1), listen: address, slot: Some(slot), is_member: true };
    let enter = encoded(&message(&Message::Bank(BankMessage::Enter(enter))));
    let notify = encoded(&message(&Message::Chord(ChordMessage::Notify(Notify {}))));
    let runtime = Runtime::new().expect("a runtime");
    let mut calls = Vec::new();
    let servers = (0..network.count()).map(|node| (network.address(node), &notify));
    for (server, said) in servers.chain([(network.bank_address(), &enter)]) {
        let said = Said::new([[&hello[..], said].concat()]).and_nothing_more();
        let mut visit = runtime.block_on(liar.visit(HERE, server));
        calls.push((runtime.spawn(visit.call(EXCHANGE, said)), visit));
    }
    until("it is taken for a predecessor", 10, || {
        let status = network.status(0);
        let liar = liar.key().to_string();
        if status.predecessor.as_ref().is_some_and(|peer| peer.starts_with(&liar)) {
            Ok(())
        } else {
            Err(format!("{status:?}"))
        }
    });
    network.check_ring(HEALS_WITHIN);
    // A newcomer is given it as a contact.
    network.kill(3);
    network.restart(3);
    network.check_ring(HEALS_WITHIN);
    (0..network.count()).for_each(|node| assert!(!network.look_up(node, "anything").is_empty()));
    network.submit(0, &[Slow { name: "slow", count: 3, millions: 1, price: 10 }]);
    let task = network.wait(0, 0);
    assert_eq!((task.state.as_str(), task.count("succeeded")), ("succeeded", 3), "{task:?}");
    Books::when_nothing_is_held(&network, 5).check_payments(0, &task);
    assert!(calls.iter().any(|(call, _)| !call.is_finished()), "it was there all the time");
}

fn ping() -> Message {
    Message::Chord(ChordMessage::Ping(Ping { request: RequestId(7) }))
}

/// A slot whose place lies between node 0 and its predecessor.
fn slot_before(network: &Network, address: SocketAddr, key: PublicKey) -> u16 {
    let id = |node: usize| network.place(node).id();
    let is_free = |place: RingId| {
        let way = |from: RingId| chord::interval::distance(from, id(0));
        (1..network.count()).all(|node| way(place) < way(id(node)))
    };
    let found = (0..Rules::LOCAL.slot_limit).find(|slot| is_free(Peer::new(address, *slot, key).id()));
    found.expect("one of 4,096 places lies there")
}
