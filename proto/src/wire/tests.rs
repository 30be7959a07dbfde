use super::*;
use crate::id::{CommandId, Hash, Peer, RequestId};
use crate::key::KeyPair;
use crate::message::bank::{BankCommand, BankMessage, BankRequest, Order};
use crate::message::chord::{ChordMessage, FindNext, StateReply};
use crate::message::market::{HandOver, Handed, HandedOver, Listing, MarketMessage, Platform};
use crate::message::service::{Outcome, Report, ServiceMessage};
use crate::quantity::{Bytes, Capacity, Cycles};
use crate::rules::{Placement, PricingRule};
use crate::signed::Signed;
use crate::{Bundle, Market, Rate, RingId, Span, Time};

fn peer() -> Peer {
    Peer::new("127.0.0.1:7740".parse().unwrap(), 7, KeyPair::from_secret([7; 32]).public())
}

fn listing() -> Listing {
    let per_core = Capacity(1_000);
    Listing {
        seller: peer(),
        version: 4,
        market: Market::of_capacity(per_core),
        cores: 1,
        per_core,
        ask: Rate(5),
        memory: Bytes::gib(1),
        disk: Bytes::gib(2),
        platform: Platform { os: "linux".into(), ..Platform::default() },
        longest: Span::secs(60),
        standing: None,
        whole: Bundle { cores: 2, memory: Bytes::gib(1), disk: Bytes::gib(2) },
        expires: Time(9),
    }
}

fn check(message: &Message) {
    assert_eq!(Message::decode(&message.encode()).as_ref(), Ok(message));
}

#[test]
fn messages_are_read_back_as_they_were() {
    check(&Message::Chord(ChordMessage::FindNext(FindNext { request: RequestId(3), key: RingId([9; 20]) })));
    let (predecessor, successors) = (Some(peer()), vec![peer(), peer()]);
    check(&Message::Chord(ChordMessage::StateReply(StateReply {
        request: RequestId(0),
        predecessor,
        successors,
    })));
    let keys = KeyPair::from_secret([1; 32]);
    let handed = Handed {
        listing: Signed::new(listing(), &keys),
        sold: Bundle { cores: 3, memory: Bytes(7), disk: Bytes(0) },
    };
    let listings = vec![handed.clone(), handed];
    let hand_over = HandOver { request: RequestId(7), listings, is_last: true };
    check(&Message::Market(MarketMessage::HandOver(Box::new(hand_over))));
    check(&Message::Market(MarketMessage::HandedOver(HandedOver { request: RequestId(7) })));
    let order = Order::OpenAccount(Box::default());
    let command = Signed::new(BankCommand { id: CommandId([1; 16]), bank: keys.public(), order }, &keys);
    check(&Message::Bank(BankMessage::Request(Box::new(BankRequest { command }))));
    for outcome in [
        Outcome::Succeeded,
        Outcome::Exited(-3),
        Outcome::WallLimit(Span::secs(3)),
        Outcome::OutputMissing("a/b".into()),
        Outcome::Abandoned("owner is back".into()),
    ] {
        let report = Report {
            contract: CommandId([2; 16]),
            offer: Hash([3; 32]),
            outcome,
            cycles: Cycles(12),
            outputs: vec![],
            stdout: None,
            stderr: None,
            more: vec![],
        };
        check(&Message::Service(ServiceMessage::Report(Box::new(Signed::new(report, &keys)))));
    }
}

#[test]
fn what_a_founder_chose_keeps_its_number() {
    let number = |rules: crate::Rules| (rules.to_pb().rule, rules.to_pb().placement);
    let rules = crate::Rules::PUBLIC;
    assert_eq!(number(rules), (1, 1));
    use PricingRule::{FirstPrice, MaxMin, Posted, Uniform, Vcg, Vickrey};
    for (rule, expected) in [(Vickrey, 1), (FirstPrice, 2), (MaxMin, 3), (Posted, 4), (Uniform, 5), (Vcg, 6)]
    {
        assert_eq!(number(crate::Rules { rule, ..rules }), (expected, 1));
    }
    assert_eq!(number(crate::Rules { placement: Placement::Processor, ..rules }), (1, 2));
}

#[test]
fn a_wrong_field_is_named_with_its_path() {
    let mut pb = v1::StateReply { request: 1, predecessor: None, successors: vec![peer().to_pb()] };
    pb.successors[0].ip = vec![1, 2, 3];
    let error = StateReply::<Peer>::from_pb(pb).unwrap_err();
    assert_eq!(error.to_string(), "field `successors.ip` has to be 4 or 16 bytes");
    let error = Message::decode(&[]).unwrap_err();
    assert_eq!(error.to_string(), "field `` has to hold one of its messages");
}

#[test]
fn a_changed_body_is_not_genuine() {
    let keys = KeyPair::from_secret([1; 32]);
    let order = Order::OpenAccount(Box::default());
    let mut command = Signed::new(BankCommand { id: CommandId([1; 16]), bank: keys.public(), order }, &keys);
    assert!(command.is_genuine_by(keys.public()));
    command.body.id = CommandId([2; 16]);
    assert!(!command.is_genuine());
}
