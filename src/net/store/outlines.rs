//! The hashes of pieces that were worked out lately: they are asked for again by everybody who fetches the content.

use super::outline::{MAX_PIECES, Outline};
use proto::Hash;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Pieces whose hashes are remembered, 32 bytes each.
const MOST: u32 = 16 * MAX_PIECES;

#[derive(Debug, Default)]
pub(super) struct Outlines(Mutex<BTreeMap<Hash, Outline>>);

impl Outlines {
    pub(super) fn known(&self, hash: &Hash) -> Option<Outline> {
        self.lock().get(hash).cloned()
    }

    /// Remembers an outline; others go when there are too many, whichever, since each can be worked out again.
    pub(super) fn remember(&self, outline: &Outline) {
        let mut known = self.lock();
        let cost = |outline: &Outline| outline.pieces().max(1);
        let mut all: u32 = known.values().map(cost).sum();
        while all.saturating_add(cost(outline)) > MOST {
            let Some((_, gone)) = known.pop_first() else { break };
            all = all.saturating_sub(cost(&gone));
        }
        known.insert(outline.blob().hash, outline.clone());
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Hash, Outline>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
