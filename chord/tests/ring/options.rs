//! Every way of looking up finds the owner that is the true one: in peace, while nodes are dead, and among liars.

use crate::manner::Manner;
use crate::world::{Net, World, local};
use chord::{Config, Input, Patience, Routing, Style};
use proto::Span;

/// The ways, by name.
fn ways() -> [(&'static str, Routing); 9] {
    let plain = Routing::PLAIN;
    let recursive = Routing { style: Style::Recursive, ..plain.clone() };
    [
        ("plain", plain.clone()),
        ("recursive", recursive.clone()),
        ("three at a time", Routing { parallel: 3, ..plain.clone() }),
        ("patience by distance", Routing { patience: Patience::Adaptive, ..plain.clone() }),
        ("near fingers", Routing { proximity: 4, ..plain.clone() }),
        ("remembered arcs", Routing { cache: 16, ..plain.clone() }),
        ("the whole ring", Routing { view: 1_000, ..plain }),
        ("recursive with all", Routing { parallel: 3, proximity: 4, cache: 64, ..recursive }),
        ("by default", Routing::DEFAULT),
    ]
}

/// A ring of 24 that has been looked around in.
fn ring(routing: Routing, net: Net) -> World {
    let config = Config { fix_fingers_every: Span::millis(100), routing, ..local(6) };
    let mut world = World::ideal(24, config, net, 3);
    world.run(Span::secs(20));
    world
}

#[test]
fn in_a_ring_at_peace_every_lookup_ends_at_the_owner() {
    for (name, routing) in ways() {
        let mut world = ring(routing.clone(), Net::LAN);
        for _ in 0..2 {
            let asked = world.assert_lookups(20);
            assert!(asked < 3.0 * f64::from(u32::try_from(routing.parallel).unwrap()), "{name}: {asked}");
        }
        let known = world.core(3).known();
        let expected = match (routing.view, routing.cache) {
            (0, 0) => 0..=0,
            (0, cache) => 2..=cache,
            (..) => 24..=24,
        };
        assert!(expected.contains(&known), "{name}: knows {known}");
    }
}

#[test]
fn with_a_full_view_a_lookup_asks_owner_and_predecessor_and_nobody_else() {
    let mut world = ring(Routing { view: 1_000, ..Routing::PLAIN }, Net::LAN);
    let asked = world.assert_lookups(20);
    assert!((0.85..=1.0).contains(&asked), "{asked}");
    assert!(world.outcomes.values().all(|outcome| outcome.hops <= 1));
}

#[test]
fn a_ring_that_has_outgrown_the_view_is_looked_up_by_fingers() {
    let mut world = ring(Routing { view: 8, ..Routing::PLAIN }, Net::LAN);
    assert!(world.assert_lookups(20) > 0.3);
    assert!(world.members().into_iter().all(|member| world.core(member).known() <= 8));
}

#[test]
fn while_a_quarter_of_the_nodes_is_dead_every_lookup_ends_at_the_nearest_that_lives() {
    for (name, routing) in ways() {
        let mut world = ring(routing, Net::LAN);
        world.is_watched = false;
        for index in [1, 5, 9, 13, 17, 21] {
            world.kill(index);
        }
        let members = world.members();
        for (token, asker) in (0..).zip(members.iter().cycle().take(108)) {
            let key = world.random_key();
            world.give(*asker, Input::Lookup { token, key });
        }
        world.run(Span::secs(10));
        assert_eq!(world.outcomes.len(), 108, "{name}");
        for outcome in world.outcomes.values() {
            assert_eq!(outcome.owner, Some(world.owner(outcome.key)), "{name} {:?}", outcome.key);
        }
    }
}

#[test]
fn over_a_network_that_loses_messages_every_lookup_ends_at_the_owner() {
    for (name, routing) in ways() {
        let mut world = ring(routing, Net::LAN);
        world.disturb(Net::LOSSY);
        let asked = world.assert_lookups(10);
        assert!(asked < 9.0, "{name}: {asked}");
    }
}

#[test]
fn liars_do_not_lead_a_lookup_to_the_wrong_owner() {
    for lie in [Manner::OwnsAll, Manner::MuteInLookups, Manner::LateInLookups(Span::secs(60))] {
        for (name, routing) in ways() {
            let mut world = ring(routing, Net::LAN);
            for index in [2, 7, 12, 18] {
                world.behave(index, lie);
            }
            if lie == Manner::OwnsAll {
                world.boast(12);
            }
            world.run(Span::secs(5));
            for round in 0..3_u64 {
                for asker in [0, 3, 8, 15, 22] {
                    let key = world.random_key();
                    let token = round * 100 + u64::try_from(asker).unwrap();
                    world.give(asker, Input::Lookup { token, key });
                }
            }
            world.run(Span::secs(11));
            assert_eq!(world.outcomes.len(), 15, "{name} {lie:?}");
            for outcome in world.outcomes.values() {
                assert_eq!(outcome.owner, Some(world.owner(outcome.key)), "{name} {lie:?} {:?}", outcome.key);
            }
        }
    }
}
