//! Groups: what one commit writes to a segment, and how a write that a crash cut short is told from damage.
//!
//! A group is `head ‖ frames ‖ end`. The head (numbers little-endian) is
//! `magic (8) ‖ number of its first record (8) ‖ records (4) ‖ bytes of frames (4) ‖ empty sectors (4) ‖ check (16) ‖ 5a5a5a5a`;
//! the check is the beginning of BLAKE3 over the segment's salt and all of the head before; the end is eight bytes `a5`.
//!
//! The space behind the last group reads as zeros or is not there. A group that was not durable when its bank died lacks
//! its end, or some sector of it was never written and is empty. So of a last group that does not read:
//! - it is **torn** if its last byte is zero or missing, or if more sectors are empty than its head says. It was not
//!   acknowledged, since that happens after the sync, and it is cut off as a whole;
//! - it is **damaged** otherwise. A flipped bit leaves no sector empty and the end in its place, so it cannot pass for a
//!   torn write, although nothing follows that would prove that the group was durable.
//!
//! What cannot be told: a disk that loses whole sectors of its last durable group, each reading as zeros. Of a group that
//! another one follows nothing is ever cut.

use super::segment::to_u64;
use crate::journal::{self, Damage};
use crate::record::Record;
use crate::store::disk::SECTOR;
use crate::store::{Each, StoreError};

/// Bytes of a head.
pub(super) const HEAD: usize = 48;
/// Bytes behind the frames.
const END: usize = 8;
/// The longest frames of one group in bytes: a longer commit becomes several groups, each synced by itself.
pub(super) const MAX_FRAMES: usize = 16 << 20;
/// Every byte has several bits, so that no single one that flips makes it zero.
const MAGIC: [u8; 8] = *b"\xb7group\x1b\x33";
const HEAD_END: [u8; 4] = [0x5a; 4];
const END_MARK: [u8; END] = [0xa5; END];
const CHECK: usize = 16;
/// Bytes of a head that its check covers.
const CHECKED: usize = HEAD - CHECK - HEAD_END.len();

/// The secret of a segment that goes into every check, so that nobody can put something into a command that looks like
/// a group.
pub(super) type Salt = [u8; 32];

/// The beginning of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// The number of its first record.
    pub(super) first: u64,
    /// How many records it has.
    pub(super) records: u32,
    /// How long its frames are, in bytes.
    frames: u32,
    /// How many of the sectors that it touches are empty as far as it reaches.
    empty: u32,
}

impl Head {
    /// Reads a head; `None` if it is none of a segment with this salt.
    pub(super) fn decode(bytes: &[u8], salt: &Salt) -> Option<Self> {
        let bytes: &[u8; HEAD] = bytes.first_chunk()?;
        let (checked, rest) = bytes.split_at_checked(CHECKED)?;
        let (check, end) = rest.split_at_checked(CHECK)?;
        if check != checksum(salt, checked) || end != HEAD_END || !checked.starts_with(&MAGIC) {
            return None;
        }
        let number = |at: usize| {
            let bytes = checked.get(at..).and_then(<[u8]>::first_chunk::<4>);
            bytes.map(|bytes| u32::from_le_bytes(*bytes))
        };
        let first = checked.get(8..).and_then(<[u8]>::first_chunk::<8>)?;
        let first = u64::from_le_bytes(*first);
        Some(Self { first, records: number(16)?, frames: number(20)?, empty: number(24)? })
    }

    /// How long the whole group is, in bytes.
    pub(super) fn length(&self) -> u64 {
        u64::from(self.frames) + to_u64(HEAD + END)
    }

    /// The number of the record behind the group.
    pub(super) fn next(&self) -> u64 {
        self.first.saturating_add(u64::from(self.records))
    }

    /// Whether the bank writes such groups.
    pub(super) fn is_plausible(&self) -> bool {
        self.records > 0 && usize::try_from(self.frames).is_ok_and(|frames| frames <= MAX_FRAMES + LONGEST)
    }

    fn encode(&self, salt: &Salt) -> [u8; HEAD] {
        let mut bytes = Vec::with_capacity(HEAD);
        bytes.extend(MAGIC);
        bytes.extend(self.first.to_le_bytes());
        for number in [self.records, self.frames, self.empty] {
            bytes.extend(number.to_le_bytes());
        }
        let check = checksum(salt, &bytes);
        bytes.extend(check);
        bytes.extend(HEAD_END);
        let mut head = [0; HEAD];
        head.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
        head
    }
}

/// The longest frame.
const LONGEST: usize = journal::MAX_RECORD + 64;

