//! A content on its way: each piece is checked before it is written, in whichever order they come and from whomever.
//!
//! What was written is kept when the way is cut. Whoever goes on, also a later process, looks at the pieces in the file
//! and keeps those that are right; so a file that a crash has spoilt costs no more than the spoilt pieces.

use super::outline::{Outline, PIECE};
use super::pieces::Pieces;
use super::shelf::Access;
use super::{Store, StoreError, io_error};
use proto::Hash;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// Takes the pieces of one content. Dropped before [`Arrival::finish`], it leaves them for the next one.
#[derive(Debug)]
pub(crate) struct Arrival {
    outline: Outline,
    path: PathBuf,
    file: File,
    have: Mutex<Pieces>,
    /// How many pieces there are, for whoever waits for more.
    count: watch::Sender<u32>,
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

impl Arrival {
    /// Claims the partial file of a content and looks at what is in it.
    pub(super) fn open(store: Arc<Store>, outline: Outline) -> Result<Self, StoreError> {
        let hash = outline.blob().hash;
        let path = {
            let mut shelf = store.shelf();
            shelf.check_size(outline.blob().size.0)?;
            shelf.open_partial(hash)?;
            shelf.partial_path(&hash)
        };
        let lease = Lease { store, hash };
        let (file, have) = what_is_there(&path, &outline).map_err(io_error(&path))?;
        let size = (0..outline.pieces()).filter(|piece| have.has(*piece));
        let size = size.map(|piece| outline.length(piece)).sum();
        lease.store.shelf().set_partial_size(&hash, size);
        let count = watch::Sender::new(have.count());
        Ok(Self { outline, path, file, have: Mutex::new(have), count, lease })
    }

    /// The content's pieces.
    #[must_use]
    pub(crate) const fn outline(&self) -> &Outline {
        &self.outline
    }

    /// The pieces that are here.
    #[must_use]
    pub(crate) fn have(&self) -> Pieces {
        self.pieces().clone()
    }

    #[must_use]
    pub(crate) fn has(&self, piece: u32) -> bool {
        self.pieces().has(piece)
    }

    #[must_use]
    pub(crate) fn is_complete(&self) -> bool {
        self.pieces().is_complete()
    }

    /// Tells how many pieces are here, each time that it changes.
    pub(crate) fn watch(&self) -> watch::Receiver<u32> {
        self.count.subscribe()
    }

    /// Writes a piece; one that is here already changes nothing.
    ///
    /// # Errors
    /// Other bytes than the piece has (nothing of them is kept), no room, or what the file system refuses.
    pub(crate) async fn write(self: &Arc<Self>, piece: u32, bytes: Vec<u8>) -> Result<(), StoreError> {
        let arrival = Arc::clone(self);
        self.lease.store.blocking(move |_| arrival.write_now(piece, &bytes)).await
    }

    fn write_now(&self, piece: u32, bytes: &[u8]) -> Result<(), StoreError> {
        let hash = self.lease.hash;
        if !self.outline.fits(piece, bytes) {
            return Err(StoreError::WrongContent { hash });
        }
        if self.has(piece) {
            return Ok(());
        }
        self.lease.store.shelf().grow_partial(&hash, bytes.len() as u64)?;
        self.file.write_all_at(bytes, u64::from(piece) * PIECE).map_err(io_error(&self.path))?;
        let mut have = self.pieces();
        have.insert(piece);
        let count = have.count();
        drop(have);
        self.count.send_replace(count);
        Ok(())
    }

    /// A part of a piece that is here, from `offset` in the whole content on.
    ///
    /// # Errors
    /// What the file system refuses.
    pub(crate) async fn read(self: &Arc<Self>, offset: u64, length: usize) -> Result<Vec<u8>, StoreError> {
        let arrival = Arc::clone(self);
        let read = move |_: &Store| {
            let mut bytes = vec![0; length];
            arrival.file.read_exact_at(&mut bytes, offset).map_err(io_error(&arrival.path))?;
            Ok(bytes)
        };
        self.lease.store.blocking(read).await
    }

    /// Puts the content, all of whose pieces are here, into the store.
    ///
    /// # Errors
    /// Pieces that are missing, or what the file system refuses.
    pub(crate) async fn finish(self: &Arc<Self>, access: Access) -> Result<(), StoreError> {
        let arrival = Arc::clone(self);
        let finish = move |store: &Store| {
            let blob = arrival.outline.blob();
            if !arrival.is_complete() {
                return Err(StoreError::WrongContent { hash: blob.hash });
            }
            arrival.file.sync_data().map_err(io_error(&arrival.path))?;
            store.shelf().finish_partial(blob, access)?;
            store.outlines.remember(&arrival.outline);
            Ok(())
        };
        self.lease.store.blocking(finish).await
    }

    fn pieces(&self) -> MutexGuard<'_, Pieces> {
        self.have.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Opens a partial file, and finds the pieces in it that are right.
fn what_is_there(path: &PathBuf, outline: &Outline) -> io::Result<(File, Pieces)> {
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
    let mut have = Pieces::none(outline.pieces());
    let length = file.metadata()?.len();
    for piece in 0..outline.pieces() {
        let (start, size) = (u64::from(piece) * PIECE, outline.length(piece));
        if start + size > length {
            break;
        }
        let mut bytes = vec![0; usize::try_from(size).unwrap_or(0)];
        file.read_exact_at(&mut bytes, start)?;
        if outline.fits(piece, &bytes) {
            have.insert(piece);
        }
    }
    if length > outline.blob().size.0 {
        file.set_len(outline.blob().size.0)?;
    }
    Ok((file, have))
}
