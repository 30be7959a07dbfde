//! `overlay`: whoever is asked for the nearest market at or above another names none below it; and when the world is at
//! rest, the markets in which somebody is listed, and no others, form one valid ring for each commodity, so that a look-up
//! there finds the right one.

use super::{Breach, Checked};
use crate::host::Host;
use chord::check::{Assumptions, check_ring};
use proto::message::Message;
use proto::message::overlay::OverlayMessage;
use proto::{Commodity, Market, Peer, Placement, RequestId};
use std::collections::{BTreeMap, BTreeSet};

/// The questions that have been put.
#[derive(Debug, Default)]
pub(crate) struct Overlay {
    asked: BTreeMap<(Peer, RequestId), Market>,
}

impl Overlay {
    /// `from` sends a message to `to`.
    pub(crate) fn sent(&mut self, from: Peer, to: Peer, message: &Message) -> Checked {
        match message {
            Message::Overlay(OverlayMessage::Seek(seek)) => {
                self.asked.insert((from, seek.request), seek.at_least);
                Ok(())
            }
            Message::Overlay(OverlayMessage::Sought(sought)) => {
                let Some(asked) = self.asked.get(&(to, sought.request)) else { return Ok(()) };
                let is_right =
                    |found: Market| found.commodity == asked.commodity && found.class >= asked.class;
                Breach::unless(sought.market.is_none_or(is_right), "overlay", || {
                    format!("{:?} is named, and {asked} was asked for", sought.market)
                })
            }
            _ => Ok(()),
        }
    }
}

/// What keeps the overlay from being what it should be at rest.
pub(crate) fn unrest(hosts: &[Host], placement: Placement, successors: usize) -> Option<String> {
    if placement == Placement::Single {
        return None;
    }
    Commodity::ALL.into_iter().find_map(|commodity| unrest_of(hosts, commodity, successors))
}

fn unrest_of(hosts: &[Host], commodity: Commodity, successors: usize) -> Option<String> {
    let nodes = || hosts.iter().filter_map(Host::node);
    let listed: BTreeSet<Market> = nodes()
        .flat_map(|node| node.market().markets())
        .filter(|market| market.commodity == commodity)
        .collect();
    let stands =
        || nodes().flat_map(service::Node::overlay).filter(|stand| stand.me().market.commodity == commodity);
    let run: Vec<Market> = stands().map(|stand| stand.me().market).collect();
    if let Some(market) = run.iter().find(|market| !listed.contains(market)) {
        return Some(format!("{market} is in the overlay, and nobody is listed there"));
    }
    if run.len() != listed.len() {
        return Some(format!("{} nodes run {} markets of the overlay", run.len(), listed.len()));
    }
    let views: Vec<_> = stands().filter_map(chord::Chord::view).collect();
    let assumptions = Assumptions { successors, is_formed: false, hold: true };
    match check_ring(&views, assumptions) {
        _ if run.is_empty() => None,
        Ok(report) if report.is_ideal && report.members == run.len() => None,
        Ok(report) => Some(format!("the overlay of {commodity:?} is not ideal: {report:?}")),
        Err(violation) => Some(format!("the overlay of {commodity:?}: {violation}")),
    }
}
