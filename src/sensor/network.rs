//! The network as the policy limits it: what this node has sent and received, and whether that is paid for by
//! volume.

mod metered;
mod volume;

pub(super) use metered::is_metered;
pub(super) use volume::Volume;

use proto::Bytes;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts what this node sends and receives; clones count together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Traffic(Arc<AtomicU64>);

impl Traffic {
    /// So much was sent or received.
    pub(crate) fn add(&self, bytes: Bytes) {
        self.0.fetch_add(bytes.0, Ordering::Relaxed);
    }

    /// What was counted since the last call.
    pub(super) fn take(&self) -> Bytes {
        Bytes(self.0.swap(0, Ordering::Relaxed))
    }
}
