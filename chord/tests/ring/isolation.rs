//! What is beyond Zave's assumptions: a node that has lost all its successors.

use crate::world::{Net, World, local};
use chord::{Input, Output};
use proto::Span;

fn isolated(world: &World) -> Vec<usize> {
    let is_isolated =
        |(index, news): &(usize, Output)| matches!(news, Output::Isolated { .. }).then_some(*index);
    world.news.iter().filter_map(is_isolated).collect()
}

#[test]
fn a_node_whose_full_list_is_dead_goes_on_from_its_fingers_and_its_predecessor() {
    for count in [5, 10, 16] {
        let mut world = World::ideal(count, local(2), Net::LAN, 6);
        world.run(Span::secs(3));
        for peer in world.core(0).successors().to_vec() {
            let index = (0..count).find(|index| world.peer(*index) == peer).unwrap();
            world.kill(index);
        }
        assert!(!world.assumptions.hold);
        world.settle(Span::secs(30));
        assert_eq!(world.members().len(), count - 2);
        assert_eq!(isolated(&world), []);
        world.assert_lookups(3);
    }
}

#[test]
fn a_node_that_finds_everybody_dead_says_so_and_joins_again_when_they_are_back() {
    let mut world = World::ideal(6, local(2), Net::LAN, 6);
    world.news.clear();
    for index in 1..6 {
        world.kill(index);
    }
    world.run(Span::secs(10));
    assert!(!world.core(0).is_member());
    assert_eq!(world.core(0).poll_timeout(), None);
    let Some((0, Output::Isolated { known })) = world.news.last().cloned() else {
        panic!("{:?}", world.news)
    };
    assert!(known.len() >= 2);
    for index in 1..6 {
        world.start(index);
        if known.contains(&world.peer(index)) && world.members().is_empty() {
            world.give(index, Input::Create);
        }
    }
    world.give(0, Input::Join { via: known });
    world.run(Span::secs(10));
    world.settle(Span::secs(10));
    assert_eq!(world.members().len(), 2);
    assert!(world.core(0).is_member());
}

#[test]
fn newcomers_that_lose_their_only_contact_come_together_again() {
    // Zave 2017, Fig. 3: 37 and 62 join 48 and know nobody else when it fails.
    let mut world = World::new(3, local(2), Net::LAN, 1);
    world.start(0);
    world.give(0, Input::Create);
    world.join(1, &[0]);
    world.join(2, &[0]);
    while world.members().len() < 3 {
        world.run(Span::millis(1));
    }
    world.news.clear();
    world.kill(0);
    world.run(Span::secs(5));
    for index in isolated(&world) {
        assert!(world.core(index).is_member(), "it knew the whole ring");
        let via = vec![world.peer(3 - index)];
        world.give(index, Input::Join { via });
    }
    world.settle(Span::secs(30));
    assert_eq!(world.members(), [1, 2]);
}

#[test]
fn two_rings_become_one_when_a_member_joins_the_other() {
    let mut world = World::new(2, local(3), Net::LAN, 1);
    world.assumptions.hold = false;
    for index in 0..2 {
        world.start(index);
        world.give(index, Input::Create);
    }
    world.run(Span::secs(2));
    assert_eq!(world.core(0).successors(), [world.peer(0)]);
    for index in 0..2 {
        let via = vec![world.peer(1 - index)];
        world.give(index, Input::Join { via });
    }
    world.settle(Span::secs(20));
    assert_eq!(world.core(0).successors(), [world.peer(1)]);
}
