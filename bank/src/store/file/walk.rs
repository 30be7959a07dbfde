//! From one group of a segment to the next.

use super::group::{self, HEAD, Head, Salt};
use super::segment::{HEADER, Header};
use super::{damaged, failed};
use crate::record::Record;
use crate::store::disk::Disk;
use crate::store::{Each, StoreError};
use proto::PublicKey;

/// Bytes that are read at once on a way through a whole segment.
const BLOCK: usize = 1 << 20;
/// Bytes that are read at once for one group.
const SMALL: usize = 16 << 10;

/// A way through one segment.
#[derive(Debug)]
pub(super) struct Walk {
    pub(super) file: String,
    pub(super) header: Header,
    /// Where the next group begins.
    pub(super) at: u64,
    /// The number of the next record.
    pub(super) next: u64,
    /// How long the file was when the way began.
    pub(super) length: u64,
    window: Window,
}

/// What stands at a place in a segment.
#[derive(Debug)]
pub(super) enum Found {
    /// The head of a group.
    Head(Head),
    /// Nothing, and nothing behind it.
    Nothing,
    /// Something that does not read.
    Unreadable,
}

/// A part of a file that was read.
#[derive(Debug)]
struct Window {
    from: u64,
    bytes: Vec<u8>,
    /// How many bytes are read at least.
    block: usize,
}

impl Walk {
    /// The way through the segment that begins with record `first`.
    pub(super) fn open(
        disk: &mut impl Disk,
        file: String,
        first: u64,
        bank: PublicKey,
    ) -> Result<Self, StoreError> {
        let length = disk.length(&file).map_err(failed("read the journal"))?;
        let mut window = Window::new(SMALL);
        let header = Header::decode(window.get(disk, &file, 0, HEADER)?, &file, first, Some(bank))?;
        let at = u64::try_from(HEADER).unwrap_or(u64::MAX);
        window.block = BLOCK;
        Ok(Self { file, header, at, next: first, length, window })
    }

    /// What stands here.
    pub(super) fn look(&mut self, disk: &mut impl Disk) -> Result<Found, StoreError> {
        let (at, next) = (self.at, self.next);
        let salt = self.header.salt;
        let bytes = self.window.get(disk, &self.file, at, HEAD)?;
        if let Some(head) = Head::decode(bytes, &salt) {
            if head.first != next || !head.is_plausible() {
                let reason = format!("a group of records from {} on", head.first);
                return Err(damaged(&self.file, next, at, &reason));
            }
            return Ok(Found::Head(head));
        }
        let is_nothing = is_zero(bytes) && self.is_zero_from(disk, at)?;
        Ok(if is_nothing { Found::Nothing } else { Found::Unreadable })
    }

    /// Goes behind the group that stands here.
    pub(super) fn pass(&mut self, head: &Head) {
        self.at = self.at.saturating_add(head.length());
        self.next = head.next();
    }

    /// Goes to the group that begins at byte `at`, whichever records it has.
    pub(super) fn jump(&mut self, disk: &mut impl Disk, at: u64) -> Result<(), StoreError> {
        let salt = self.header.salt;
        self.window.block = SMALL;
        let head = Head::decode(self.window.get(disk, &self.file, at, HEAD)?, &salt);
        self.at = at;
        self.next = head.map_or(self.next, |head| head.first);
        Ok(())
    }

    /// The bytes of the group that stands here, as far as they are there.
    pub(super) fn bytes(&mut self, disk: &mut impl Disk, head: &Head) -> Result<&[u8], StoreError> {
        let length = usize::try_from(head.length()).unwrap_or(usize::MAX);
        self.window.get(disk, &self.file, self.at, length)
    }

    /// The records of the group that stands here.
    pub(super) fn records(
        &mut self,
        disk: &mut impl Disk,
        head: &Head,
    ) -> Result<Result<Vec<Record>, StoreError>, StoreError> {
        let at = self.at;
        let found = group::records(head, self.bytes(disk, head)?, at);
        Ok(found.map_err(|error| placed(&self.file, error)))
    }

    /// The number and the encoding of each record of the group that stands here.
    pub(super) fn encoded(
        &mut self,
        disk: &mut impl Disk,
        head: &Head,
        each: &mut Each<'_>,
    ) -> Result<(), StoreError> {
        let at = self.at;
        let given = group::encoded(head, self.bytes(disk, head)?, at, each);
        given.map_err(|error| placed(&self.file, error))
    }

    /// All that stands from byte `from` on.
    pub(super) fn rest(&self, disk: &mut impl Disk, from: u64) -> Result<Vec<u8>, StoreError> {
        let mut window = Window::new(BLOCK);
        let length = usize::try_from(self.length.saturating_sub(from)).unwrap_or(usize::MAX);
        Ok(window.get(disk, &self.file, from, length)?.to_vec())
    }

    /// The salt of its checks.
    pub(super) const fn salt(&self) -> &Salt {
        &self.header.salt
    }

    fn is_zero_from(&mut self, disk: &mut impl Disk, from: u64) -> Result<bool, StoreError> {
        let mut at = from;
        while at < self.length {
            let bytes = self.window.get(disk, &self.file, at, BLOCK)?;
            if bytes.is_empty() {
                break;
            }
            if !is_zero(bytes) {
                return Ok(false);
            }
            at = at.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        }
        Ok(true)
    }
}

impl Window {
    const fn new(block: usize) -> Self {
        Self { from: 0, bytes: Vec::new(), block }
    }

    /// `length` bytes from byte `from` on, or as many as there are.
    fn get(
        &mut self,
        disk: &mut impl Disk,
        file: &str,
        from: u64,
        length: usize,
    ) -> Result<&[u8], StoreError> {
        let is_there = from.checked_sub(self.from).and_then(|skip| {
            let skip = usize::try_from(skip).ok()?;
            let end = skip.checked_add(length)?;
            (end <= self.bytes.len()).then_some(skip)
        });
        let skip = match is_there {
            Some(skip) => skip,
            None => {
                self.fill(disk, file, from, length.max(self.block))?;
                0
            }
        };
        let rest = self.bytes.get(skip..).unwrap_or(&[]);
        Ok(rest.get(..length).unwrap_or(rest))
    }

    fn fill(&mut self, disk: &mut impl Disk, file: &str, from: u64, length: usize) -> Result<(), StoreError> {
        let there = disk.length(file).map_err(failed("read the journal"))?.saturating_sub(from);
        let length = length.min(usize::try_from(there).unwrap_or(usize::MAX));
        self.bytes.resize(length, 0);
        self.from = from;
        let mut filled = 0;
        while let Some(into) = self.bytes.get_mut(filled..).filter(|into| !into.is_empty()) {
            let at = from.saturating_add(u64::try_from(filled).unwrap_or(u64::MAX));
            let count = disk.read(file, at, into).map_err(failed("read the journal"))?;
            if count == 0 {
                break;
            }
            filled = filled.saturating_add(count);
        }
        self.bytes.truncate(filled);
        Ok(())
    }
}

/// Damage gets its file.
fn placed(file: &str, error: StoreError) -> StoreError {
    match error {
        StoreError::Damaged(damage) => damaged(file, damage.record, damage.offset, &damage.reason),
        other => other,
    }
}

/// What a segment says of itself, whose bank is checked if it is given.
pub(super) fn header(
    disk: &mut impl Disk,
    file: &str,
    first: u64,
    bank: Option<PublicKey>,
) -> Result<Header, StoreError> {
    let mut window = Window::new(SMALL);
    Header::decode(window.get(disk, file, 0, HEADER)?, file, first, bank)
}

fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0)
}
