//! The real disk under a file store, and the two ways to open one.
//!
//! A directory has one writer: whoever holds the lock on its file `lock`, which the system gives back when the process
//! ends, however it ends.

use bank::store::StoreError;
use bank::store::disk::{Disk, DiskError};
use bank::store::file::{self, FileStore, Sizes};
use proto::PublicKey;
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

/// The directory of the journal in a bank's home.
const JOURNAL: &str = "journal";
/// The file that the writer locks.
const LOCK: &str = "lock";
/// Files that are kept open.
const MAX_OPEN: usize = 64;

/// A store of files in a bank's home.
pub(crate) type KeptStore = FileStore<Directory>;

/// Opens the store in `home` to write, and makes it if it is not there. `salt` is 32 bytes that nobody can guess.
///
/// # Errors
/// [`StoreError::Fenced`] if another process writes to it; see [`FileStore::open`] for the rest.
pub(super) fn open(home: &Path, bank: PublicKey, salt: [u8; 32]) -> Result<KeptStore, StoreError> {
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

/// How many records the newest snapshot in a store has; 0 if there is none.
pub(super) fn newest_snapshot(store: &mut KeptStore) -> Result<u64, StoreError> {
    store.snapshot_count().map(Option::unwrap_or_default)
}

/// A directory of files.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
    /// Those that were used last, by name.
    open: BTreeMap<String, File>,
    /// Held as long as the store is open.
    _lock: Option<File>,
}

impl Directory {
    fn new(path: PathBuf, lock: Option<File>) -> Self {
        Self { path, open: BTreeMap::new(), _lock: lock }
    }

    fn file(&mut self, name: &str) -> Result<&File, DiskError> {
        if !self.open.contains_key(name) {
            let path = self.path.join(name);
            let is_writer = self._lock.is_some();
            let file = OpenOptions::new().read(true).write(is_writer).open(&path);
            self.keep(name, file.map_err(|error| told(&path, &error))?);
        }
        let missing = || DiskError::Failed { reason: format!("{name} is not open") };
        self.open.get(name).ok_or_else(missing)
    }

    fn keep(&mut self, name: &str, file: File) {
        if self.open.len() >= MAX_OPEN {
            self.open.clear();
        }
        self.open.insert(name.into(), file);
    }

    fn told(&self, name: &str) -> impl Fn(io::Error) -> DiskError + use<> {
        let path = self.path.join(name);
        move |error| told(&path, &error)
    }
}

impl Disk for Directory {
    fn list(&mut self) -> Result<Vec<String>, DiskError> {
        let told = self.told("");
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(&told)? {
            if let Ok(name) = entry.map_err(&told)?.file_name().into_string() {
                names.push(name);
            }
        }
        Ok(names)
    }

    fn length(&mut self, file: &str) -> Result<u64, DiskError> {
        let told = self.told(file);
        self.file(file)?.metadata().map(|metadata| metadata.len()).map_err(told)
    }

    fn read(&mut self, file: &str, from: u64, into: &mut [u8]) -> Result<usize, DiskError> {
        let told = self.told(file);
        let file = self.file(file)?;
        loop {
            match file.read_at(into, from) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => return read.map_err(told),
            }
        }
    }

    fn create(&mut self, file: &str) -> Result<(), DiskError> {
        let path = self.path.join(file);
        let made = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&path);
        self.keep(file, made.map_err(|error| told(&path, &error))?);
        Ok(())
    }

    fn write(&mut self, file: &str, at: u64, bytes: &[u8]) -> Result<(), DiskError> {
        let told = self.told(file);
        self.file(file)?.write_all_at(bytes, at).map_err(told)
    }

    fn sync(&mut self, file: &str) -> Result<(), DiskError> {
        let told = self.told(file);
        // "No room" at a sync is not told from other errors: what the disk holds is unknown either way.
        self.file(file)?.sync_data().map_err(|error| DiskError::Failed { reason: told(error).to_string() })
    }

    fn truncate(&mut self, file: &str, length: u64) -> Result<(), DiskError> {
        let told = self.told(file);
        self.file(file)?.set_len(length).map_err(told)
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<(), DiskError> {
        let told = self.told(from);
        self.open.remove(to);
        let file = self.open.remove(from);
        fs::rename(self.path.join(from), self.path.join(to)).map_err(told)?;
        if let Some(file) = file {
            self.keep(to, file);
        }
        Ok(())
    }

    fn remove(&mut self, file: &str) -> Result<(), DiskError> {
        self.open.remove(file);
        match fs::remove_file(self.path.join(file)) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            removed => removed.map_err(self.told(file)),
        }
    }

    fn sync_directory(&mut self) -> Result<(), DiskError> {
        let told = self.told("");
        File::open(&self.path).and_then(|directory| directory.sync_all()).map_err(told)
    }
}

/// The system's words, with the file.
fn told(path: &Path, error: &io::Error) -> DiskError {
    let reason = format!("{}: {error}", path.display());
    match error.kind() {
        // A file that may not grow any more is as full as a disk.
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            DiskError::NoRoom { reason }
        }
        _ => DiskError::Failed { reason },
    }
}
