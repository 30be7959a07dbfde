//! Loss, doubling, reordering and crashes: every purchase ends, no core is sold twice, and any run can be
//! repeated.

use crate::papers::need;
use crate::world::{Faults, World};
use proto::{Hash, Span};

/// 16 nodes, half of them sellers of 4 cores; 60 purchases in 6 rounds, half of each together; `crashes` sellers and owners die.
fn turmoil(faults: Faults, crashes: u16, seed: u8) -> World {
    let mut world = World::new(16, faults, seed);
    for n in 0..8 {
        world.sell(n, 4, 500 + 100 * u64::from(n), 3 + u64::from(n));
    }
    world.run_for(Span::secs(3));
    for n in 0..crashes {
        world.crash_in(2 * n + 1, Span::millis(700 * u64::from(n)));
    }
    for batch in 0..6_u64 {
        let tokens: Vec<u64> = (batch * 10..).take(10).collect();
        for &token in &tokens[..5] {
            let buyer = 10 + u16::try_from(token % 3).unwrap() * 2;
            world.buy(buyer, token, need(1 + u32::from(token % 10 == 0), 400), 20);
        }
        world.buy_together(14, &tokens[5..], need(1, 400), 20);
        world.run_for(Span::secs(4));
    }
    world.run_for(Span::secs(150));
    world
}

fn check(faults: Faults, crashes: u16, sales_at_least: usize) -> Hash {
    let mut trace = Hash::default();
    for seed in 1..3 {
        let world = turmoil(faults, crashes, seed);
        assert_eq!(world.ends.len(), 60, "every purchase ends");
        assert!(world.sales() >= sales_at_least, "{} sales", world.sales());
        for node in world.nodes.values() {
            assert_eq!(node.purchases(), (0, 0));
        }
        let free: u32 = world.nodes.range(0..8).map(|(_, node)| node.free_part().cores).sum();
        assert_eq!(free, 4 * u32::try_from(world.nodes.range(0..8).count()).unwrap(), "all slices come back");
        let is_calm = faults.lost <= 100;
        let idle = world.nodes.range(0..8).count();
        assert!(!is_calm || world.listed().len() == idle, "all that is idle is listed");
        trace = world.trace;
    }
    trace
}

#[test]
fn without_faults_everything_is_sold() {
    check(Faults::default(), 0, 60);
}

#[test]
fn lost_and_doubled_messages_delay_sales_but_do_not_break_them() {
    check(Faults { lost: 100, doubled: 100, is_noticed: false }, 0, 55);
}

#[test]
fn a_third_of_all_messages_lost_still_lets_every_purchase_end() {
    check(Faults { lost: 333, doubled: 100, is_noticed: false }, 0, 20);
}

#[test]
fn dead_sellers_and_owners_are_passed_over() {
    check(Faults { is_noticed: true, ..Faults::default() }, 3, 50);
    check(Faults { lost: 50, doubled: 50, is_noticed: false }, 3, 40);
}

#[test]
fn the_same_seed_gives_the_same_trace_and_another_seed_another_one() {
    let faults = Faults { lost: 100, doubled: 100, is_noticed: true };
    let trace = |seed| turmoil(faults, 2, seed).trace;
    assert_eq!(trace(7), trace(7));
    assert_ne!(trace(7), trace(8));
}
