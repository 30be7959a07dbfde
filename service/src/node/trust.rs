//! What the node's user may see of its experience with sellers.

use super::Node;
use crate::dispatch::Experience;
use proto::PublicKey;

impl Node {
    /// What was seen of each seller: whose results were right, and whose attempts came to nothing.
    pub fn experience(&self) -> impl Iterator<Item = (PublicKey, Experience)> + '_ {
        self.dispatch.experience()
    }

    /// Grows whenever something more is seen: then it is to be kept.
    #[must_use]
    pub const fn experience_version(&self) -> u64 {
        self.dispatch.experience_version()
    }
}
