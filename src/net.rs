//! The node's network.
pub mod identity;
pub mod store;
mod tls;
