//! A content on its way: written piece by piece, hashed as it comes, kept when the way is cut.

use super::{COPY_BUFFER, MAX_BLOB, Store, StoreError, io_error};
use proto::Hash;
use proto::message::service::Blob;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

/// Writes one content. Dropped before [`PartialWriter::finish`], it leaves its bytes for the next writer.
#[derive(Debug)]
pub(crate) struct PartialWriter {
    blob: Blob,
    offset: u64,
    /// Absent after a failed write, or one that was waited for no longer.
    work: Option<Work>,
}

/// What goes to the thread that writes, and comes back.
#[derive(Debug)]
struct Work {
    file: File,
    path: PathBuf,
    hasher: blake3::Hasher,
    lease: Lease,
}

/// The claim to the partial file; it ends when the last write has ended.
#[derive(Debug)]
struct Lease {
    store: Arc<Store>,
    hash: Hash,
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.store.shelf().close_partial(&self.hash);
    }
}

impl PartialWriter {
    pub(super) async fn open(store: &Arc<Store>, blob: Blob) -> Result<Self, StoreError> {
        if blob.size.0 > MAX_BLOB {
            return Err(StoreError::TooLarge { size: blob.size.0 });
        }
        let owner = Arc::clone(store);
        let (work, offset) = store.blocking(move |_| open_now(owner, blob)).await?;
        Ok(Self { blob, offset, work: Some(work) })
    }

    /// How many bytes are here already; the next piece has to begin there.
    #[must_use]
    pub(crate) const fn offset(&self) -> u64 {
        self.offset
    }

    /// Whether all bytes are here. [`PartialWriter::finish`] tells whether they are the right ones.
    #[must_use]
    pub(crate) const fn is_complete(&self) -> bool {
        self.offset == self.blob.size.0
    }

    /// Appends a piece.
    ///
    /// # Errors
    /// More bytes than the content has (all of them are then removed), no room, or what the file system
    /// refuses. No more can be written after an error.
    pub(crate) async fn write(&mut self, piece: Vec<u8>) -> Result<(), StoreError> {
        let hash = self.blob.hash;
        let mut work = self.work.take().ok_or(StoreError::Busy { hash })?;
        let length = piece.len() as u64;
        if length > self.blob.size.0.saturating_sub(self.offset) {
            work.lease.store.shelf().empty_partial(&hash);
            return Err(StoreError::WrongContent { hash });
        }
        let store = Arc::clone(&work.lease.store);
        let written = store.blocking(move |store| {
            store.shelf().grow_partial(&hash, length)?;
            work.hasher.update(&piece);
            work.file.write_all(&piece).map_err(io_error(&work.path))?;
            Ok(work)
        });
        self.work = Some(written.await?);
        self.offset += length;
        Ok(())
    }

    /// Checks size and hash, and puts the content into the store.
    ///
    /// # Errors
    /// Too few or wrong bytes (they are removed), or what the file system refuses.
    pub(crate) async fn finish(mut self) -> Result<(), StoreError> {
        let blob = self.blob;
        let is_complete = self.is_complete();
        let work = self.work.take().ok_or(StoreError::Busy { hash: blob.hash })?;
        let store = Arc::clone(&work.lease.store);
        store
            .blocking(move |store| {
                if !is_complete || work.hasher.finalize().as_bytes() != &blob.hash.0 {
                    store.shelf().empty_partial(&blob.hash);
                    return Err(StoreError::WrongContent { hash: blob.hash });
                }
                work.file.sync_data().map_err(io_error(&work.path))?;
                store.shelf().finish_partial(blob)
            })
            .await
    }
}

/// Claims the partial file and hashes what is in it.
fn open_now(store: Arc<Store>, blob: Blob) -> Result<(Work, u64), StoreError> {
    let path = {
        let mut shelf = store.shelf();
        shelf.check_size(blob.size.0)?;
        shelf.open_partial(blob.hash)?;
        shelf.partial_path(&blob.hash)
    };
    let lease = Lease { store, hash: blob.hash };
    let (file, hasher, size) = hash_what_is_there(&path, blob.size.0).map_err(io_error(&path))?;
    lease.store.shelf().set_partial_size(&blob.hash, size);
    Ok((Work { file, path, hasher, lease }, size))
}

/// Opens a partial file for appending; one that is longer than the content starts anew.
fn hash_what_is_there(path: &PathBuf, size: u64) -> io::Result<(File, blake3::Hasher, u64)> {
    let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
    let mut hasher = blake3::Hasher::new();
    if file.metadata()?.len() > size {
        file.set_len(0)?;
    }
    let mut buffer = vec![0; COPY_BUFFER];
    let mut length = 0;
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok((file, hasher, length)),
            Ok(count) => {
                hasher.update(buffer.get(..count).unwrap_or_default());
                length += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
