//! What a node does with contents.

use super::Node;
use proto::ContractId;

impl Node {
    /// Whether this node works for a contract: what it fetches for it belongs to somebody else.
    #[must_use]
    pub fn is_hired(&self, contract: ContractId) -> bool {
        self.worker.owns(contract)
    }
}
