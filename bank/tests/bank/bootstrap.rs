//! The bootstrap registry: places, lapses, rivals, and the nodes that a newcomer is told.

use crate::world::{RULES, World, config, key, peer, refusal};
use bank::{ALIVE_FOR, Bank, Config, Input, PEERS_GIVEN};
use proto::message::bank::{BankMessage, Departed, Enter, Entered};
use proto::message::market::RefusedRequest;
use proto::{Hash, Peer, RefusalCode, RequestId, Rules, Span};
use std::collections::BTreeSet;

fn entering(listen: &str, slot: Option<u16>) -> Enter {
    Enter { request: RequestId(3), listen: listen.parse().unwrap(), slot, is_member: true }
}

/// Person `n`, seen at `ip`.
fn at(n: u8, ip: &str) -> Peer {
    Peer::new(format!("{ip}:999").parse().unwrap(), 0, key(n))
}

fn enter(world: &mut World, from: Peer, enter: Enter) -> Result<Entered, (RefusalCode, String)> {
    match world.ask(from, BankMessage::Enter(enter)) {
        BankMessage::Entered(entered) => Ok(*entered),
        BankMessage::Refused(RefusedRequest { request, refusal }) => {
            assert_eq!(request, RequestId(3));
            Err((refusal.code, refusal.message))
        }
        other => panic!("no answer to an entry: {other:?}"),
    }
}

/// The slot that person `n` gets at 10.0.0.1 on port 1,000 + `n`.
fn slot(world: &mut World, n: u8, wish: Option<u16>) -> Result<u16, (RefusalCode, String)> {
    let listen = format!("0.0.0.0:{}", 1_000 + u16::from(n));
    enter(world, at(n, "10.0.0.1"), entering(&listen, wish)).map(|entered| entered.you.slot)
}

fn limited(slot_limit: u16) -> World {
    let mut world = World::new();
    let config = Config { rules: Rules { slot_limit, ..RULES }, ..config() };
    world.bank = Bank::new(config, [7; 32], world.now);
    world
}

/// The slot from which a free one is looked for.
fn first_choice(n: u8, limit: u16) -> u16 {
    let [low, high, ..] = Hash::of(&key(n).0).0;
    u16::from_le_bytes([low, high]) % limit
}

#[test]
fn a_newcomer_is_told_its_place_the_rules_and_the_others() {
    let mut world = World::new();
    let first = enter(&mut world, at(1, "10.0.0.1"), entering("0.0.0.0:7000", None)).unwrap();
    let you = Peer::new("10.0.0.1:7000".parse().unwrap(), first_choice(1, 16), key(1));
    assert_eq!(first, Entered { request: RequestId(3), you, peers: vec![], rules: RULES });
    let second = enter(&mut world, at(2, "10.0.0.2"), entering("[::]:7000", None)).unwrap();
    assert_eq!(second.you.addr, "10.0.0.2:7000".parse().unwrap());
    assert_eq!(second.peers, [you]);
    let named = enter(&mut world, at(3, "10.0.0.3"), entering("192.0.2.3:7000", None)).unwrap();
    assert_eq!(named.you.addr, "192.0.2.3:7000".parse().unwrap());
}

#[test]
fn a_node_gets_the_slot_it_wishes_or_keeps_or_the_next_free_one() {
    let mut world = limited(4);
    assert_eq!(slot(&mut world, 1, Some(2)), Ok(2));
    assert_eq!(slot(&mut world, 1, None), Ok(2), "it keeps what it has");
    assert_eq!(slot(&mut world, 1, Some(2)), Ok(2), "its own is free for it");
    assert_eq!(slot(&mut world, 1, Some(3)), Ok(3), "it may move");
    assert_eq!(slot(&mut world, 2, Some(2)), Ok(2), "the former is free again");
    assert_eq!(slot(&mut world, 2, Some(3)), Ok(2), "what another has is not given");
    let start = first_choice(3, 4);
    let expected = (0..4).map(|step| (start + step) % 4).find(|slot| *slot < 2);
    assert_eq!(slot(&mut world, 3, Some(9)).ok(), expected, "a wish beyond the limit is no wish");
    let last = slot(&mut world, 4, Some(2)).unwrap();
    assert_eq!(Some(last), expected.map(|taken| 1 - taken));
    let full = refusal(RefusalCode::NoSlot, "all 4 places behind 10.0.0.1 are taken");
    assert_eq!(slot(&mut world, 5, Some(2)), Err(full.clone()));
    assert_eq!(slot(&mut world, 1, Some(2)), Ok(3), "who is in stays in");
    world.input(Input::Receive { from: at(2, "10.0.0.1"), message: BankMessage::Departed(Departed {}) });
    assert_eq!(slot(&mut world, 5, None), Ok(2));
    assert_eq!(slot(&mut world, 6, None), Err(full));
}

#[test]
fn a_network_without_slots_has_no_places() {
    let full = refusal(RefusalCode::NoSlot, "all 0 places behind 10.0.0.1 are taken");
    assert_eq!(slot(&mut limited(0), 1, Some(0)), Err(full));
}

#[test]
fn a_node_lapses_when_it_does_not_enter_again() {
    let mut world = limited(1);
    slot(&mut world, 1, None).unwrap();
    assert_eq!(world.bank.poll_timeout(), Some(world.now.after(ALIVE_FOR)));
    world.wait(Span(ALIVE_FOR.0 - 1));
    assert_eq!(slot(&mut world, 1, None), Ok(0));
    world.wait(Span(ALIVE_FOR.0 - 1));
    assert_eq!(world.bank.live_nodes().count(), 1);
    assert!(slot(&mut world, 2, None).is_err());
    world.wait(Span(1));
    assert_eq!(world.bank.live_nodes().count(), 0);
    assert_eq!(world.bank.poll_timeout(), None);
    assert_eq!(slot(&mut world, 2, None), Ok(0));
}

