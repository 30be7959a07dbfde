//! The file of a journal: notes in groups, each with a checksum, appended one behind the other.
//!
//! A file is `"compup2p notes\n" ‖ version (1)` and then groups. A group (numbers little-endian) is `length (4) ‖ check
//! (16) ‖ notes`, each note `length (4) ‖ encoding`; the check is the beginning of BLAKE3 over length and notes. A group
//! is durable as a whole before anything is done that rests on it, so that only the last one can be torn: what is not
//! whole is cut off at the start. A journal that has grown is replaced by a new file, which takes its name when it is
//! durable. It works on the disk that the bank's journal works on, and the same faults of it are tested.

use super::Note;
use bank::store::disk::{Disk, DiskError};
use proto::wire::{Wire as _, WireError};

/// The name of the file.
const FILE: &str = "notes";
/// The name of a file that is to take its place.
const NEXT: &str = "notes.new";
const HEAD: &[u8; 16] = b"compup2p notes\n\x01";
const CHECK: usize = 16;
/// Length and check of a group.
const PREFIX: usize = 4 + CHECK;
/// A file is replaced when it has grown by so many bytes, and to twice its size, since it was written anew: small
/// against what a disk has, and large against what a node writes in a minute.
const GROWTH: u64 = 8 << 20;
/// The most bytes of a group: notes beyond it go into the next one.
const MAX_GROUP: usize = 64 << 20;

/// Why a journal cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// The disk does not do what it was asked.
    #[error("the journal of the node cannot be {what}: {reason}")]
    Disk {
        /// What was tried.
        what: &'static str,
        /// The disk's words.
        reason: DiskError,
    },
    /// It is not a journal of this program.
    #[error("the journal of the node does not begin as one of this version does")]
    Foreign,
    /// A group is whole, but a note in it does not read.
    #[error("a note in the journal of the node does not read (byte {at}): {reason}")]
    Damaged {
        /// Where its group begins.
        at: u64,
        /// The reader's words.
        reason: WireError,
    },
}

/// The journal of one node. One process writes at a time.
#[derive(Debug)]
pub struct Log<D> {
    disk: D,
    /// Where the next group begins.
    end: u64,
    /// How large the file was when it was last written anew.
    base: u64,
    cut: u64,
}

impl<D: Disk> Log<D> {
    /// Opens the journal and reads what is in it. A group that was being written when the process ended is cut off.
    ///
    /// # Errors
    /// A disk that does not do what it is asked, a file of another kind, a note that does not read.
    pub fn open(mut disk: D) -> Result<(Self, Vec<Note>), LogError> {
        let files = disk.list().map_err(told("read"))?;
        if files.iter().any(|file| file == NEXT) {
            disk.remove(NEXT).map_err(told("cleaned"))?;
        }
        if !files.iter().any(|file| file == FILE) {
            let mut log = Self { disk, end: 0, base: 0, cut: 0 };
            log.replace(&[])?;
            return Ok((log, Vec::new()));
        }
        let bytes = read_all(&mut disk)?;
        let rest = bytes.strip_prefix(HEAD.as_slice()).ok_or(LogError::Foreign)?;
        let (notes, whole) = read(rest)?;
        let end = to_u64(HEAD.len() + whole);
        let cut = to_u64(bytes.len()).saturating_sub(end);
        if cut > 0 {
            disk.truncate(FILE, end).map_err(told("cut"))?;
        }
        // What is read here may still be in the memory of the machine only.
        disk.sync(FILE).map_err(told("synced"))?;
        disk.sync_directory().map_err(told("synced"))?;
        Ok((Self { disk, end, base: end, cut }, notes))
    }

    /// How many bytes [`Log::open`] has cut off: a write that the end of the process cut short, on which nothing rests.
    #[must_use]
    pub const fn cut(&self) -> u64 {
        self.cut
    }

    /// Whether it has grown so much that it should be replaced.
    #[must_use]
    pub const fn has_grown(&self) -> bool {
        self.end > self.base.saturating_add(GROWTH) && self.end > self.base.saturating_mul(2)
    }

