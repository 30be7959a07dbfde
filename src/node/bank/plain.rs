//! A store of one file: the frames of all records, one behind the other.

use bank::Record;
use bank::journal::{self, Reader};
use bank::store::{Store, StoreError};
use proto::{ContractId, PublicKey};
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

/// The file's name in the bank's directory.
const FILE: &str = "journal";
/// Bytes read at once.
const CHUNK: usize = 1 << 20;

/// The journal in one file. Without a `file` it only reads.
pub(super) struct PlainStore {
    path: PathBuf,
    file: Option<File>,
}

impl PlainStore {
    /// Opens the journal in `home`, or makes it.
    pub(super) fn open(home: &Path) -> Result<Self, StoreError> {
        let path = home.join(FILE);
        let file = OpenOptions::new().create(true).append(true).open(&path);
        let file = file.map_err(|error| failed("open the journal", &error))?;
        let synced = File::open(home).and_then(|directory| directory.sync_all());
        synced.map_err(|error| failed("sync the directory", &error))?;
        Ok(Self { path, file: Some(file) })
    }

    /// Reads only, and cuts nothing off.
    pub(super) fn reader(home: &Path) -> Self {
        Self { path: home.join(FILE), file: None }
    }
}

fn failed(what: &'static str, error: &io::Error) -> StoreError {
    StoreError::Failed { what, reason: error.to_string() }
}

impl Store for PlainStore {
    fn snapshot(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(None)
    }

    fn read(
        &mut self,
        from: u64,
        each: &mut dyn FnMut(Record) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut file = File::open(&self.path).map_err(|error| failed("open the journal", &error))?;
        let (mut reader, mut chunk) = (Reader::new(), vec![0; CHUNK]);
        loop {
            let count = file.read(&mut chunk).map_err(|error| failed("read the journal", &error))?;
            if count == 0 {
                break;
            }
            reader.push(chunk.get(..count).unwrap_or_default());
            while let Some(record) = reader.next_record()? {
                if record.sequence >= from {
                    each(record)?;
                }
            }
        }
        let tail = reader.finish()?;
        if let Some(file) = self.file.as_mut().filter(|_| tail.torn > 0) {
            tracing::warn!(bytes = tail.torn, "the last record of the journal is torn and is cut off");
            let cut = file.set_len(tail.good).and_then(|()| file.sync_all());
            cut.map_err(|error| failed("cut the journal", &error))?;
        }
        Ok(())
    }

    fn commit(&mut self, group: &[Record]) -> Result<(), StoreError> {
        let Some(file) = &mut self.file else {
            return Err(StoreError::Fenced { reason: "it was opened for reading".into() });
        };
        let bytes: Vec<u8> = group.iter().flat_map(journal::encode).collect();
        let written = file.write_all(&bytes).and_then(|()| file.sync_data());
        written.map_err(|error| failed("write the journal", &error))
    }

    fn keep_snapshot(&mut self, _: u64, _: &[u8]) -> Result<(), StoreError> {
        Ok(())
    }

    fn of_account(&mut self, _: PublicKey, _: u64, _: usize) -> Result<Vec<Record>, StoreError> {
        Ok(Vec::new())
    }

    fn of_contract(&mut self, _: ContractId) -> Result<Vec<Record>, StoreError> {
        Ok(Vec::new())
    }
}
