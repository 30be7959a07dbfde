//! A network that is cut in two for so long that each half is a ring of its own, and that is joined again.

use super::harness::{Bank, NodeProcess, policy};
use super::namespace::{Cable, Side};
use super::network::{alone, until};
use super::view::{Balance, Node, Walk};
use proto::{Money, Rules};
use std::io::Write as _;

/// Nodes on each side; the bank is on the left.
const EACH: usize = 3;
/// How long each half may take to be a ring, in seconds: a connection that fell silent is noticed after 15 seconds
/// (`src/net.rs`, keep-alive), and three nodes may have to be noticed one after the other.
const SPLITS_WITHIN: u64 = 90;
/// How long the two rings may take to become one, in seconds: members meet every ten seconds, when they can reach
/// the bank again.
const MEETS_WITHIN: u64 = 90;

#[test]
fn two_rings_that_a_cut_has_left_become_one_when_it_is_mended() {
    let _alone = alone();
    let cable = match Cable::new(EACH + 1) {
        Ok(cable) => cable,
        Err(why) => {
            // Not by `println!`, which is shown for tests that fail only.
            let said = writeln!(std::io::stderr(), "NOT RUN: nothing could be cut on this machine: {why}");
            return said.expect("somebody reads what tests say");
        }
    };
    let directory = tempfile::tempdir().expect("a temporary directory");
    let address = format!("{}:0", Side::Left.address(EACH + 1));
    let bank = Bank::start_within(cable.within(Side::Left), directory.path(), &address);
    let start = |side: Side, host: usize| {
        let listen = side.address(host);
        let policy = policy("0.1", 1).replace("127.0.0.1", &listen);
        NodeProcess::start_within(cable.within(side), directory.path(), &bank, &listen, &policy)
    };
    let left: Vec<NodeProcess> = (1..=EACH).map(|host| start(Side::Left, host)).collect();
    let right: Vec<NodeProcess> = (1..=EACH).map(|host| start(Side::Right, host)).collect();
    let all = || left.iter().chain(&right);
    all().for_each(|node| check_one_ring(node, 2 * EACH, MEETS_WITHIN));
    cable.cut().expect("the cable can be cut");
    all().for_each(|node| check_one_ring(node, EACH, SPLITS_WITHIN));
    cable.join().expect("the cable can be joined");
    all().for_each(|node| check_one_ring(node, 2 * EACH, MEETS_WITHIN));
    all().for_each(|node| check_account(node));
}

/// `ring check` from this node finds a circle of so many nodes without a defect.
#[track_caller]
fn check_one_ring(node: &NodeProcess, count: usize, within: u64) {
    until(&format!("{} walks around {count} nodes", node.name), within, || {
        let finished = node.run(&["ring", "check", "--json"]);
        let walk = serde_json::from_str::<Walk>(&finished.stdout).map_err(|_| format!("{finished:?}"))?;
        let is_one = walk.is_closed && walk.nodes == count && walk.defects.is_empty();
        if is_one { Ok(()) } else { Err(format!("{walk:?}")) }
    });
}

/// The node is in the market, and reaches the bank and the money that it had.
#[track_caller]
fn check_account(node: &NodeProcess) {
    until(&format!("{} is in the market", node.name), MEETS_WITHIN, || {
        let status: Node =
            serde_json::from_value(node.json(&["status"])).map_err(|error| error.to_string())?;
        let is_there = status.is_member && status.listed.is_some() && status.unanswered_orders == 0;
        if is_there { Ok(()) } else { Err(format!("{status:?}")) }
    });
    let balance: Balance = serde_json::from_value(node.json(&["bank", "balance"])).expect("a balance");
    assert_eq!((balance.available, balance.held), (Rules::LOCAL.initial_grant, Money::ZERO), "{}", node.name);
}
