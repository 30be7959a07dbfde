//! Where something happens.

use std::fmt;

/// One process of the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The bank, which is the bootstrap server too.
    Bank,
    /// A node, by its number from 0.
    Host(usize),
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bank => write!(out, "bank"),
            Self::Host(host) => write!(out, "node {host}"),
        }
    }
}
