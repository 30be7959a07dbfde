//! The real disk under a file store.

use bank::store::disk::{Disk, DiskError};
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

/// Files that are kept open.
const MAX_OPEN: usize = 64;

/// A directory of files.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
    /// Those that were used last, by name.
    open: BTreeMap<String, File>,
    /// What keeps other writers away, held as long as this is.
    lock: Option<File>,
}

impl Directory {
    /// The directory `path`, to be written by whoever has its lock, and else to be read.
    pub(crate) const fn new(path: PathBuf, lock: Option<File>) -> Self {
        Self { path, open: BTreeMap::new(), lock }
    }

    fn file(&mut self, name: &str) -> Result<&File, DiskError> {
        if !self.open.contains_key(name) {
            let path = self.path.join(name);
            let is_writer = self.lock.is_some();
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
