//! The bank's journal on disk, opened: the ledger that it comes to, and a store to write on in.

use super::plain::PlainStore;
use crate::cli::exit;
use crate::control::Failure;
use bank::store::{Store, StoreError};
use bank::{Replay, genesis};
use proto::{Hash, PublicKey};
use std::path::Path;

/// Opens the store in `home` and rebuilds the ledger.
///
/// # Errors
/// A store that cannot be read or written, and a journal that is not this bank's.
pub(super) fn open(home: &Path, bank: PublicKey) -> Result<(Box<dyn Store>, Replay), Failure> {
    let mut store: Box<dyn Store> = Box::new(PlainStore::open(home).map_err(|error| failure(&error))?);
    let mut replay = Replay::new(bank);
    let mut wrong = None;
    let read = store.read(0, &mut |record| {
        replay.follow(&record).map_err(|error| {
            wrong = Some(error.to_string());
            StoreError::Foreign { reason: error.to_string() }
        })
    });
    if let Some(wrong) = wrong {
        return Err(Failure::new("journal", wrong, exit::FAILED));
    }
    read.map_err(|error| failure(&error))?;
    Ok((store, replay))
}

/// Opens the store in `home` once more, for reading only.
pub(super) fn reader(home: &Path) -> Result<Box<dyn Store>, StoreError> {
    Ok(Box::new(PlainStore::reader(home)))
}

/// The chain of the last record that `replay` has, or the one before the first.
pub(super) fn head(home: &Path, replay: &Replay, bank: PublicKey) -> Result<Hash, Failure> {
    let mut head = genesis(bank);
    let Some(last) = replay.next().checked_sub(1) else { return Ok(head) };
    let read = reader(home).and_then(|mut store| {
        store.read(last, &mut |record| {
            head = record.chain;
            Ok(())
        })
    });
    read.map_err(|error| failure(&error))?;
    Ok(head)
}

/// What the store did, for people.
pub(super) fn failure(error: &StoreError) -> Failure {
    let (code, hint) = match error {
        StoreError::Full { .. } => ("disk_full", "make room and start the bank again: nothing is lost"),
        StoreError::Damaged(_) => ("journal", "keep the journal and restore it from a copy or a standby"),
        StoreError::Foreign { .. } => ("journal", "give each bank a directory of its own"),
        StoreError::Fenced { .. } => ("taken_over", "one process may write to it, this one has to stop"),
        StoreError::Failed { .. } => {
            ("disk", "what was not acknowledged may or may not be kept; start it again")
        }
    };
    Failure::new(code, error.to_string(), exit::FAILED).hint(hint)
}
