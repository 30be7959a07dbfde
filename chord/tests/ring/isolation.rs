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
fn a_node_whose_full_list_is_dead_says_so_and_is_no_member_any_more() {
    let mut world = World::ideal(10, local(2), Net::LAN, 6);
    let dead: Vec<_> = world.core(0).successors().to_vec();
    world.news.clear();
    for peer in dead {
        let index = (0..10).find(|index| world.peer(*index) == peer).unwrap();
        world.kill(index);
    }
    assert!(!world.assumptions.hold);
    world.run(Span::secs(6));
    assert!(isolated(&world).contains(&0));
    assert!(!world.core(0).is_member());
    for (index, news) in world.news.clone() {
        if let Output::Isolated { known } = news {
            assert!(!known.is_empty());
            world.give(index, Input::Join { via: known });
        }
    }
    world.settle(Span::secs(30));
    assert_eq!(world.members().len(), 8);
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
