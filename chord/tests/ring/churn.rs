//! Nodes come and go as Zave's assumptions allow: nothing may ever be wrong.

use crate::world::{Net, World, local};
use proto::{Span, Time};

/// Joins, failures, departures and immediate restarts at random for `span`; no failure breaks the assumptions.
fn churn(world: &mut World, count: usize, span: Span) -> u32 {
    let end = world.now.after(span);
    let mut changes = 0;
    while world.now < end {
        let pause = Span::millis(u64::try_from(20 + world.below(300)).unwrap());
        world.run(pause);
        let index = world.below(count);
        let members = world.members();
        if !world.is_running(index) {
            let via = [members[world.below(members.len())], members[world.below(members.len())]];
            world.join(index, &via);
        } else if members.contains(&index) && !world.is_needed(index) {
            match world.below(3) {
                0 => world.leave(index),
                1 => world.kill(index),
                _ => {
                    world.kill(index);
                    let others = world.members();
                    let via = others[world.below(others.len())];
                    world.join(index, &[via]);
                }
            }
        } else {
            continue;
        }
        changes += 1;
    }
    changes
}

fn check(count: usize, successors: usize, net: Net, seed: u64) {
    let mut world = World::ideal(count, local(successors), net, seed);
    let changes = churn(&mut world, count, Span::secs(20));
    assert!(changes > 30, "{changes}");
    assert!(world.assumptions.hold);
    assert_eq!(world.excused, 0);
    // Those whose join has failed meanwhile are not part of it.
    world.settle(Span::secs(60));
    world.assert_lookups(2);
}

#[test]
fn no_property_is_ever_violated_while_the_assumptions_hold() {
    for seed in 0..2 {
        check(16, 3, Net::LAN, seed);
        check(16, 3, Net::REFUSING, 50 + seed);
        check(14, 4, Net::LAN, 100 + seed);
    }
}

#[test]
fn the_same_seed_gives_the_same_history() {
    let history = |seed| {
        let mut world = World::ideal(8, local(3), Net::LOSSY, seed);
        churn(&mut world, 8, Span::secs(5));
        (world.trace, world.now)
    };
    assert_eq!(history(7), history(7));
    assert_ne!(history(7).0, history(8).0);
    assert!(history(7).1 > Time(0));
}
