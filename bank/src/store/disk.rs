//! What a file store needs of a disk: one directory of files, whose bytes and names become durable when they are synced.
//!
//! The driver implements it on the real thing, the simulator with every fault that a disk has.

/// Why a disk does not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DiskError {
    /// There is no room. A part of what was to be written may be there.
    #[error("{reason}")]
    NoRoom {
        /// The disk's words.
        reason: String,
    },
    /// Anything else.
    #[error("{reason}")]
    Failed {
        /// The disk's words.
        reason: String,
    },
}

/// A directory of files. Names are plain: no separators. Nothing is durable before it is synced; before that, any part
/// of it may survive a crash, down to single sectors of [`SECTOR`] bytes, and in any order.
pub trait Disk: Send {
    /// The names of all files, in any order.
    ///
    /// # Errors
    /// A directory that cannot be read.
    fn list(&mut self) -> Result<Vec<String>, DiskError>;

    /// How long a file is, in bytes.
    ///
    /// # Errors
    /// A file that is not there or cannot be read.
    fn length(&mut self, file: &str) -> Result<u64, DiskError>;

    /// Reads from byte `from` on until `into` is full or the file ends: how many bytes.
    ///
    /// # Errors
    /// A file that is not there or cannot be read.
    fn read(&mut self, file: &str, from: u64, into: &mut [u8]) -> Result<usize, DiskError>;

    /// Makes a file, empty. One of this name that is there already is emptied.
    ///
    /// # Errors
    /// No room, or a directory that cannot be written.
    fn create(&mut self, file: &str) -> Result<(), DiskError>;

    /// Writes `bytes` from byte `at` on, over what is there and beyond its end.
    ///
    /// # Errors
    /// No room, or a file that cannot be written.
    fn write(&mut self, file: &str, at: u64, bytes: &[u8]) -> Result<(), DiskError>;

    /// Makes the file's bytes and its length durable.
    ///
    /// # Errors
    /// Any: what is durable is unknown then.
    fn sync(&mut self, file: &str) -> Result<(), DiskError>;

    /// Cuts a file to `length` bytes.
    ///
    /// # Errors
    /// A file that cannot be written.
    fn truncate(&mut self, file: &str, length: u64) -> Result<(), DiskError>;

    /// Gives a file another name, and takes the place of one that has it.
    ///
    /// # Errors
    /// A directory that cannot be written.
    fn rename(&mut self, from: &str, to: &str) -> Result<(), DiskError>;

    /// Removes a file.
    ///
    /// # Errors
    /// A directory that cannot be written.
    fn remove(&mut self, file: &str) -> Result<(), DiskError>;

    /// Makes the names durable: which files there are.
    ///
    /// # Errors
    /// Any: what is durable is unknown then.
    fn sync_directory(&mut self) -> Result<(), DiskError>;
}

/// What a disk writes whole or not at all, in bytes. Disks with larger sectors promise more.
pub const SECTOR: u64 = 512;
