//! Known bugs put in: the checker has to see each of them.

use super::*;
use crate::matching::{Entry, Row};
use crate::owner::estate::Change;
use crate::{Config, Input, Slice, Supply, placement};
use proto::message::market::{FindSeller, List, Listing, MarketMessage, Platform, Requirement};
use proto::{Bytes, Capacity, CommandId, KeyPair, Peer, Range, Rate, RequestId, RingId, Rules, Signed, Span};

const TICKET: CommandId = CommandId([1; 16]);

fn keys(n: u8) -> KeyPair {
    KeyPair::from_secret([n; 32])
}

fn peer(n: u8) -> Peer {
    Peer::new(format!("10.0.0.{n}:7740").parse().unwrap(), 0, keys(n).public())
}

fn listing(n: u8) -> Signed<Listing> {
    let (cores, per_core) = (1, Capacity(1_000));
    let body = Listing {
        seller: peer(n),
        version: 1,
        market: requirement::market_of_power(cores, per_core),
        cores,
        per_core,
        ask: Rate(u64::from(n)),
        memory: Bytes::gib(1),
        disk: Bytes::gib(1),
        platform: Platform::default(),
        longest: proto::Span::secs(60),
        standing: None,
        whole: proto::Bundle::default(),
        expires: Time(9_000_000),
    };
    Signed::new(body, &keys(n))
}

/// Node 1 sells 4 cores, keeps listings of 2 and 3, and asks 2 to keep a slice for 4.
fn busy() -> Marketplace {
    let mut node = Marketplace::new(Config { rules: Rules::LOCAL }, peer(1), keys(1), [0; 32], Time(0));
    let range = Range { after: RingId([0; 20]), until: RingId([0; 20]) };
    let supply = Supply {
        cores: 4,
        per_core: Capacity(500),
        ask: Rate(5),
        memory: Bytes::gib(1),
        disk: Bytes::gib(1),
        platform: Platform::default(),
        longest: proto::Span::secs(60),
    };
    node.handle(Input::RangeChanged { range, heir: None, donor: None }, Time(0));
    node.handle(Input::Supply { supply: Some(supply) }, Time(0));
    for n in [2, 3] {
        let list = List { request: RequestId(1), listing: listing(n) };
        node.handle(Input::Receive { from: peer(n), message: MarketMessage::List(Box::new(list)) }, Time(0));
    }
    let find = FindSeller {
        request: RequestId(1),
        ticket: TICKET,
        from: listing(2).body.market,
        requirement: Requirement::default(),
        bid: Rate(9),
        avoid: Vec::new(),
    };
    node.handle(
        Input::Receive { from: peer(4), message: MarketMessage::FindSeller(Box::new(find)) },
        Time(0),
    );
    node
}

fn check(bug: impl FnOnce(&mut Marketplace), expected: &Violation) {
    let mut node = busy();
    assert_eq!(node.check(), Ok(()), "without the bug");
    bug(&mut node);
    assert_eq!(node.check().as_ref(), Err(expected));
}

fn slice(cores: u32, until: u64) -> Slice {
    Slice { cores, buyer: peer(4).key, until: Some(Time(until)) }
}

#[test]
fn a_seller_that_does_not_look_what_is_free_is_seen() {
    let keep = |node: &mut Marketplace| {
        node.seller.slices.kept.insert(TICKET, slice(5, 9));
    };
    check(keep, &Violation::SoldTwice { held: 5, ceiling: 4 });
}

#[test]
fn a_seller_that_forgets_to_subtract_what_is_reserved_is_seen() {
    let keep = |node: &mut Marketplace| {
        node.seller.slices.kept.insert(TICKET, slice(3, 9));
    };
    check(keep, &Violation::WrongOffer { listed: 4, free: 1 });
    check(|node| node.seller.listing = None, &Violation::WrongOffer { listed: 0, free: 4 });
}

#[test]
fn a_seller_that_keeps_a_reservation_for_ever_is_seen() {
    let keep = |node: &mut Marketplace| {
        let reserved = node.seller.slices.reserve(TICKET, peer(4).key, 1, Time(0));
        assert!(reserved);
        node.seller.listing.as_mut().unwrap().body.cores = 3;
    };
    check(keep, &Violation::LateReservation);
}