#[test]
fn an_address_belongs_to_one_live_node() {
    let mut world = World::new();
    let here = entering("10.0.0.1:7000", None);
    enter(&mut world, at(1, "10.0.0.1"), here).unwrap();
    let taken = refusal(RefusalCode::NotYours, "another node listens at 10.0.0.1:7000");
    assert_eq!(enter(&mut world, at(2, "10.0.0.1"), here), Err(taken.clone()));
    let mapped = entering("[::ffff:10.0.0.1]:7000", None);
    assert_eq!(enter(&mut world, at(2, "10.0.0.1"), mapped), Err(taken));
    assert!(enter(&mut world, at(2, "10.0.0.1"), entering("10.0.0.1:7001", None)).is_ok());
    world.wait(ALIVE_FOR);
    assert!(enter(&mut world, at(2, "10.0.0.1"), here).is_ok());
}

#[test]
fn who_is_seen_at_an_address_goes_before_who_only_names_it() {
    let mut world = limited(1);
    let here = entering("10.0.0.1:7000", None);
    enter(&mut world, at(2, "10.0.0.2"), here).unwrap();
    let taken = refusal(RefusalCode::NotYours, "another node listens at 10.0.0.1:7000");
    assert_eq!(enter(&mut world, at(3, "10.0.0.3"), here), Err(taken.clone()), "both only name it");
    assert_eq!(enter(&mut world, at(1, "10.0.0.1"), here).unwrap().you.key, key(1));
    assert_eq!(enter(&mut world, at(2, "10.0.0.2"), here), Err(taken));
    let live: Vec<_> = world.bank.live_nodes().map(|node| node.key).collect();
    assert_eq!(live, [key(1)]);
    let full = refusal(RefusalCode::NoSlot, "all 1 places behind 10.0.0.1 are taken");
    let beside = entering("10.0.0.1:7001", None);
    assert_eq!(enter(&mut world, at(2, "10.0.0.2"), beside), Err(full));
}

#[test]
fn a_key_has_one_place_at_a_time() {
    let mut world = World::new();
    enter(&mut world, at(1, "10.0.0.1"), entering("10.0.0.1:7000", Some(1))).unwrap();
    enter(&mut world, at(1, "10.0.0.2"), entering("10.0.0.2:7000", Some(1))).unwrap();
    let live: Vec<_> = world.bank.live_nodes().map(|node| node.addr.to_string()).collect();
    assert_eq!(live, ["10.0.0.2:7000"]);
}

#[test]
fn what_is_no_address_is_refused() {
    let table = [("10.0.0.1:0", "10.0.0.1"), ("224.0.0.1:7000", "10.0.0.1"), ("0.0.0.0:7000", "0.0.0.0")];
    for (listen, seen) in table {
        let message = format!("{listen} is not an address that a node listens at");
        let outcome = enter(&mut World::new(), at(1, seen), entering(listen, None));
        assert_eq!(outcome, Err((RefusalCode::Malformed, message)));
    }
}

#[test]
fn a_newcomer_is_told_a_bounded_number_of_different_others() {
    let mut world = World::new();
    let mut told = BTreeSet::new();
    for n in 1..=60 {
        let Peer { addr, .. } = peer(n);
        let entered = enter(&mut world, peer(n), entering(&addr.to_string(), None)).unwrap();
        let different: BTreeSet<_> = entered.peers.iter().map(|peer| peer.key).collect();
        assert_eq!(entered.peers.len(), PEERS_GIVEN.min(usize::from(n) - 1), "{n} nodes");
        assert_eq!(different.len(), entered.peers.len());
        assert!(!different.contains(&key(n)));
    }
    for _ in 0..60 {
        let entered = enter(&mut world, peer(1), entering("10.0.0.1:7000", None)).unwrap();
        told.extend(entered.peers.iter().map(|peer| peer.key));
    }
    assert_eq!(told.len(), 59, "everybody is told some time");
}

#[test]
fn after_any_coming_and_going_a_newcomer_is_told_exactly_who_is_there() {
    let mut world = World::new();
    let mut there = BTreeSet::new();
    for step in 0_u8..120 {
        let n = 1 + step * 2 % 11;
        if step % 3 == 2 {
            there.remove(&key(n));
            world.input(Input::Receive { from: peer(n), message: BankMessage::Departed(Departed {}) });
        } else {
            let entered = enter(&mut world, peer(n), entering(&peer(n).addr.to_string(), None)).unwrap();
            there.remove(&key(n));
            assert_eq!(entered.peers.iter().map(|peer| peer.key).collect::<BTreeSet<_>>(), there, "{step}");
            there.insert(key(n));
        }
        assert_eq!(world.bank.live_nodes().map(|node| node.key).collect::<BTreeSet<_>>(), there);
    }
}

#[test]
fn the_same_seed_tells_the_same_nodes() {
    let told = || {
        let mut world = World::new();
        let nodes = (1..40).map(|n| {
            let listen = peer(n).addr.to_string();
            enter(&mut world, peer(n), entering(&listen, None)).unwrap().peers
        });
        nodes.collect::<Vec<_>>()
    };
    assert_eq!(told(), told());
}
