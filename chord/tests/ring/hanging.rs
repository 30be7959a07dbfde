//! Members that go on asking and notifying, and answer nobody, or too late to be of use.

use crate::manner::Manner;
use crate::world::{Net, World, local};
use chord::interval::is_within;
use proto::{Peer, Span};

const COUNT: usize = 12;

/// The neighbours of `peer` among the members: the one before and the one behind.
fn neighbours(world: &World, peer: Peer) -> (Peer, Peer) {
    let mut peers: Vec<Peer> = (0..COUNT).map(|index| world.peer(index)).collect();
    peers.sort_by_key(Peer::id);
    let at = peers.iter().position(|other| *other == peer).unwrap();
    (peers[(at + COUNT - 1) % COUNT], peers[(at + 1) % COUNT])
}

fn check(manner: Manner, seed: u64) {
    let config = local(4);
    let mut world = World::ideal(COUNT, config.clone(), Net::LAN, seed);
    let hanging = usize::try_from(seed).unwrap() % COUNT;
    let liar = world.peer(hanging);
    let (before, behind) = neighbours(&world, liar);
    world.behave(hanging, manner);
    world.run(Span::secs(90));
    for index in (0..COUNT).filter(|index| *index != hanging) {
        let expected = neighbours(&world, world.peer(index));
        let next = if expected.1 == liar { behind } else { expected.1 };
        assert_eq!(world.core(index).successors()[0], next, "the others close the circle without it");
    }
    let mut keys = Vec::new();
    for token in 0..200 {
        let (asker, key) = (world.below(COUNT), world.random_key());
        if asker != hanging {
            world.give(asker, chord::Input::Lookup { token, key });
            keys.push((token, key));
        }
    }
    world.run(config.lookup_timeout);
    for (token, key) in keys {
        let is_its_own = is_within(before.id(), key, liar.id());
        let expected = if is_its_own { behind } else { world.owner(key) };
        assert_eq!(world.outcomes[&token].owner, Some(expected), "{key:?}, {manner:?}: {liar}");
    }
}

#[test]
fn a_member_that_never_answers_is_left_out_and_its_keys_go_to_the_next() {
    for seed in 0..6 {
        check(Manner::Mute, seed);
    }
}

#[test]
fn a_member_that_answers_after_a_minute_is_left_out_and_its_keys_go_to_the_next() {
    for seed in 0..6 {
        check(Manner::Late(Span::secs(60)), seed);
    }
}
