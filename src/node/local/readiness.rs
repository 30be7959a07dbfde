//! When a local network can be used: all nodes in the ring, all for sale, all listings where buyers look.

use super::{ANSWER, LOOK_AGAIN, Network};
use crate::cli::ask;
use crate::control::{Failure, NodeView, Reply, Request};
use tokio::time::Instant;

/// Waits until the network can be used.
pub(super) async fn settle(network: &mut Network, deadline: Instant) -> Result<(), Failure> {
    loop {
        let mut states = Vec::new();
        for node in network.nodes() {
            match ask(&node.home, &Request::Status, ANSWER).await {
                Ok(Reply::Status(view)) => states.push((node.name.clone(), *view)),
                Ok(_) => return Err(crate::cli::unexpected(&node.home)),
                Err(failure) if Instant::now() >= deadline => return Err(failure),
                Err(_) => break,
            }
        }
        if let Some(failure) = network.obituary() {
            return Err(failure);
        }
        let all = network.nodes().len();
        let missing = missing(&states, all);
        if missing.is_empty() {
            return Ok(());
        }
        if Instant::now() >= deadline {
            let message = format!("the local network is not in order: {}", missing.join("; "));
            return Err(
                Failure::new("local_network", message, 1).hint("this machine may be too busy; try again")
            );
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// What is missing, in words.
fn missing(states: &[(String, NodeView)], all: usize) -> Vec<String> {
    let mut missing = Vec::new();
    if states.len() < all {
        missing.push(format!("{} of {all} nodes answer", states.len()));
    }
    for (name, node) in states {
        let is_linked = all == 1 || node.predecessor.is_some() && !node.successors.is_empty();
        if !node.is_member || !is_linked {
            missing.push(format!("{name} is not in the ring yet"));
        } else if let Some(why) = &node.not_selling {
            missing.push(format!("{name} sells nothing: {why}"));
        } else if node.listed.is_none() {
            missing.push(format!("{name} is not listed yet"));
        }
    }
    let listings: usize = states.iter().map(|(_, node)| node.listings).sum();
    if listings < all {
        missing.push(format!("{listings} of {all} listings are where buyers look"));
    }
    missing
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::sample;

    fn check(change: impl Fn(&mut NodeView), expected: &[&str]) {
        let mut second = sample::node();
        change(&mut second);
        let states = [("node-1".to_owned(), sample::node()), ("node-2".to_owned(), second)];
        assert_eq!(missing(&states, 2), expected);
    }

    #[test]
    fn a_network_is_ready_when_nothing_is_missing() {
        check(|_| {}, &[]);
        check(|node| node.is_member = false, &["node-2 is not in the ring yet"]);
        check(|node| node.predecessor = None, &["node-2 is not in the ring yet"]);
        check(|node| node.successors.clear(), &["node-2 is not in the ring yet"]);
        check(|node| node.listed = None, &["node-2 is not listed yet"]);
        check(|node| node.not_selling = Some("load".into()), &["node-2 sells nothing: load"]);
        check(|node| node.listings = 0, &["1 of 2 listings are where buyers look"]);
        assert_eq!(
            missing(&[("node-1".to_owned(), sample::node())], 2),
            ["1 of 2 nodes answer", "1 of 2 listings are where buyers look"]
        );
    }
}
