//! `bounded`: whatever arrives, a market owner keeps no more than its bounds, and one message leads to few others.

use super::{Breach, Checked};
use crate::host::Host;
use market::owner::MAX_MATCHES;
use market::{MAX_LISTINGS, Marketplace};

/// Messages that may follow from one event. A node that loses a neighbour asks for as many matches as are under way.
const MAX_SENT: usize = 2 * MAX_MATCHES;

/// What a node keeps for others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// Listings in its books.
    pub listings: usize,
    /// Copies of listings of others' markets.
    pub kept: usize,
    /// Matches under way, and buyers that wait for a hand-over.
    pub matches: usize,
}

impl Load {
    pub(crate) fn of(market: &Marketplace) -> Self {
        Self { listings: market.listings().count(), kept: market.kept().count(), matches: market.matches() }
    }
}

/// What a node keeps after an event.
pub(crate) fn check(host: &Host, load: Load) -> Checked {
    let Load { listings, kept, matches } = load;
    let is_bounded = listings <= MAX_LISTINGS && kept <= MAX_LISTINGS && matches <= MAX_MATCHES;
    Breach::unless(is_bounded, "bounded", || format!("node {} keeps {load:?}", host.number))
}

/// How many messages a node sends after one event.
pub(crate) fn sent(number: usize, count: usize) -> Checked {
    Breach::unless(count <= MAX_SENT, "bounded", || {
        format!("node {number} sends {count} messages after one event")
    })
}
