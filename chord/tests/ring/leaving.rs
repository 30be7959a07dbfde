//! Orderly departures.

use crate::world::{Net, World, local};
use chord::Output;
use proto::Span;

fn check(count: usize, successors: usize) {
    for leaver in 0..count {
        let config = local(successors);
        let mut world = World::ideal(count, config.clone(), Net::LAN, 21);
        world.news.clear();
        world.leave(leaver);
        assert_eq!(world.news, [(leaver, Output::Left)]);
        world.run(Span::millis(150));
        world.assert_lookups(3);
        world.settle(Span::secs(20));
    }
}

#[test]
fn after_a_departure_lookups_are_right_at_once() {
    for (count, successors) in [(2, 8), (3, 8), (6, 3), (10, 3)] {
        check(count, successors);
    }
}

#[test]
fn the_predecessor_of_a_leaver_has_its_new_successor_without_a_timeout() {
    let mut world = World::ideal(10, local(3), Net::LAN, 3);
    let leaver = world.core(0).successors()[0];
    let next = world.core(0).successors()[1];
    let index = (0..10).find(|index| world.peer(*index) == leaver).unwrap();
    world.leave(index);
    world.run(Span::millis(150));
    assert_eq!(world.core(0).successors()[0], next);
}
