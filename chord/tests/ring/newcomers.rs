//! Many nodes that join at one place within one period.

use crate::world::{Net, World};
use chord::{Config, Input, Routing};
use proto::{Hash, Span};

/// Nodes across the internet.
const FAR: Net = Net { delay: (Span::millis(20), Span::millis(80)), ..Net::LAN };
/// Longer than any of them waits for anything.
const REST: Span = Span::secs(100);

/// What came of newcomers.
#[derive(Debug, PartialEq, Eq)]
struct Came {
    /// Seconds from the last join until the ring and all lists were right.
    right_after: u64,
    /// Messages until then.
    sent: u64,
    /// Hints until then.
    hints: u64,
    /// Hints afterwards.
    hints_at_rest: u64,
}

/// So many nodes join a ring of one, with pauses between them.
fn come(count: usize, routing: Routing, net: Net, pause: Span) -> (Came, Hash) {
    let mut world = World::new(count, Config { routing, ..Config::PUBLIC }, net, 1);
    world.is_watched = false;
    world.start(0);
    world.give(0, Input::Create);
    for index in 1..count {
        world.join(index, &[0]);
        world.run(pause);
    }
    let is_right =
        |world: &World| world.report().is_ok_and(|report| report.is_ideal && report.members == count);
    let mut right_after = 0;
    while !is_right(&world) {
        assert!(right_after < 600, "{:?}", world.report());
        world.run(Span::secs(1));
        right_after += 1;
    }
    let (sent, hints) = world.sent;
    world.run(REST);
    (Came { right_after, sent, hints, hints_at_rest: world.sent.1 - hints }, world.trace)
}

#[test]
fn three_hundred_that_come_within_eight_seconds_are_one_ring_within_a_minute() {
    let pause = Span::millis(27);
    let came = [
        come(300, Routing::DEFAULT, Net::LAN, pause).0,
        come(300, Routing::DEFAULT, FAR, pause).0,
        come(300, Routing::PLAIN, Net::LAN, pause).0,
        come(300, Routing::PLAIN, FAR, pause).0,
    ];
    let expected = [
        Came { right_after: 30, sent: 78_217, hints: 314, hints_at_rest: 0 },
        Came { right_after: 46, sent: 96_374, hints: 1_247, hints_at_rest: 0 },
        Came { right_after: 32, sent: 25_040, hints: 315, hints_at_rest: 0 },
        Came { right_after: 38, sent: 30_322, hints: 673, hints_at_rest: 0 },
    ];
    assert_eq!(came, expected);
}

#[test]
fn three_hundred_that_come_at_the_same_moment_are_one_ring_soon() {
    let come = |net| come(300, Routing::PLAIN, net, Span(0)).0;
    let expected = [
        Came { right_after: 53, sent: 129_187, hints: 18_480, hints_at_rest: 0 },
        Came { right_after: 99, sent: 144_397, hints: 17_820, hints_at_rest: 0 },
    ];
    assert_eq!([come(Net::LAN), come(FAR)], expected);
}

#[test]
fn what_comes_of_newcomers_can_be_repeated() {
    let come = || come(60, Routing::DEFAULT, FAR, Span::millis(27));
    assert_eq!(come(), come());
}
