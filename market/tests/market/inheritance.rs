//! Joins and departures while there is trade: what is listed stays for sale, and no core is sold twice.

use crate::papers::{need, peer};
use crate::world::{End, Faults, World};
use market::placement;
use proptest::prelude::*;
use proto::Placement;
use proto::{Capacity, Market, Range, Span};

/// Nodes 0 to 5 sell two cores of 1,000 Mc/s each; nodes 6 to 13 do not, 14 and 15 buy.
const SELLERS: u16 = 6;
const SIZE: u16 = 16;

/// What happens to the ring between two purchases.
#[derive(Clone, Copy, Debug)]
enum Move {
    /// A newcomer takes a part of the arc that holds the sellers' market.
    TakeOver,
    /// The owner of the sellers' market leaves, if it neither sells nor buys.
    Leave,
    /// The same, and the one behind it at the same time.
    LeaveBoth,
    /// A newcomer somewhere.
    Join,
    Nothing,
}

fn market() -> proto::RingId {
    placement::key(Placement::Single, Market::of_capacity(Capacity(2_000)))
}

fn start(faults: Faults, seed: u8) -> World {
    let mut world = World::new(SIZE, faults, seed);
    world.run = Span::secs(2);
    for n in 0..SELLERS {
        world.sell(n, 2, 1_000, 3 + u64::from(n));
    }
    world.run_for(Span::secs(3));
    assert_eq!(world.listed().len(), usize::from(SELLERS));
    world
}

/// A node that does not run and would answer for `key` in place of `owner`.
fn newcomer(world: &World, owner: u16) -> Option<u16> {
    let arc = Range { after: market(), until: peer(owner).id() };
    let is_free = |n: &u16| !world.nodes.contains_key(n) && !world.is_gone(*n);
    (SIZE..2_000).filter(is_free).find(|n| arc.contains(peer(*n).id()))
}

fn make(world: &mut World, what: Move) {
    let owner = world.owner_of(market());
    let is_free = |n: u16| !(0..SELLERS).contains(&n) && !(SIZE - 2..SIZE).contains(&n);
    match what {
        Move::TakeOver => {
            if let Some(n) = newcomer(world, owner) {
                world.join(n);
                world.tell_ranges();
            }
        }
        Move::Leave if is_free(owner) => world.leave(owner),
        Move::LeaveBoth => {
            let next = world.next_of(owner);
            for n in [owner, next].into_iter().filter(|n| is_free(*n)) {
                world.leave(n);
            }
        }
        Move::Leave | Move::Nothing => {}
        Move::Join => {
            let n = (3_000..).find(|n| !world.nodes.contains_key(n) && !world.is_gone(*n)).unwrap();
            world.join(n);
            world.tell_ranges();
        }
    }
}

/// Buys while the ring changes; every purchase has ended when this returns, and every slice is free again.
fn trade(moves: &[(Move, u64)], faults: Faults, seed: u8, hands_over: bool) -> World {
    let mut world = start(faults, seed);
    world.hands_over = hands_over;
    for (token, (what, pause)) in (0..).zip(moves) {
        make(&mut world, *what);
        world.run_for(Span::millis(pause / 2));
        world.buy(14 + u16::try_from(token % 2).unwrap(), token, need(1, 1_000), 20);
        world.run_for(Span::millis(*pause));
    }
    world.run_for(Span::secs(150));
    assert_eq!(world.ends.len(), moves.len(), "every purchase ends");
    for (n, node) in world.nodes.range(0..SELLERS) {
        assert_eq!(node.free_part().cores, 2, "node {n}");
    }
    world
}

fn refused(world: &World) -> usize {
    world.ends.values().filter(|(_, end)| matches!(end, End::NotBought(_))).count()
}

fn changes() -> impl Strategy<Value = Vec<(Move, u64)>> {
    let what = prop_oneof![
        3 => Just(Move::TakeOver),
        2 => Just(Move::Leave),
        2 => Just(Move::LeaveBoth),
        2 => Just(Move::Join),
        2 => Just(Move::Nothing),
    ];
    prop::collection::vec((what, 0_u64..2_000), 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// The world checks after every event that no seller has a core in two slices, and that whoever holds a ticket
    /// finds its slice.
    #[test]
    fn whoever_comes_and_goes_no_listing_is_lost_and_nobody_is_refused(moves in changes(), seed in 1_u8..200) {
        let world = trade(&moves, Faults { doubled: 100, ..Faults::default() }, seed, true);
        prop_assert_eq!(&world.vanished, &Default::default());
        prop_assert_eq!(refused(&world), 0);
    }

    #[test]
    fn where_messages_are_lost_too_every_purchase_ends_and_nothing_is_sold_twice(
        moves in changes(),
        seed in 1_u8..200,
    ) {
        let world = trade(&moves, Faults { lost: 50, doubled: 50, is_noticed: true }, seed, true);
        prop_assert_eq!(world.sales() + refused(&world), moves.len());
    }
}

/// Owners that follow each other; a listing is renewed every four seconds.
const FAST: [(Move, u64); 8] = [
    (Move::TakeOver, 900),
    (Move::Leave, 900),
    (Move::TakeOver, 500),
    (Move::TakeOver, 2_500),
    (Move::Leave, 900),
    (Move::Leave, 900),
    (Move::TakeOver, 50),
    (Move::Leave, 900),
];

#[test]
fn without_hand_overs_listings_vanish_and_that_is_seen() {
    for seed in 3..4 {
        let with = trade(&FAST, Faults::default(), seed, true);
        assert_eq!((with.vanished.len(), refused(&with)), (0, 0), "seed {seed}");
        let without = trade(&FAST, Faults::default(), seed, false);
        assert!(!without.vanished.is_empty(), "seed {seed}");
    }
}

#[test]
fn a_newcomer_has_all_listings_before_anybody_renews() {
    let mut world = start(Faults::default(), 5);
    let old = world.owner_of(market());
    let new = newcomer(&world, old).unwrap();
    world.join(new);
    world.tell_ranges();
    world.run_for(Span::millis(700));
    assert_eq!(world.owner_of(market()), new);
    assert_eq!(world.nodes[&new].listings().count(), usize::from(SELLERS));
    assert_eq!(world.nodes[&old].listings().count(), 0);
}
