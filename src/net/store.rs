//! The content store: bulk data by its BLAKE3 hash, on disk, within a quota.
//!
//! ```text
//! objects/ab/cdef…   complete contents, read-only, named by their hash
//! partial/abcdef…    contents on their way, kept when a fetch is cut so that it can go on; only pieces that were checked
//! draft/…            copies being made; emptied at the start
//! ```
//!
//! What an execution has left for somebody who has yet to sign for it is shown to nobody: such a file may be read by its
//! owner only, so that a later process keeps it back as well. Whoever signs is shown it from then on.
//!
//! What was fetched for a contract is shown to the owner of the content and to whoever has the owner's pass (mode 0440);
//! a later process forgets who the owner was, and shows it to nobody until it is fetched for a contract again.
//!
//! What was not used for the longest time makes room for the new, unless it is pinned. One process uses a
//! directory at a time.

mod arrival;
mod outline;
mod outlines;
mod pieces;
mod pins;
mod shelf;
#[cfg(test)]
mod tests;

pub(crate) use arrival::Arrival;
pub(crate) use outline::{Outline, PIECE};
pub(crate) use pieces::Pieces;
pub(crate) use pins::Pins;
pub(crate) use shelf::Access;

use outline::Outliner;
use outlines::Outlines;
use proto::id::hex;
use proto::message::service::Blob;
use proto::{Bytes, Hash, PublicKey};
use shelf::Shelf;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The largest content that is kept or fetched, in bytes.
pub(crate) const MAX_BLOB: u64 = 4 << 30;
/// How much of a file is read at once while it is hashed and copied, in bytes.
const COPY_BUFFER: usize = 1 << 20;

/// Why the store does not do what was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// There is no such content here.
    #[error("the content {hash} is not in the store")]
    Absent {
        /// Its name.
        hash: Hash,
    },
    /// Larger than any content may be.
    #[error("a content of {size} bytes is too large: at most {MAX_BLOB} bytes are kept")]
    TooLarge {
        /// Its size in bytes.
        size: u64,
    },
    /// All that could be removed is not enough.
    #[error(
        "no room for {needed} bytes: {used} of {quota} are used by contents that are needed; \
         raise the store's quota or wait until running work ends"
    )]
    Full {
        /// How many more bytes were asked for.
        needed: u64,
        /// How many are there.
        used: u64,
        /// How many there may be.
        quota: u64,
    },
    /// The bytes are not those that the name stands for.
    #[error("the bytes received for the content {hash} are others than its name says")]
    WrongContent {
        /// The name.
        hash: Hash,
    },
    /// Another writer of the same content is at work.
    #[error("the content {hash} is being written already")]
    Busy {
        /// Its name.
        hash: Hash,
    },
    /// The file that is to be copied is none, or may not be read.
    #[error("{why}")]
    Unreadable {
        /// What it is, or what the file system says.
        why: String,
    },
    /// The file system refuses.
    #[error("cannot use the content store at {path}: {source}")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
}

/// Where the bytes of a new content come from.
enum Source {
    Bytes(Vec<u8>),
    File(PathBuf),
}

/// A directory of contents.
#[derive(Debug)]
pub(crate) struct Store {
    directory: PathBuf,
    shelf: Mutex<Shelf>,
    outlines: Outlines,
    drafts: AtomicU64,
}

impl Store {
    /// Opens the store in `directory`, made if it is not there, with at most `quota` bytes of contents.
    ///
    /// Reads the directory, so call it before anything is in a hurry.
    ///
    /// # Errors
    /// What the file system refuses.
    pub(crate) fn open(directory: &Path, quota: Bytes) -> Result<Self, StoreError> {
        let drafts = directory.join("draft");
        if drafts.exists() {
            fs::remove_dir_all(&drafts).map_err(io_error(&drafts))?;
        }
        for place in [drafts, directory.join("objects"), directory.join("partial")] {
            fs::create_dir_all(&place).map_err(io_error(&place))?;
        }
        let mut shelf = Shelf::new(directory, quota.0);
        shelf.scan().map_err(io_error(directory))?;
        Ok(Self {
            directory: directory.into(),
            shelf: Mutex::new(shelf),
            outlines: Outlines::default(),
            drafts: AtomicU64::new(0),
        })
    }

    /// Keeps to another quota from now on; what is there and not needed goes when room is wanted.
    pub(crate) fn set_quota(&self, quota: Bytes) {
        self.shelf().quota = quota.0;
    }

    /// Whether the content is here, complete.
    #[must_use]
    pub(crate) fn has(&self, hash: &Hash) -> bool {
        self.shelf().use_object(hash).is_some()
    }

    /// The same, without counting it as a use.
    #[must_use]
    pub(crate) fn holds(&self, hash: &Hash) -> bool {
        self.shelf().holds(hash)
    }

