//! The suite over the store in files.

use super::{Place, check_all};
use bank::store::file::{FileStore, Sizes};
use bank::store::{Store, StoreError};
use proto::PublicKey;
use sim::disk::FaultyDisk;

#[test]
fn a_store_in_files_keeps_what_every_store_promises() {
    check_all(|| Box::new(Directory { disk: FaultyDisk::new() }));
}

/// Small files, so that there are many.
const SIZES: Sizes = Sizes { segment: 20_000, ahead: 4_000, reserve: 1_000 };

struct Directory {
    disk: FaultyDisk,
}

impl Place for Directory {
    fn open(&mut self, bank: PublicKey) -> Result<Box<dyn Store>, StoreError> {
        Ok(Box::new(FileStore::open(self.disk.clone(), bank, [7; 32], SIZES)?))
    }
}
