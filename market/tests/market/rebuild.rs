//! Soft state: what a change of the ring takes away, the sellers bring back.

use crate::papers::{need, rules};
use crate::world::{Faults, World};
use market::placement;
use proto::Placement;
use proto::{Capacity, Market, Span};

/// Ten nodes of which nodes 0 to 5 sell one core of 1,000 Mc/s each.
fn world() -> World {
    let mut world = World::new(10, Faults::default(), 2);
    for n in 0..6 {
        world.sell(n, 1, 1_000, 5);
    }
    world.run_for(Span::secs(2));
    assert_eq!(world.listed().len(), 6);
    world
}

fn owner(world: &World) -> u16 {
    world.owner_of(placement::key(Placement::Single, Market::of_capacity(Capacity(1_000))))
}

#[test]
fn a_listing_ends_three_renewals_after_its_seller_fell_silent() {
    let mut world = world();
    let silent = if owner(&world) == 3 { 4 } else { 3 };
    world.crash_in(silent, Span(0));
    world.run_for(rules().renewal);
    assert!(world.listed().contains(&silent));
    world.run_for(rules().renewal.times(2));
    assert!(!world.listed().contains(&silent));
    assert_eq!(world.listed().len(), 5);
}

#[test]
fn after_the_owner_has_crashed_the_next_one_has_all_listings_within_a_renewal() {
    let mut world = world();
    let old = owner(&world);
    world.crash_in(old, Span(0));
    // The ring repairs itself after 1.5 s; a List that met the dead owner is tried again.
    world.run_for(Span::millis(1_500).plus(rules().renewal).plus(Span::secs(4)));
    let expected: Vec<u16> = (0..6).filter(|n| *n != old).collect();
    assert_eq!(world.listed().into_iter().collect::<Vec<_>>(), expected);
    world.buy(9, 1, need(1, 1_000), 10);
    world.run_for(Span::secs(5));
    assert_eq!(world.price(1), Some(5));
}

#[test]
fn a_newcomer_that_takes_the_market_over_has_all_listings_within_a_renewal() {
    let mut world = world();
    let key = placement::key(Placement::Single, Market::of_capacity(Capacity(1_000)));
    let old = owner(&world);
    let newcomer = (10..999).find(|n| {
        let place = crate::papers::peer(*n).id();
        proto::Range { after: key, until: crate::papers::peer(old).id() }.contains(place)
    });
    world.join(newcomer.unwrap());
    world.tell_ranges();
    world.run_for(rules().renewal.plus(Span::secs(2)));
    assert_ne!(owner(&world), old);
    assert_eq!(world.nodes[&owner(&world)].listings().count(), 6);
    assert_eq!(world.nodes[&old].listings().count(), 0);
}
