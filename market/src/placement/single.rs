//! The single overlay scheme (CompuP2P paper, IV-A1): the capacity itself is the key.
//!
//! The raw value would put every market on one node (a value of 2^24 on a circle of 2^160 points), so its
//! class is scaled over the whole circle: neighbouring classes lie next to each other, and whoever owns one
//! often owns the next, which is what makes the search upwards cheap.

use proto::{Market, RingId};

/// The key of `market`.
#[must_use]
pub fn key(market: Market) -> RingId {
    market.key()
}
