//! `node`: what every node can check of itself, ring, market and contracts alike.

use super::{Breach, Checked};

pub(crate) fn check(host: usize, opinion: Result<(), service::Violation>) -> Checked {
    opinion.map_err(|violation| Breach::new("node", format!("node {host} says: {violation}")))
}
