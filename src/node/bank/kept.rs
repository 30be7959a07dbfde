//! The bank's journal on disk, opened: the ledger that it comes to, and a store to write on in.

use super::disk::{self, KeptStore};
use super::postgres::REACH;
use super::writer;
use crate::cli::exit;
use crate::control::Failure;
use crate::node::random;
use bank::store::{Store as _, StoreError};
use bank::{Replay, genesis};
use proto::{Hash, PublicKey};
use std::path::Path;

/// Opens the store in `home` and rebuilds the ledger.
///
/// # Errors
/// A store that cannot be read or written, and a journal that is not this bank's.
pub(super) fn open(home: &Path, bank: PublicKey) -> Result<(KeptStore, Replay), Failure> {
    let mut store = disk::open(home, bank, random::bytes()?).map_err(|error| failure(&error))?;
    let replay = writer::rebuild(&mut store, bank).map_err(|error| failure(&error))?;
    Ok((store, replay))
}

/// The chain of the last record that `replay` has, or the one before the first.
///
/// # Errors
/// A store that cannot be read.
pub(super) fn head(home: &Path, replay: &Replay, bank: PublicKey) -> Result<Hash, Failure> {
    let mut head = genesis(bank);
    let Some(last) = replay.next().checked_sub(1) else { return Ok(head) };
    let read = disk::reader(home, bank).read(last, &mut |record| {
        head = record.chain;
        Ok(())
    });
    read.map_err(|error| failure(&error))?;
    Ok(head)
}

/// Why the bank ends or does not start, and what its operator does about it.
pub(super) fn failure(error: &StoreError) -> Failure {
    let (code, hint) = match error {
        StoreError::Full { .. } => ("disk_full", "make room and start the bank again: nothing is lost"),
        StoreError::Damaged(_) => {
            ("journal", "keep the files as they are, and restore a copy or promote a standby")
        }
        StoreError::Foreign { .. } => ("journal", "each bank has a directory of its own: see --home"),
        StoreError::Fenced { .. } => ("fenced", "one process writes to a journal: end the other one first"),
        StoreError::Failed { what, .. } if *what == REACH => {
            let hint =
                "look after the database, then start the bank again: what it has acknowledged is there";
            let failure = Failure::new("store_unreachable", error.to_string(), exit::UNREACHABLE);
            return Failure { retryable: true, ..failure.hint(hint) };
        }
        StoreError::Failed { .. } => {
            ("disk", "look after the disk, then start the bank again: what it has acknowledged is there")
        }
    };
    Failure::new(code, error.to_string(), exit::FAILED).hint(hint)
}
