//! The invariants of the ring.

mod node;
mod ring;

pub use node::Violation;
pub(crate) use node::check_node;
pub use ring::{
    Assumptions, Blame, Property, RingReport, RingViolation, View, breaks_assumptions, check_ring,
};
