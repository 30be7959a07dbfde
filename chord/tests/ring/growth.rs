//! Rings that grow from one node.

use crate::world::{Net, World, local};
use chord::{Input, JoinFailure, Output};
use proto::{Range, Span};

fn check(count: usize, successors: usize, net: Net, seed: u64) {
    let mut world = World::new(count, local(successors), net, seed);
    world.start(0);
    world.give(0, Input::Create);
    for index in 1..count {
        world.join(index, &[0]);
    }
    let took = world.settle(Span::secs(30));
    assert!(took <= Span::secs(20), "{count} nodes, {took}");
    let report = world.report().unwrap();
    assert_eq!((report.members, report.on_ring, report.is_ideal), (count, count, true));
    assert_eq!(report.is_formed, count > successors);
    assert_eq!(world.core(0).is_forming(), count <= successors);
    world.assert_lookups(3);
}

#[test]
fn a_ring_grows_from_one_node_while_all_others_join_at_once() {
    for (count, successors, seed) in
        [(1, 8, 1), (2, 1, 9), (2, 8, 2), (3, 8, 3), (5, 8, 4), (9, 8, 5), (12, 3, 6), (24, 4, 7)]
    {
        check(count, successors, Net::LAN, seed);
    }
}

#[test]
fn a_ring_of_one_is_its_own_neighbour_and_answers_for_everything() {
    let mut world = World::new(1, local(8), Net::LAN, 1);
    world.start(0);
    world.give(0, Input::Create);
    let me = world.peer(0);
    let range = Range { after: me.id(), until: me.id() };
    assert_eq!(
        world.news,
        [(0, Output::Joined), (0, Output::RangeChanged { range, heir: None, donor: None })]
    );
    assert_eq!(world.core(0).successors(), [me]);
    assert_eq!(world.core(0).predecessor(), Some(me));
    assert_eq!(world.assert_lookups(5), 0.0);
}

#[test]
fn a_join_through_the_dead_fails_and_leaves_nothing() {
    for (via, reason) in [(vec![], JoinFailure::NoContact), (vec![1, 2], JoinFailure::NoAnswer)] {
        for net in [Net::LAN, Net::REFUSING] {
            let mut world = World::new(3, local(8), net, 1);
            world.join(0, &via);
            world.run(Span::secs(60));
            assert_eq!(world.news, [(0, Output::JoinFailed { reason })]);
            assert!(!world.core(0).is_member());
            assert_eq!(world.core(0).poll_timeout(), None);
        }
    }
}

#[test]
fn a_join_takes_another_contact_when_the_first_is_dead() {
    let mut world = World::ideal(6, local(3), Net::LAN, 4);
    world.kill(5);
    world.news.clear();
    world.join(5, &[5, 4]);
    world.settle(Span::secs(30));
    world.join(5, &[4]);
    world.settle(Span::secs(30));
    assert!(world.news.contains(&(5, Output::Joined)));
}
