//! `channel`: a message reaches a node under the name of whoever sent it.

use super::{Breach, Checked};
use crate::place::Place;
use proto::Peer;

/// `source` sent a message, and `from` is said to have: the peer of `source` is `truth`.
pub(crate) fn check(source: Place, truth: Peer, from: Peer) -> Checked {
    Breach::unless(truth == from, "channel", || {
        format!("a message from {source}, which is {truth}, is said to come from {from}")
    })
}
