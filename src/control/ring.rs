//! The ring as commands show it. Times are in milliseconds.

use serde::{Deserialize, Serialize};

/// Another node of the ring.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct NeighbourView {
    pub(crate) node_id: String,
    pub(crate) address: String,
    pub(crate) account: String,
    /// The round trip; absent if it did not answer.
    pub(crate) ms: Option<f64>,
}

/// What a node knows of the ring.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct RingView {
    pub(crate) node_id: String,
    pub(crate) address: String,
    pub(crate) predecessor: Option<NeighbourView>,
    pub(crate) successors: Vec<NeighbourView>,
    pub(crate) fingers: Vec<NeighbourView>,
}

/// One node that a lookup asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct HopView {
    pub(crate) node: NeighbourView,
    /// `closer`, `owner`, or why it was of no use.
    pub(crate) answer: String,
}

/// A lookup with its path.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct LookupView {
    /// The key on the circle, in hexadecimal digits.
    pub(crate) key: String,
    pub(crate) path: Vec<HopView>,
    /// Who answers for the key.
    pub(crate) owner: NeighbourView,
    pub(crate) ms: f64,
}

/// A walk around the ring.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct RingCheckView {
    /// Nodes that were met.
    pub(crate) nodes: usize,
    /// Whether the walk came back to where it began.
    pub(crate) is_closed: bool,
    pub(crate) defects: Vec<String>,
    pub(crate) ms: f64,
}
