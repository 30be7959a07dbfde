//! Rings that formed apart become one.

use crate::world::{Net, World, local};
use chord::Input;
use proto::{Peer, Span};

/// How long it takes all nodes to hear of some others.
const ROUND: Span = Span::secs(2);

/// Founds rings of these sizes; the lists have `successors` entries.
fn apart(sizes: &[usize], successors: usize, seed: u64) -> World {
    let mut world = World::new(sizes.iter().sum(), local(successors), Net::LAN, seed);
    world.assumptions.hold = false;
    let mut first = 0;
    for size in sizes {
        world.start(first);
        world.give(first, Input::Create);
        for index in first + 1..first + size {
            world.join(index, &[first]);
            world.run(Span::millis(40));
        }
        first += size;
    }
    world.run(Span::secs(10));
    world
}

/// Every member hears of three others, whichever ring they are in.
fn meet(world: &mut World) {
    let members = world.members();
    for index in &members {
        let some: Vec<usize> = (0..3).map(|_| members[world.below(members.len())]).collect();
        let peers: Vec<Peer> = some.into_iter().map(|index| world.peer(index)).collect();
        world.give(*index, Input::Meet { peers });
    }
    world.run(ROUND);
}

/// Rings of these sizes are one after `rounds` at the most.
fn check(sizes: &[usize], successors: usize, seed: u64, rounds: usize) {
    let mut world = apart(sizes, successors, seed);
    let is_whole = |world: &World| world.report().is_ok_and(|report| report.is_ideal);
    assert!(!is_whole(&world), "{sizes:?} were never apart");
    let needed = (1..=rounds).find(|_| {
        meet(&mut world);
        is_whole(&world)
    });
    assert!(needed.is_some(), "{sizes:?} with lists of {successors}: {:?}", world.report());
    world.assert_lookups(2);
}

#[test]
fn two_rings_become_one() {
    for seed in 1..=4 {
        check(&[1, 1], 2, seed, 5);
        check(&[1, 9], 3, seed, 10);
        check(&[8, 8], 3, seed, 15);
        check(&[20, 5], 8, seed, 15);
    }
}

#[test]
fn three_rings_become_one() {
    for seed in 1..=3 {
        check(&[6, 7, 8], 2, seed, 25);
        check(&[10, 1, 10], 4, seed, 25);
    }
}

#[test]
fn a_ring_that_is_whole_is_left_alone() {
    let mut world = World::ideal(12, local(3), Net::LAN, 5);
    for _ in 0..5 {
        meet(&mut world);
        assert!(world.report().is_ok_and(|report| report.is_ideal));
    }
}