#[test]
fn books_that_do_not_agree_are_seen() {
    let (market, seller) = (listing(2).body.market, peer(2).key);
    let broken = Violation::BrokenIndex { seller };
    let unindexed = |node: &mut Marketplace| {
        node.owner.books.index.clear();
    };
    check(unindexed, &Violation::BrokenIndex { seller: *busy().owner.books.entries.keys().next().unwrap() });
    let twice = |node: &mut Marketplace| {
        let book = node.owner.books.index.entry(market).or_default();
        let (row, platform) = book.get(Rate(2), seller).unwrap();
        let row = Row { rate: Rate(1), ..*row };
        book.put(row, platform);
    };
    let last = [2, 3].map(|n| peer(n).key).into_iter().max().unwrap();
    check(twice, &Violation::BrokenIndex { seller: last });
    check(|node| drop(node.owner.books.entries.remove(&seller)), &broken);
    let untimed = |node: &mut Marketplace| {
        node.owner.books.expiries.retain(|(_, of)| *of != seller);
    };
    check(untimed, &broken);
    let repriced = |node: &mut Marketplace| {
        node.owner.books.entries.get_mut(&seller).unwrap().listing.body.ask = Rate(7);
    };
    check(repriced, &broken);
    let oversold = |node: &mut Marketplace| {
        node.owner.books.entries.get_mut(&peer(3).key).unwrap().sold = 1;
    };
    check(oversold, &Violation::BrokenIndex { seller: peer(3).key });
    let renamed = |node: &mut Marketplace| {
        let entry = node.owner.books.entries.get_mut(&seller).unwrap();
        entry.listing.body.platform.os = "linux".into();
    };
    check(renamed, &broken);
}

#[test]
fn an_owner_that_does_not_purge_is_seen() {
    let first = *busy().owner.books.entries.keys().next().unwrap();
    check(|node| node.now = Time(9_000_000), &Violation::LateListing { seller: first });
}

#[test]
fn an_owner_that_keeps_what_it_has_lost_is_seen() {
    let market = listing(2).body.market;
    let arc = Range { after: placement::key(market), until: RingId([0; 20]) };
    check(|node| node.owner.range = Some(arc), &Violation::OutsideRange { market });
    check(|node| node.owner.range = None, &Violation::OutsideRange { market });
}

#[test]
fn a_listing_in_the_wrong_place_is_seen() {
    let (market, seller) = (listing(2).body.market, peer(2).key);
    let aside = |node: &mut Marketplace| {
        let entry = node.owner.books.remove(seller).unwrap();
        node.owner.kept.insert(entry);
    };
    check(aside, &Violation::KeptAside { market });
    let below = Market { class: market.class - 1, ..market };
    let twice = |node: &mut Marketplace| {
        let arc = Range { after: placement::key(below), until: placement::key(market) };
        let mut older = listing(2);
        older.body.per_core = Capacity(1 << 40);
        older.body.market = requirement::market_of(&older.body);
        node.owner.range = Some(arc);
        node.owner.kept.insert(Entry { listing: older, sold: 0, is_handed: true });
    };
    check(twice, &Violation::BrokenIndex { seller });
}

#[test]
fn a_hand_over_without_an_end_is_seen() {
    let heir = peer(9);
    let late = |node: &mut Marketplace| {
        let arc = Range { after: placement::key(listing(2).body.market), until: RingId([0; 20]) };
        let change = Change { range: arc, heir: Some(heir), donor: None };
        node.owner.range_changed(peer(1), proto::Span::secs(4), change, Time(0));
        node.now = Time(3_000_000);
    };
    check(late, &Violation::LateHandOver);
    let forgotten = |node: &mut Marketplace| {
        let key = *node.owner.matches.keys().next().unwrap();
        let wish = node.owner.matches.remove(&key).unwrap().wish;
        node.owner.due.clear();
        node.owner.reserves.clear();
        node.owner.books.end_flight(peer(2).key, 1);
        node.owner.parked.insert(key, wish);
    };
    check(forgotten, &Violation::LateHandOver);
}

#[test]
fn an_owner_that_miscounts_what_is_being_sold_is_seen() {
    let (asked, idle) = (peer(2).key, peer(3).key);
    check(|node| node.owner.books.end_flight(asked, 1), &Violation::WrongFlight { seller: asked });
    check(|node| node.owner.books.start_flight(asked, 1), &Violation::WrongFlight { seller: asked });
    check(|node| node.owner.books.start_flight(idle, 1), &Violation::WrongFlight { seller: idle });
}

#[test]
fn a_match_that_nothing_will_end_is_seen() {
    check(|node| node.owner.due.clear(), &Violation::LostMatch);
    check(|node| node.owner.reserves.clear(), &Violation::LostMatch);
    let orphan = |node: &mut Marketplace| {
        node.owner.due.insert((Time(0).after(Span::secs(1)), (peer(9).key, TICKET)));
    };
    check(orphan, &Violation::LostMatch);
}

#[test]
fn a_purchase_that_waits_although_there_is_room_is_seen() {
    let wait = |node: &mut Marketplace| {
        let (requirement, bid) = (Requirement::default(), Rate(1));
        let order = crate::buyer::Order { token: 1, ticket: TICKET, requirement, bid, avoid: Vec::new() };
        node.buyer.queue.push_back(order);
    };
    check(wait, &Violation::WrongQueue { active: 0, waiting: 1 });
}
