//! Purchases in a world without faults: exact prices, the way upwards, many at once.

use crate::papers::need;
use crate::world::{End, Faults, World};
use market::{Shortage, buyer};
use proto::{Rate, Span};

fn world(size: u16, sellers: &[(u16, u32, u64, u64)]) -> World {
    let mut world = World::new(size, Faults::default(), 1);
    for (n, cores, per_core, ask) in sellers {
        world.sell(*n, *cores, *per_core, *ask);
    }
    world.run_for(Span::secs(2));
    world
}

fn shortage(world: &World, token: u64) -> Shortage {
    match &world.ends[&token].1 {
        End::NotBought(shortage) => *shortage,
        End::Bought(ticket) => panic!("{ticket:?}"),
    }
}

#[test]
fn one_after_the_other_buys_the_cheapest_at_the_price_of_the_next() {
    let mut world = world(8, &[(1, 1, 1_000, 5), (2, 1, 1_000, 4), (3, 1, 1_000, 3)]);
    world.run = Span::secs(100);
    for (token, price) in [(1, Some(4)), (2, Some(5)), (3, Some(10)), (4, None)] {
        world.buy(0, token, need(1, 1_000), 10);
        world.run_for(Span::secs(10));
        assert_eq!(world.price(token), price, "purchase {token}");
    }
    let seen = shortage(&world, 4);
    assert_eq!((seen.listings, seen.is_incomplete()), (0, false));
}

#[test]
fn a_network_of_one_node_trades_with_nobody_and_says_so() {
    let mut world = world(1, &[(0, 4, 1_000, 5)]);
    world.buy(0, 1, need(1, 1_000), 10);
    world.run_for(Span::secs(1));
    let bid = Rate(10);
    let expected = Shortage { owners: 1, listings: 1, too_small: 1, bid, ..Shortage::default() };
    assert_eq!((shortage(&world, 1), world.messages), (expected, 0));
}

#[test]
fn who_finds_nobody_in_its_class_goes_upwards() {
    let mut world = world(40, &[(1, 8, 4_000, 5), (2, 8, 4_000, 6)]);
    world.buy(0, 1, need(1, 10), 10);
    world.run_for(Span::secs(30));
    assert_eq!(world.price(1), Some(6));
}

#[test]
fn a_bid_below_all_asks_ends_with_the_lowest_of_them() {
    let mut world = world(12, &[(1, 1, 1_000, 5), (2, 4, 1_000, 4), (3, 1, 100, 1)]);
    world.buy(0, 1, need(1, 1_000), 3);
    world.run_for(Span::secs(30));
    let seen = shortage(&world, 1);
    assert_eq!((seen.too_dear, seen.lowest_ask, seen.is_incomplete()), (2, Some(Rate(4)), false));
}

#[test]
fn slices_of_one_large_seller_go_to_many_buyers() {
    let mut world = world(6, &[(1, 16, 1_000, 5)]);
    world.run = Span::secs(60);
    for token in 0..16 {
        world.buy(2 + u16::try_from(token % 4).unwrap(), token, need(1, 1_000), 10);
    }
    world.run_for(Span::secs(20));
    assert_eq!((world.sales(), world.nodes[&1].free_part().cores), (16, 0));
    world.run_for(Span::secs(60));
    assert_eq!((world.nodes[&1].free_part().cores, world.listed()), (16, [1].into()));
}

#[test]
fn many_purchases_wait_for_room_and_share_lookups() {
    let sellers: Vec<_> = (1..9).map(|n| (n, 32, 1_000, u64::from(n))).collect();
    let mut world = world(12, &sellers);
    world.run = Span::secs(1);
    for token in 0..400 {
        world.buy(0, token, need(1, 1_000), 10);
    }
    let before = world.lookups;
    world.run_for(Span::secs(60));
    assert_eq!((world.ends.len(), world.sales()), (400, 400));
    assert_eq!(world.most_purchases, buyer::MAX_PURCHASES);
    println!("lookups {} messages {}", world.lookups - before, world.messages);
}
