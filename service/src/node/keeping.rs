//! What a node keeps for the programs of others, as its driver and its user see it.

use super::Node;

impl Node {
    /// Contracts of storage under which something is kept here.
    #[must_use]
    pub fn keeping(&self) -> usize {
        self.worker.keeping()
    }
}
