//! A bank's journal in its home, opened: to write and to read.
//!
//! A directory has one writer: whoever holds the lock on its file `lock`, which the system gives back when the process
//! ends, however it ends.

use super::disk::Directory;
use super::postgres;
use super::writer::rebuild;
use crate::cli::exit;
use crate::control::Failure;
use crate::node::random;
use bank::store::file::{self, FileStore, Sizes};
use bank::store::{Store, StoreError};
use bank::{Replay, genesis};
use proto::{Hash, PublicKey};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;

/// The directory of the journal in a bank's home.
const JOURNAL: &str = "journal";
/// The file that the writer locks.
const LOCK: &str = "lock";

/// A store of files in a bank's home.
pub(crate) type KeptStore = FileStore<Directory>;

/// Opens the store in `home` to write, makes it if it is not there, and rebuilds the ledger. With it comes how many
/// records the newest snapshot has.
///
/// # Errors
/// A store that cannot be read or written, that another process writes to, or that is not this bank's.
pub(super) fn open(home: &Path, bank: PublicKey) -> Result<(Box<dyn Store>, Replay, u64), Failure> {
    let mut store = open_files(home, bank, random::bytes()?).map_err(|error| failure(&error))?;
    let known = store.snapshot_count().map_err(|error| failure(&error))?.unwrap_or_default();
    let replay = rebuild(&mut store, bank).map_err(|error| failure(&error))?;
    Ok((Box::new(store), replay, known))
}

/// Opens the store in `home` to write, and makes it if it is not there. `salt` is 32 bytes that nobody can guess.
///
/// # Errors
/// A store that cannot be read or written, that another process writes to, or that is not this bank's.
pub(super) fn open_files(home: &Path, bank: PublicKey, salt: [u8; 32]) -> Result<KeptStore, StoreError> {
    let path = home.join(JOURNAL);
    if path.is_file() {
        let reason = format!("{} is a file, of an older version of this program", path.display());
        return Err(StoreError::Foreign { reason });
    }
    let failed = |error: io::Error| StoreError::Failed {
        what: "make the directory of the journal",
        reason: format!("{}: {error}", path.display()),
    };
    fs::create_dir_all(&path).map_err(failed)?;
    File::open(home).and_then(|home| home.sync_all()).map_err(failed)?;
    let lock = OpenOptions::new().create(true).truncate(false).write(true).open(path.join(LOCK));
    let lock = lock.map_err(failed)?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let reason = format!("another process writes to {}", path.display());
            return Err(StoreError::Fenced { reason });
        }
        Err(TryLockError::Error(error)) => return Err(failed(error)),
    }
    let store = FileStore::open(Directory::new(path, Some(lock)), bank, salt, Sizes::DEFAULT)?;
    if let Some(cut) = store.cut() {
        let (file, bytes) = (&cut.file, cut.bytes);
        tracing::warn!(%file, bytes, "the last write to the journal is torn and is cut off: nobody was told of it");
    }
    Ok(store)
}

/// The chain of the last record that `replay` has, or the one before the first.
///
/// # Errors
/// A store that cannot be read.
pub(super) fn head(home: &Path, replay: &Replay, bank: PublicKey) -> Result<Hash, Failure> {
    let mut head = genesis(bank);
    let Some(last) = replay.next().checked_sub(1) else { return Ok(head) };
    let read = reader(home, bank).read(last, &mut |record| {
        head = record.chain;
        Ok(())
    });
    read.map_err(|error| failure(&error))?;
    Ok(head)
}

/// Opens the store in `home` to read, beside the one that writes.
pub(super) fn reader(home: &Path, bank: PublicKey) -> KeptStore {
    FileStore::open_to_read(Directory::new(home.join(JOURNAL), None), bank)
}

/// Whose journal is in `home`; `None` if there is none.
pub(super) fn bank_of(home: &Path) -> Result<Option<PublicKey>, StoreError> {
    let path = home.join(JOURNAL);
    if path.is_dir() { file::bank_of(&mut Directory::new(path, None)) } else { Ok(None) }
}

/// Keeps others from writing to the store in `home` as long as the file is held; none if there is nothing to hold.
///
/// # Errors
/// [`StoreError::Fenced`] if a process writes to it.
pub(super) fn hold_still(home: &Path) -> Result<Option<File>, StoreError> {
    let path = home.join(JOURNAL);
    let Ok(lock) = File::open(path.join(LOCK)) else { return Ok(None) };
    match lock.try_lock_shared() {
        Ok(()) => Ok(Some(lock)),
        Err(TryLockError::WouldBlock) => {
            let reason = format!("a process writes to {}", path.display());
            Err(StoreError::Fenced { reason })
        }
        Err(TryLockError::Error(error)) => {
            Err(StoreError::Failed { what: "lock the journal", reason: error.to_string() })
        }
    }
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
        StoreError::Failed { what, .. } if *what == postgres::REACH => {
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
