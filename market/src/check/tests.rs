//! Known bugs put in: the checker has to see each of them.

use super::*;
use crate::matching::{Entry, Row};
use crate::owner::estate::Change;
use crate::{Config, Input, Slice, Supply, placement};
use proto::Placement;
use proto::message::market::{FindSeller, List, Listing, MarketMessage, Platform, Requirement};
use proto::{Bytes, Capacity, CommandId, KeyPair, Peer, Range, Rate, RequestId, RingId, Rules, Signed, Span};

const TICKET: CommandId = CommandId([1; 16]);
/// What the listings offer.
const ONE: Bundle = Bundle { cores: 1, memory: Bytes::gib(1), disk: Bytes::gib(1) };

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
        whole: ONE,
        expires: Time(9_000_000),
    };
    Signed::new(body, &keys(n))
}

/// Node 1 sells 4 cores, keeps listings of 2 and 3, and asks 2 to keep a slice for 4.
fn busy() -> Marketplace {
    let mut node =
        Marketplace::new(Config { rules: Rules::LOCAL, bank: None }, peer(1), keys(1), [0; 32], Time(0));
    let range = Range { after: RingId([0; 20]), until: RingId([0; 20]) };
    let supply = Supply {
        cores: 4,
        per_core: Capacity(500),
        asks: crate::Tariff::of_compute(Rate(5)),
        memory: Bytes::gib(1),
        disk: Bytes::gib(1),
        most_memory: Bytes::gib(1),
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
        tickets: vec![TICKET],
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

/// So many cores, and nothing else.
fn part(cores: u32) -> Bundle {
    Bundle { cores, ..Bundle::default() }
}

fn of_compute(seller: PublicKey) -> Spot {
    Spot { seller, commodity: proto::Commodity::Compute }
}

fn slice(cores: u32, until: u64) -> Slice {
    Slice { part: part(cores), buyer: peer(4).key, until: Some(Time(until)) }
}

#[test]
fn a_seller_that_does_not_look_what_is_free_is_seen() {
    let keep = |node: &mut Marketplace| {
        node.seller.goods.slices.kept.insert(TICKET, slice(5, 9));
    };
    check(keep, &Violation::SoldTwice { held: part(5), ceiling: Bundle { cores: 4, ..ONE } });
}

#[test]
fn a_seller_that_forgets_to_subtract_what_is_reserved_is_seen() {
    let keep = |node: &mut Marketplace| {
        node.seller.goods.slices.kept.insert(TICKET, slice(3, 9));
    };
    check(keep, &Violation::WrongOffer { listed: Bundle { cores: 4, ..ONE }, free: ONE });
    let free = Bundle { cores: 4, ..ONE };
    check(|node| node.seller.stalls[0].listing = None, &Violation::WrongOffer { listed: part(0), free });
}

#[test]
fn a_seller_that_keeps_a_reservation_for_ever_is_seen() {
    let keep = |node: &mut Marketplace| {
        let reserved = node.seller.goods.slices.reserve(TICKET, peer(4).key, part(1), Time(0));
        assert!(reserved);
        node.seller.stalls[0].listing.as_mut().unwrap().body.cores = 3;
    };
    check(keep, &Violation::LateReservation);
}

#[test]
fn books_that_do_not_agree_are_seen() {
    let (market, seller) = (listing(2).body.market, peer(2).key);
    let (broken, spot) = (Violation::BrokenIndex { seller }, of_compute(seller));
    let number = |node: &Marketplace| node.owner.books.shelf.find(spot).unwrap();
    let unindexed = |node: &mut Marketplace| {
        node.owner.books.index.clear();
    };
    check(unindexed, &Violation::BrokenIndex { seller: first() });
    let twice = |node: &mut Marketplace| {
        let book = node.owner.books.index.entry(market).or_default();
        let (row, platform) = book.get(book.rows().next().unwrap().place()).unwrap();
        let row = Row { rate: Rate(1), ..*row };
        book.put(row, platform);
    };
    check(twice, &broken);
    let lost = |node: &mut Marketplace| {
        let number = number(node);
        node.owner.books.shelf.lose(number);
    };
    check(lost, &Violation::BrokenIndex { seller: PublicKey([0; 32]) });
    let untimed = |node: &mut Marketplace| {
        let number = number(node);
        node.owner.books.expiries.forget(number);
    };
    check(untimed, &broken);
    let repriced = |node: &mut Marketplace| {
        let number = number(node);
        node.owner.books.shelf.forge(number, |listing| listing.ask = Rate(7));
    };
    check(repriced, &broken);
    let oversold = |node: &mut Marketplace| {
        let third = node.owner.books.shelf.find(of_compute(peer(3).key)).unwrap();
        node.owner.books.sold.insert(third, part(1));
    };
    check(oversold, &Violation::BrokenIndex { seller: peer(3).key });
    let renamed = |node: &mut Marketplace| {
        let number = number(node);
        node.owner.books.shelf.forge(number, |listing| listing.platform.os = "linux".into());
    };
    check(renamed, &broken);
    let left = |node: &mut Marketplace| {
        node.owner.books.sold.insert(77, part(1));
    };
    check(left, &Violation::BrokenIndex { seller: PublicKey([0; 32]) });
}

/// Whose listing is checked first.
fn first() -> PublicKey {
    let node = busy();
    let number = node.owner.books.shelf.numbers().next().unwrap();
    node.owner.books.shelf.spot(number).unwrap().seller
}

#[test]
fn an_owner_that_does_not_purge_is_seen() {
    check(|node| node.now = Time(9_000_000), &Violation::LateListing { seller: first() });
}

#[test]
fn an_owner_that_keeps_what_it_has_lost_is_seen() {
    let market = listing(2).body.market;
    let arc = Range { after: placement::key(Placement::Single, market), until: RingId([0; 20]) };
    check(|node| node.owner.range = Some(arc), &Violation::OutsideRange { market });
    check(|node| node.owner.range = None, &Violation::OutsideRange { market });
}

#[test]
fn a_listing_in_the_wrong_place_is_seen() {
    let (market, seller) = (listing(2).body.market, peer(2).key);
    let aside = |node: &mut Marketplace| {
        let entry = node.owner.books.remove(of_compute(seller)).unwrap();
        node.owner.kept.insert(entry);
    };
    check(aside, &Violation::KeptAside { market });
    let below = Market { class: market.class - 1, ..market };
    let twice = |node: &mut Marketplace| {
        let arc = Range {
            after: placement::key(Placement::Single, below),
            until: placement::key(Placement::Single, market),
        };
        let mut older = listing(2);
        older.body.per_core = Capacity(1 << 40);
        older.body.market = requirement::market_of(&older.body);
        node.owner.range = Some(arc);
        node.owner.kept.insert(Entry {
            listing: older,
            sold: part(0),
            reputation: proto::Reputation::UNKNOWN,
            is_handed: true,
        });
    };
    check(twice, &Violation::BrokenIndex { seller });
}

#[test]
fn a_hand_over_without_an_end_is_seen() {
    let heir = peer(9);
    let late = |node: &mut Marketplace| {
        let arc = Range {
            after: placement::key(Placement::Single, listing(2).body.market),
            until: RingId([0; 20]),
        };
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
        node.owner.books.end_flight(of_compute(peer(2).key), part(1));
        node.owner.parked.insert(key, wish);
    };
    check(forgotten, &Violation::LateHandOver);
}

#[test]
fn an_owner_that_miscounts_what_is_being_sold_is_seen() {
    let (asked, idle) = (peer(2).key, peer(3).key);
    check(
        |node| node.owner.books.end_flight(of_compute(asked), part(1)),
        &Violation::WrongFlight { seller: asked },
    );
    check(
        |node| node.owner.books.start_flight(of_compute(asked), part(1)),
        &Violation::WrongFlight { seller: asked },
    );
    check(
        |node| node.owner.books.start_flight(of_compute(idle), part(1)),
        &Violation::WrongFlight { seller: idle },
    );
}

#[test]
fn a_match_that_nothing_will_end_is_seen() {
    check(|node| node.owner.due.clear(), &Violation::LostMatch);
    check(|node| node.owner.reserves.clear(), &Violation::LostMatch);
    let orphan = |node: &mut Marketplace| {
        node.owner.due.insert((Time(0).after(Span::secs(1)), RequestId(1)));
    };
    check(orphan, &Violation::LostMatch);
}

#[test]
fn a_purchase_that_waits_although_there_is_room_is_seen() {
    let wait = |node: &mut Marketplace| {
        let (requirement, bid) = (Requirement::default(), Rate(1));
        let order =
            crate::buyer::Order { token: 1, tickets: vec![TICKET], requirement, bid, avoid: Vec::new() };
        node.buyer.queue.push_back(order);
    };
    check(wait, &Violation::WrongQueue { active: 0, waiting: 1 });
}
