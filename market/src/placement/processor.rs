//! The processor overlay scheme (CompuP2P paper, IV-A2): the hash of the market is its key, so that markets that lie
//! close together, as those of similar machines do, fall to different nodes.

use proto::{Market, RingId};

/// The key of `market`: the hash of its name, such as `compute/40`.
#[must_use]
pub fn key(market: Market) -> RingId {
    RingId::hash(market.to_string().as_bytes())
}