    /// Makes notes durable, in their order.
    ///
    /// # Errors
    /// A disk that does not do what it is asked: what is durable is known when the journal is opened again.
    pub fn append(&mut self, notes: &[Note]) -> Result<(), LogError> {
        let bytes = groups(notes);
        if bytes.is_empty() {
            return Ok(());
        }
        self.disk.write(FILE, self.end, &bytes).map_err(told("written"))?;
        self.disk.sync(FILE).map_err(told("synced"))?;
        self.end = self.end.saturating_add(to_u64(bytes.len()));
        Ok(())
    }

    /// Replaces all that is in it by `notes`.
    ///
    /// # Errors
    /// As [`Log::append`]; the former journal is there until the new one is.
    pub fn replace(&mut self, notes: &[Note]) -> Result<(), LogError> {
        let bytes = [HEAD.as_slice(), &groups(notes)].concat();
        self.disk.create(NEXT).map_err(told("made"))?;
        self.disk.write(NEXT, 0, &bytes).map_err(told("written"))?;
        self.disk.sync(NEXT).map_err(told("synced"))?;
        self.disk.rename(NEXT, FILE).map_err(told("renamed"))?;
        self.disk.sync_directory().map_err(told("synced"))?;
        self.end = to_u64(bytes.len());
        self.base = self.end;
        Ok(())
    }
}

fn told(what: &'static str) -> impl Fn(DiskError) -> LogError {
    move |reason| LogError::Disk { what, reason }
}

fn to_u64(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

fn read_all(disk: &mut impl Disk) -> Result<Vec<u8>, LogError> {
    let length = disk.length(FILE).map_err(told("read"))?;
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
    let count = disk.read(FILE, 0, &mut bytes).map_err(told("read"))?;
    bytes.truncate(count);
    Ok(bytes)
}

/// Notes as groups.
fn groups(notes: &[Note]) -> Vec<u8> {
    let (mut all, mut group) = (Vec::new(), Vec::new());
    for note in notes {
        let encoding = note.encode();
        if !group.is_empty() && group.len() + encoding.len() > MAX_GROUP {
            close(&mut all, &mut group);
        }
        group.extend(u32::try_from(encoding.len()).unwrap_or(u32::MAX).to_le_bytes());
        group.extend(encoding);
    }
    if !group.is_empty() {
        close(&mut all, &mut group);
    }
    all
}

fn close(all: &mut Vec<u8>, group: &mut Vec<u8>) {
    let length = u32::try_from(group.len()).unwrap_or(u32::MAX).to_le_bytes();
    all.extend(length);
    all.extend(check(length, group));
    all.append(group);
}

fn check(length: [u8; 4], notes: &[u8]) -> [u8; CHECK] {
    let mut bytes = Vec::from(length);
    bytes.extend(notes);
    let hash = proto::Hash::of(&bytes);
    let mut check = [0; CHECK];
    check.iter_mut().zip(hash.0).for_each(|(to, from)| *to = from);
    check
}

/// The notes of all groups that are whole, and how many bytes these take.
fn read(bytes: &[u8]) -> Result<(Vec<Note>, usize), LogError> {
    let (mut notes, mut rest) = (Vec::new(), bytes);
    while let Some((group, behind)) = first_group(rest) {
        let at = to_u64(HEAD.len() + bytes.len().saturating_sub(rest.len()));
        let mut group = group;
        while let Some((encoding, next)) = first_note(group) {
            notes.push(Note::decode(encoding).map_err(|reason| LogError::Damaged { at, reason })?);
            group = next;
        }
        rest = behind;
    }
    Ok((notes, bytes.len().saturating_sub(rest.len())))
}

/// The first group, if it is whole, and what is behind it.
fn first_group(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (prefix, rest) = bytes.split_first_chunk::<PREFIX>()?;
    let (length, expected) = prefix.split_first_chunk::<4>()?;
    let count = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    let (group, behind) = rest.split_at_checked(count)?;
    (check(*length, group) == expected).then_some((group, behind))
}

fn first_note(group: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = group.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)
}
