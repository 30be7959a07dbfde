//! Failures: killed nodes, lost, doubled and overtaking messages.

use crate::world::{Net, World, local};
use chord::Config;
use proto::Span;

/// A few stabilize periods after the time in which a death is noticed.
fn healing_time(config: &Config) -> Span {
    config.request_timeout.plus(config.stabilize_every.times(8))
}

fn check_one_kill(count: usize, successors: usize, net: Net, seed: u64) {
    let config = local(successors);
    for victim in 0..count {
        let mut world = World::ideal(count, config.clone(), net, seed);
        world.kill(victim);
        let took = world.settle(Span::secs(20));
        let most = healing_time(&config).plus(config.check_predecessor_every).plus(config.request_timeout);
        assert!(took <= most, "{count} nodes, victim {victim}: {took}");
        world.assert_lookups(4);
    }
}

#[test]
fn small_rings_survive_one_kill() {
    for count in 2..=5 {
        check_one_kill(count, 8, Net::LAN, 10);
        check_one_kill(count, 8, Net::REFUSING, 11);
    }
}

#[test]
fn lookups_are_right_again_soon_after_a_quarter_of_the_nodes_is_killed() {
    for seed in 0..2 {
        let config = local(8);
        let mut world = World::ideal(24, config.clone(), Net::LAN, seed);
        for _ in 0..6 {
            let members = world.members();
            let victim = members[world.below(members.len())];
            world.kill(victim);
        }
        world.run(healing_time(&config).times(2));
        world.assert_lookups(4);
        assert_eq!(world.report().unwrap().members, 18);
    }
}

#[test]
fn a_ring_forms_and_heals_over_a_network_that_loses_doubles_and_reorders() {
    for seed in 0..3 {
        let mut world = World::ideal(12, local(4), Net::LOSSY, seed);
        world.kill(3);
        world.kill(7);
        world.settle(Span::secs(60));
        world.join(3, &[0, 1, 2]);
        world.settle(Span::secs(60));
        assert_eq!(world.members().len(), 11);
    }
}

#[test]
fn a_node_that_restarts_at_once_finds_its_place_again() {
    for (count, net) in [(2, Net::LAN), (3, Net::LAN), (10, Net::LAN), (10, Net::REFUSING)] {
        let mut world = World::ideal(count, local(4), net, 5);
        for index in 1..count {
            world.kill(index);
            world.join(index, &[0]);
            let took = world.settle(Span::secs(20));
            assert!(took <= Span::secs(6), "{count}: {took}");
            assert_eq!(world.members().len(), count);
        }
    }
}

/// The clock of a driver never goes back (`src/node/clock.rs`); it leaps when the machine was stopped.
#[test]
fn clocks_that_leap_an_hour_ahead_do_no_harm() {
    for seed in 0..8 {
        let mut world = World::ideal(12, local(4), Net::LAN, seed);
        world.is_watched = false;
        for index in [1, 5, 9] {
            world.skip(index, Span::secs(3_600));
            world.run(Span::millis(100));
        }
        world.run(Span::secs(3));
        world.settle(Span::secs(10));
        world.assert_lookups(10);
    }
}