    /// The content's size, if it is here.
    #[must_use]
    pub(crate) fn size(&self, hash: &Hash) -> Option<Bytes> {
        self.shelf().use_object(hash).map(Bytes)
    }

    /// The file that holds the content. It is read-only and has to stay as it is: copy it before it is changed,
    /// and pin it for as long as the file is needed.
    #[must_use]
    pub(crate) fn path(&self, hash: &Hash) -> Option<PathBuf> {
        let mut shelf = self.shelf();
        shelf.use_object(hash).map(|_| shelf.object_path(hash))
    }

    /// Keeps a content, here already or not, until it is unpinned as often as it was pinned.
    pub(crate) fn pin(&self, hash: Hash) {
        self.shelf().pin(hash);
    }

    /// Takes one pin off.
    pub(crate) fn unpin(&self, hash: &Hash) {
        self.shelf().unpin(hash);
    }

    /// Whether whoever holds `key` may be sent a content that is here; `owner` is who has let it, by a pass.
    #[must_use]
    pub(crate) fn is_shown(&self, hash: &Hash, key: PublicKey, owner: Option<PublicKey>) -> bool {
        self.shelf().is_shown(hash, key, owner)
    }

    /// Whether a content that is here is sent to whoever names its hash.
    #[must_use]
    pub(crate) fn is_open(&self, hash: &Hash) -> bool {
        self.shelf().is_open(hash)
    }

    /// A content that is here was fetched once more, from somebody else perhaps.
    ///
    /// # Errors
    /// What the file system refuses.
    pub(crate) fn widen(&self, hash: &Hash, access: &Access) -> Result<(), StoreError> {
        self.shelf().widen(hash, access)
    }

    /// Shows a content to whoever holds `key` from now on.
    pub(crate) fn show(&self, hash: &Hash, key: PublicKey) {
        self.shelf().show(hash, key);
    }

    /// The bytes of all contents, complete or not.
    #[must_use]
    pub(crate) fn used(&self) -> Bytes {
        Bytes(self.shelf().used())
    }

    /// How many bytes there may be.
    #[must_use]
    pub(crate) fn quota(&self) -> Bytes {
        Bytes(self.shelf().quota)
    }

    /// Contents that are here, complete.
    #[must_use]
    pub(crate) fn count(&self) -> usize {
        self.shelf().count()
    }

    /// Stores bytes.
    ///
    /// # Errors
    /// No room, too large, or what the file system refuses.
    pub(crate) async fn put_bytes(self: &Arc<Self>, bytes: Vec<u8>) -> Result<Blob, StoreError> {
        self.put(Access::Everybody, Source::Bytes(bytes)).await
    }

    /// Stores bytes that are shown to nobody until [`Store::show`], unless they are here and shown already.
    ///
    /// # Errors
    /// No room, too large, or what the file system refuses.
    pub(crate) async fn withhold_bytes(self: &Arc<Self>, bytes: Vec<u8>) -> Result<Blob, StoreError> {
        self.put(Access::nobody(), Source::Bytes(bytes)).await
    }

    /// Stores a copy of a file (a copy, since a link would change with the file).
    ///
    /// # Errors
    /// No room, too large, or what the file system refuses.
    pub(crate) async fn put_file(self: &Arc<Self>, path: PathBuf) -> Result<Blob, StoreError> {
        self.put(Access::Everybody, Source::File(path)).await
    }

    /// Stores a copy of a file that is shown to nobody until [`Store::show`], unless it is here and shown already.
    ///
    /// # Errors
    /// No room, too large, or what the file system refuses.
    pub(crate) async fn withhold_file(self: &Arc<Self>, path: PathBuf) -> Result<Blob, StoreError> {
        self.put(Access::nobody(), Source::File(path)).await
    }

    async fn put(self: &Arc<Self>, access: Access, source: Source) -> Result<Blob, StoreError> {
        self.blocking(move |store| match source {
            Source::Bytes(bytes) => store.copy_in(&mut bytes.as_slice(), bytes.len() as u64, access),
            Source::File(path) => {
                let unreadable = |error: std::io::Error| StoreError::Unreadable { why: error.to_string() };
                // Before it is opened, since opening a pipe waits for its other end.
                if !fs::metadata(&path).map_err(unreadable)?.is_file() {
                    return Err(StoreError::Unreadable { why: "it is not a regular file".into() });
                }
                let mut file = File::open(&path).map_err(unreadable)?;
                let size = file.metadata().map_err(unreadable)?.len();
                store.copy_in(&mut file, size, access)
            }
        })
        .await
    }

    /// Up to `length` bytes of a content from `offset` on; fewer at its end.
    ///
    /// # Errors
    /// An absent content, or what the file system refuses.
    pub(crate) async fn read(
        self: &Arc<Self>,
        hash: Hash,
        offset: u64,
        length: usize,
    ) -> Result<Vec<u8>, StoreError> {
        self.blocking(move |store| store.read_now(hash, offset, length)).await
    }

