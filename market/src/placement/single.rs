//! The single overlay scheme (CompuP2P paper, IV-A1): the capacity itself is the key.
//!
//! The raw value would put every market on one node (a value of 2^24 on a circle of 2^160 points), so its
//! class is scaled over the whole circle: neighbouring classes lie next to each other, and whoever owns one
//! often owns the next, which is what makes the search upwards cheap.

use proto::{Commodity, Market, RingId};

/// The key of `market`.
#[must_use]
pub fn key(market: Market) -> RingId {
    market.key()
}

/// The key of a class of compute power among `classes`.
#[must_use]
pub fn key_among(class: u32, classes: u32) -> RingId {
    RingId::hash(Commodity::Compute.name().as_bytes()).plus(RingId::fraction(class, classes))
}