/// The bytes of a group of records, of which there is at least one, to be written at byte `at` of a segment.
pub(super) fn encode(at: u64, first: u64, frames: &[Vec<u8>], salt: &Salt) -> Vec<u8> {
    let long: usize = frames.iter().map(Vec::len).sum();
    let mut bytes = vec![0; HEAD];
    bytes.reserve_exact(long + END);
    frames.iter().for_each(|frame| bytes.extend(frame));
    bytes.extend(END_MARK);
    let narrow = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let mut head = Head { first, records: narrow(frames.len()), frames: narrow(long), empty: 0 };
    // The head itself has no zero that makes a sector empty: its magic and its end stand in every part of it.
    let marked = head.encode(salt);
    bytes.iter_mut().zip(marked).for_each(|(to, from)| *to = from);
    head.empty = narrow(empty_sectors(at, &bytes));
    bytes.iter_mut().zip(head.encode(salt)).for_each(|(to, from)| *to = from);
    bytes
}

/// Gives the number and the encoding of every record of a whole group at byte `at` of a segment to `each`; `bytes` is as
/// long as the head says.
pub(super) fn encoded(head: &Head, bytes: &[u8], at: u64, each: &mut Each<'_>) -> Result<(), StoreError> {
    let mut rest = bytes.len().checked_sub(END).and_then(|end| bytes.get(HEAD..end)).unwrap_or(&[]);
    let frames = rest.len();
    for record in head.first..head.next() {
        let offset = at.saturating_add(to_u64(HEAD + frames - rest.len()));
        let damage = |reason: &str| StoreError::Damaged(Damage { record, offset, reason: reason.into() });
        let (body, behind) = journal::unframe(rest).map_err(damage)?;
        each(record, body)?;
        rest = behind;
    }
    if !rest.is_empty() || !bytes.ends_with(&END_MARK) {
        let reason = "the group does not end where it should".to_owned();
        return Err(StoreError::Damaged(Damage { record: head.next(), offset: at, reason }));
    }
    Ok(())
}

/// The records of a whole group.
pub(super) fn records(head: &Head, bytes: &[u8], at: u64) -> Result<Vec<Record>, StoreError> {
    let mut records = Vec::new();
    encoded(head, bytes, at, &mut |number, body| {
        let damage = |reason: String| Damage { record: number, offset: at, reason };
        let record = Record::decode(body).map_err(|error| damage(error.to_string()))?;
        if record.sequence != number {
            return Err(damage(format!("a record with the number {}", record.sequence)).into());
        }
        records.push(record);
        Ok(())
    })?;
    Ok(records)
}

/// Whether a last group that does not read is a write that was cut short. `bytes` is what there is of it from byte `at`
/// of the segment on: as long as its head says, or to the end of the file.
pub(super) fn is_torn(head: &Head, bytes: &[u8], at: u64) -> bool {
    let is_short = to_u64(bytes.len()) < head.length();
    let has_no_end = bytes.last().is_none_or(|last| *last == 0);
    let empty = empty_sectors(at, bytes);
    is_short || has_no_end || empty > usize::try_from(head.empty).unwrap_or(usize::MAX)
}

/// The same for a group whose head does not read; `bytes` is what there is from byte `at` on.
pub(super) fn is_head_torn(bytes: &[u8], at: u64) -> bool {
    let head = bytes.get(..HEAD).unwrap_or(bytes);
    let is_short = head.len() < HEAD || head.last().is_none_or(|last| *last == 0);
    is_short || empty_sectors(at, head) > 0
}

/// Where in `bytes` a head of this segment begins whose records come behind number `after`: then what stands before it
/// was durable.
pub(super) fn later_head(bytes: &[u8], salt: &Salt, after: u64) -> Option<usize> {
    let windows = bytes.windows(HEAD).enumerate().filter(|(_, window)| window.starts_with(&MAGIC));
    let mut heads = windows.filter_map(|(at, window)| Head::decode(window, salt).map(|head| (at, head)));
    heads.find(|(_, head)| head.first > after).map(|(at, _)| at)
}

/// How many of the sectors that `bytes` touch at byte `at` of a file are zeros as far as `bytes` reach.
fn empty_sectors(at: u64, bytes: &[u8]) -> usize {
    let first = usize::try_from(SECTOR - at % SECTOR).unwrap_or(usize::MAX).min(bytes.len());
    let (first, rest) = bytes.split_at_checked(first).unwrap_or((bytes, &[]));
    let sector = usize::try_from(SECTOR).unwrap_or(usize::MAX);
    let is_empty = |part: &&[u8]| part.iter().all(|byte| *byte == 0);
    std::iter::once(first).chain(rest.chunks(sector)).filter(|part| !part.is_empty()).filter(is_empty).count()
}

fn checksum(salt: &Salt, bytes: &[u8]) -> [u8; CHECK] {
    let mut check = [0; CHECK];
    blake3::Hasher::new().update(salt).update(bytes).finalize_xof().fill(&mut check);
    check
}
