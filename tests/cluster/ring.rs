//! The ring after nodes were killed.

use super::books::Books;
use super::network::Network;
use super::work::Slow;

/// How long the ring may take to be in order again, in seconds: a dead neighbour is found by a connection that
/// breaks or by three requests of a second each, and a few stabilizations (a quarter of a second) repair it.
const HEALS_WITHIN: u64 = 8;

#[test]
fn the_ring_closes_again_around_killed_nodes() {
    let mut network = Network::start(5);
    network.check_ring(HEALS_WITHIN);
    for victim in [1, 3] {
        network.kill(victim);
        network.check_ring(HEALS_WITHIN);
    }
    network.submit(0, &[Slow { name: "slow", count: 4, millions: 1, price: 10 }]);
    let task = network.wait(0, 0);
    assert_eq!((task.state.as_str(), task.count("succeeded")), ("succeeded", 4), "{task:?}");
    network.check_results("slow", 4, 1);
    for victim in [1, 3] {
        network.restart(victim);
    }
    network.check_ring(HEALS_WITHIN);
    Books::when_nothing_is_held(&network, 5).check_payments(0, &task);
}
