//! Contents that somebody needs: they stay in the store until the last of their pins is gone.

use super::Store;
use proto::Hash;
use std::sync::Arc;

/// Keeps contents, here already or not, as long as it lives.
#[derive(Debug)]
pub(crate) struct Pins {
    store: Arc<Store>,
    hashes: Vec<Hash>,
}

impl Pins {
    /// Pins `hashes` in `store`.
    #[must_use]
    pub(crate) fn new(store: &Arc<Store>, hashes: impl IntoIterator<Item = Hash>) -> Self {
        let mut pins = Self { store: Arc::clone(store), hashes: Vec::new() };
        hashes.into_iter().for_each(|hash| pins.add(hash));
        pins
    }

    /// Pins one more.
    pub(crate) fn add(&mut self, hash: Hash) {
        self.store.pin(hash);
        self.hashes.push(hash);
    }

    /// Takes the pins of one off.
    pub(crate) fn remove(&mut self, hash: &Hash) {
        let store = &self.store;
        self.hashes.retain(|other| {
            let is_other = other != hash;
            if !is_other {
                store.unpin(hash);
            }
            is_other
        });
    }
}

impl Drop for Pins {
    fn drop(&mut self) {
        self.hashes.iter().for_each(|hash| self.store.unpin(hash));
    }
}
