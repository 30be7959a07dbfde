//! Lookups in a converged ring.

use crate::world::{Net, World, local, plain};
use chord::{Config, Input, MAX_LOOKUPS};
use proto::Span;

#[test]
fn lookups_find_the_true_owner_in_about_half_of_log2_n_hops() {
    let config = Config { fix_fingers_every: Span::millis(100), ..plain(2) };
    let mut world = World::ideal(64, config, Net::LAN, 3);
    world.run(Span::secs(5));
    let hops = world.assert_lookups(10);
    // ToN Fig. 10 has 2.96 for 64 nodes with r = 1; own ranges (hops 0 without a question) and r = 2 save a little.
    assert!((2.2..=3.2).contains(&hops), "{hops}");
    for index in world.members() {
        let fingers = world.core(index).fingers().count();
        assert!((2..=10).contains(&fingers), "{fingers} fingers");
    }
}

#[test]
fn lookups_go_around_dead_nodes_before_the_ring_has_noticed() {
    let config = Config { stabilize_every: Span::secs(3_600), ..plain(6) };
    let config = Config { fix_fingers_every: Span::millis(100), ..config };
    let mut world = World::ideal(24, plain(6), Net::LAN, 9);
    world.run(config.fix_fingers_every.times(60));
    let start = world.now;
    let (victim, asker) = (world.peer(5), 6);
    let keys: Vec<_> = (0..40).map(|_| world.random_key()).collect();
    let keys: Vec<_> = keys.into_iter().filter(|key| world.owner(*key) != victim).collect();
    world.kill(5);
    for (token, key) in (0..).zip(&keys) {
        world.give(asker, Input::Lookup { token, key: *key });
    }
    world.run(Span::secs(8));
    for (token, key) in (0..).zip(&keys) {
        assert_eq!(world.outcomes[&token].owner, Some(world.owner(*key)));
    }
    assert!(world.now > start);
}

#[test]
fn a_lookup_ends_in_any_case() {
    let mut world = World::ideal(8, local(3), Net::LAN, 2);
    let key = world.core(0).me().id().plus_power(159);
    for index in 1..8 {
        world.kill(index);
    }
    world.give(0, Input::Lookup { token: 1, key });
    world.run(Span::secs(11));
    assert!(world.outcomes.contains_key(&1));
    world.start(1);
    world.give(1, Input::Lookup { token: 2, key });
    assert_eq!(world.outcomes[&2].owner, None);
}

#[test]
fn lookups_beyond_the_bound_are_refused() {
    let mut world = World::ideal(8, local(3), Net::LAN, 2);
    let away = world.peer(0).id();
    let beyond = world.core(0).successors()[0].id().plus_power(0);
    assert_ne!(world.owner(beyond).id(), away);
    for token in 0..=u64::try_from(MAX_LOOKUPS).unwrap() {
        world.give(0, Input::Lookup { token, key: beyond });
    }
    let refused = u64::try_from(MAX_LOOKUPS).unwrap();
    assert_eq!(
        world.outcomes.iter().map(|(token, found)| (*token, found.owner)).collect::<Vec<_>>(),
        [(refused, None)]
    );
}