    /// Takes the pieces of a content, and goes on where an earlier one was cut.
    ///
    /// # Errors
    /// Too large, another one at work, or what the file system refuses.
    pub(crate) async fn arrival(self: &Arc<Self>, outline: Outline) -> Result<Arc<Arrival>, StoreError> {
        let owner = Arc::clone(self);
        self.blocking(move |_| Arrival::open(owner, outline)).await.map(Arc::new)
    }

    /// The hashes of the pieces of a content that is here.
    ///
    /// # Errors
    /// An absent content, one whose file has been changed, or what the file system refuses.
    pub(crate) async fn outline(self: &Arc<Self>, hash: Hash) -> Result<Outline, StoreError> {
        if let Some(known) = self.outlines.known(&hash).filter(|_| self.has(&hash)) {
            return Ok(known);
        }
        self.blocking(move |store| store.outline_now(hash)).await
    }

    fn outline_now(&self, hash: Hash) -> Result<Outline, StoreError> {
        let path = self.path(&hash).ok_or(StoreError::Absent { hash })?;
        let mut file = File::open(&path).map_err(io_error(&path))?;
        let outline = copy_and_hash(&mut file, &mut io::sink()).map_err(io_error(&path))?;
        if outline.blob().hash != hash {
            // Whatever has changed it, it is not what its name stands for any more.
            discard(&path);
            self.shelf().forget(&hash);
            return Err(StoreError::WrongContent { hash });
        }
        self.outlines.remember(&outline);
        Ok(outline)
    }

    fn read_now(&self, hash: Hash, offset: u64, length: usize) -> Result<Vec<u8>, StoreError> {
        let path = self.path(&hash).ok_or(StoreError::Absent { hash })?;
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.shelf().forget(&hash);
                return Err(StoreError::Absent { hash });
            }
            Err(error) => return Err(io_error(&path)(error)),
        };
        let mut bytes = Vec::with_capacity(length.min(COPY_BUFFER));
        file.seek(SeekFrom::Start(offset)).map_err(io_error(&path))?;
        file.take(length as u64).read_to_end(&mut bytes).map_err(io_error(&path))?;
        Ok(bytes)
    }

    /// Copies and hashes at once, then moves the copy to its place.
    fn copy_in(&self, source: &mut impl io::Read, size: u64, access: Access) -> Result<Blob, StoreError> {
        if size > MAX_BLOB {
            return Err(StoreError::TooLarge { size });
        }
        self.shelf().check_size(size)?;
        let draft =
            self.directory.join("draft").join(self.drafts.fetch_add(1, Ordering::Relaxed).to_string());
        let copied = copy_to_file(source, &draft).map_err(io_error(&draft)).and_then(|outline| {
            let blob = outline.blob();
            if blob.size.0 > MAX_BLOB {
                return Err(StoreError::TooLarge { size: blob.size.0 });
            }
            self.shelf().admit(&draft, blob, access)?;
            self.outlines.remember(&outline);
            Ok(blob)
        });
        if copied.is_err() {
            discard(&draft);
        }
        copied
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn blocking<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let store = Arc::clone(self);
        let path = self.directory.clone();
        let done = tokio::task::spawn_blocking(move || work(&store)).await;
        done.unwrap_or_else(|gone| Err(io_error(&path)(io::Error::other(gone))))
    }
}

fn copy_to_file(source: &mut impl io::Read, to: &Path) -> io::Result<Outline> {
    let mut file = File::create_new(to)?;
    let outline = copy_and_hash(source, &mut file)?;
    // A name must not stand for other bytes after a power failure.
    file.sync_data()?;
    Ok(outline)
}

fn copy_and_hash(source: &mut impl io::Read, to: &mut impl io::Write) -> io::Result<Outline> {
    let mut outliner = Outliner::new();
    let mut buffer = vec![0; COPY_BUFFER];
    // One byte more than is allowed shows that a file has grown too large while it was read.
    let mut source = source.take(MAX_BLOB + 1);
    loop {
        let count = match source.read(&mut buffer) {
            Ok(0) => return Ok(outliner.finish()),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let bytes = buffer.get(..count).unwrap_or_default();
        outliner.update(bytes);
        to.write_all(bytes)?;
    }
}

/// Removes what may or may not be there; what cannot be removed is said, since it takes room.
fn discard(path: &Path) {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!(path = %path.display(), %error, "cannot remove a file of the content store");
        }
        _ => {}
    }
}

fn io_error(path: &Path) -> impl FnOnce(io::Error) -> StoreError + use<> {
    let path = path.to_path_buf();
    move |source| StoreError::Io { path, source }
}

fn full_name(hash: &Hash) -> String {
    hex(&hash.0)
}
