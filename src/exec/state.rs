//! What belongs to one running program: its WASI context and the state of its limits.

use super::control::{Stop, Watch};
use super::environment::VirtualClock;
use super::host::Listing;
use super::scratch::{self, Usage};
use proto::Bytes;
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use wasmtime::ResourceLimiter;
use wasmtime_wasi::p1::WasiP1Ctx;

/// Most files and directories of one program. A named bound for what a limit in bytes does not cover.
pub(super) const MAX_ENTRIES: u64 = 65_536;
/// Most memory that 32-bit WebAssembly knows.
const MAX_MEMORY: usize = 1 << 32;
/// Most elements of a table.
const MAX_TABLE: usize = 1_000_000;
/// Most file numbers that are remembered; files beyond have none (0).
const MAX_NUMBERS: usize = 65_536;

/// The data of the store of one program.
pub(super) struct State {
    pub(super) wasi: WasiP1Ctx,
    pub(super) clock: VirtualClock,
    pub(super) watch: Watch,
    pub(super) memory: Memory,
    pub(super) disk: Disk,
    /// Directories made and not removed.
    pub(super) directories: u32,
    /// The highest descriptor that the program ever had.
    pub(super) highest: u32,
    pub(super) numbers: Numbers,
    /// The directory that is being read.
    pub(super) listing: Option<Listing>,
}

/// Holds linear memory to its limit, and remembers that it had to.
#[derive(Debug)]
pub(super) struct Memory {
    limit: Bytes,
    /// The program was denied memory because of its limit.
    pub(super) is_denied: bool,
    /// The host had not as much memory as it promised.
    pub(super) is_short: bool,
}

impl Memory {
    pub(super) const fn new(limit: Bytes) -> Self {
        Self { limit, is_denied: false, is_short: false }
    }
}

impl ResourceLimiter for Memory {
    fn memory_growing(&mut self, _: usize, desired: usize, most: Option<usize>) -> wasmtime::Result<bool> {
        if desired > most.unwrap_or(MAX_MEMORY) {
            return Ok(false); // its own maximum, or that of 32-bit WebAssembly: not our limit
        }
        let fits = u64::try_from(desired).is_ok_and(|desired| desired <= self.limit.0);
        self.is_denied |= !fits;
        Ok(fits)
    }

    fn memory_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        self.is_short |= !self.is_denied;
        Ok(())
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(desired <= MAX_TABLE)
    }

    fn instances(&self) -> usize {
        1
    }

    fn tables(&self) -> usize {
        16
    }

    fn memories(&self) -> usize {
        1
    }
}

/// Holds the scratch directory to its limit.
///
/// What is written is added up; when the sum could be over the limit, the directory is measured and the sum
/// starts again from there. So the limit is met at the same write on every host, and never overrun by more than
/// the last write.
#[derive(Debug)]
pub(super) struct Disk {
    root: PathBuf,
    pub(super) limit: Bytes,
    measured: Usage,
    written: Usage,
}

impl Disk {
    /// Measures the directory with the inputs in place.
    pub(super) fn new(root: PathBuf, limit: Bytes) -> io::Result<Self> {
        let measured = scratch::measure(&root)?;
        Ok(Self { root, limit, measured, written: Usage::default() })
    }

    /// Whether the directory was over its limit when it was last measured.
    pub(super) const fn is_over(&self) -> bool {
        self.measured.bytes > self.limit.0 || self.measured.entries > MAX_ENTRIES
    }

    /// Adds what was written; `true` if it may be too much and has to be measured.
    pub(super) const fn add(&mut self, more: Usage) -> bool {
        self.written.bytes = self.written.bytes.saturating_add(more.bytes);
        self.written.entries = self.written.entries.saturating_add(more.entries);
        self.measured.bytes.saturating_add(self.written.bytes) > self.limit.0
            || self.measured.entries.saturating_add(self.written.entries) > MAX_ENTRIES
    }

    /// Measures; `unlinked` is the space of files that are open but have no name any more.
    pub(super) fn measure(&mut self, unlinked: u64) -> Result<(), Stop> {
        // A directory that cannot be measured is one with paths too long for the host: more than it can hold.
        self.measured = scratch::measure(&self.root).map_err(|_| Stop::Disk)?;
        self.measured.bytes = self.measured.bytes.saturating_add(unlinked);
        self.written = Usage::default();
        if self.is_over() { Err(Stop::Disk) } else { Ok(()) }
    }
}

/// File numbers (inodes) as a program sees them: 1, 2, 3 … in the order in which it meets the files. The host's
/// own would differ from machine to machine.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    known: BTreeMap<u64, u64>,
}

impl Numbers {
    /// The number of the file that the host calls `inode`.
    pub(super) fn of(&mut self, inode: u64) -> u64 {
        if let Some(number) = self.known.get(&inode) {
            return *number;
        }
        if inode == 0 || self.known.len() >= MAX_NUMBERS {
            return 0;
        }
        let number = u64::try_from(self.known.len()).map_or(0, |known| known + 1);
        self.known.insert(inode, number);
        number
    }
}
