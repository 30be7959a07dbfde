//! The journal as bytes: one frame for each record, written one behind the other.
//!
//! A frame is `length ‖ length check ‖ record ‖ checksum`: the length of the record in bytes as a `u32`, the
//! first 4 bytes of BLAKE3(length), the record's encoding, and the first 16 bytes of BLAKE3 over all before
//! (numbers little-endian). With its own check, a damaged length cannot pass for a write that was cut off.
//!
//! What a crash leaves behind, a **torn tail**, is a last frame that is cut off, or whose end was never written
//! and reads as zeros (all after the header, or the checksum and all behind it). It was not durable, so nobody was told of it, and it is cut away. Everything else
//! that does not read is **damage**: it may be a record that somebody was told of, so the journal is refused,
//! with the place. That whole frames are missing at the end cannot be seen here: compare [`crate::Bank::head`]
//! with the one published last.

use crate::record::{MAX_COMMAND, Record};

/// Bytes before a record.
const HEADER: usize = 8;
/// Bytes after a record.
const CHECKSUM: usize = 16;
/// The longest record in bytes: the longest command, and less than 1,024 for all the rest.
pub const MAX_RECORD: usize = MAX_COMMAND + 1_024;

/// The frame of a record.
#[must_use]
pub fn encode(record: &Record) -> Vec<u8> {
    let body = record.encode();
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX).to_le_bytes();
    let mut frame = Vec::with_capacity(HEADER + body.len() + CHECKSUM);
    frame.extend(length);
    frame.extend(digest::<4>(&length));
    frame.extend(body);
    let checksum = digest::<CHECKSUM>(&frame);
    frame.extend(checksum);
    frame
}

/// A journal that cannot be trusted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the journal is damaged in record {record}, at byte {offset}: {reason}")]
pub struct Damage {
    /// The record's number, from 0.
    pub record: u64,
    /// Where its frame begins, in bytes from the beginning of the journal.
    pub offset: u64,
    /// What is wrong.
    pub reason: String,
}

/// The end of a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tail {
    /// How many records there are.
    pub records: u64,
    /// How many bytes they take: the length to cut the file to before anything is appended.
    pub good: u64,
    /// How many bytes of a torn write follow.
    pub torn: u64,
}

/// Reads a journal as its bytes come in.
#[derive(Clone, Debug, Default)]
pub struct Reader {
    /// What was pushed and not yet read, from `start` on.
    buffer: Vec<u8>,
    start: usize,
    /// Where the next frame begins in the journal, and its record's number.
    offset: u64,
    number: u64,
    /// Bytes of a torn tail that are out of the buffer already.
    dropped: u64,
    /// Why the next frame is no record; it is a torn tail if only zeros follow, and damage otherwise.
    doubt: Option<&'static str>,
}

/// What a look at the buffer finds.
enum Look {
    /// A frame that begins with the buffer: its record, and how many bytes it takes.
    Frame(Box<Record>, usize),
    /// Not enough bytes.
    Short,
    /// Zeros from here on, as far as the buffer goes, where something else should be.
    Zeros(&'static str),
}

/// Reads a whole journal.
///
/// # Errors
/// The first damage.
pub fn read(bytes: &[u8]) -> Result<(Vec<Record>, Tail), Damage> {
    let mut reader = Reader::default();
    reader.push(bytes);
    let mut records = Vec::new();
    while let Some(record) = reader.next_record()? {
        records.push(record);
    }
    reader.finish().map(|tail| (records, tail))
}

impl Reader {
    /// A reader at the beginning of a journal.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.start);
        self.start = 0;
        self.buffer.extend(bytes);
    }

    /// The next record; `None` when more bytes are needed, or the tail is torn.
    ///
    /// # Errors
    /// Damage. The reader then stays where it is.
    pub fn next_record(&mut self) -> Result<Option<Record>, Damage> {
        let rest = self.buffer.get(self.start..).unwrap_or(&[]);
        if let Some(reason) = self.doubt {
            if !is_zero(rest) {
                return Err(self.damage(reason.into()));
            }
            self.dropped += to_u64(rest.len());
            self.start = self.buffer.len();
            return Ok(None);
        }
        match look(rest).map_err(|reason| self.damage(reason))? {
            Look::Short => Ok(None),
            Look::Zeros(reason) => {
                self.doubt = Some(reason);
                self.dropped = to_u64(rest.len());
                self.start = self.buffer.len();
                Ok(None)
            }
            Look::Frame(record, size) => {
                self.start += size;
                self.offset += to_u64(size);
                self.number += 1;
                Ok(Some(*record))
            }
        }
    }

    /// The end of the journal, when all bytes were pushed and [`Reader::next_record`] has given `None`.
    ///
    /// # Errors
    /// Damage in what was not read yet.
    pub fn finish(mut self) -> Result<Tail, Damage> {
        while self.next_record()?.is_some() {}
        let left = to_u64(self.buffer.len() - self.start);
        Ok(Tail { records: self.number, good: self.offset, torn: self.dropped + left })
    }

    fn damage(&self, reason: String) -> Damage {
        Damage { record: self.number, offset: self.offset, reason }
    }
}

/// The encoding of the record whose frame `bytes` begin with, and what is behind the frame; or what is wrong.
pub(crate) fn unframe(bytes: &[u8]) -> Result<(&[u8], &[u8]), &'static str> {
    let cut = "the record is cut off";
    let (length, after) = bytes.split_first_chunk::<4>().ok_or(cut)?;
    let (check, after) = after.split_first_chunk::<4>().ok_or(cut)?;
    if *check != digest::<4>(length) {
        return Err("the length does not fit its check");
    }
    let size = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
    let (body, after) = after.split_at_checked(size).ok_or(cut)?;
    let (checksum, after) = after.split_first_chunk::<CHECKSUM>().ok_or(cut)?;
    let framed = bytes.get(..HEADER + size).unwrap_or(&[]);
    if *checksum != digest::<CHECKSUM>(framed) {
        return Err("the record does not fit its checksum");
    }
    Ok((body, after))
}

fn look(bytes: &[u8]) -> Result<Look, String> {
    let Some((length, after)) = bytes.split_first_chunk::<4>() else { return Ok(Look::Short) };
    let Some((check, after)) = after.split_first_chunk::<4>() else { return Ok(Look::Short) };
    if *check != digest::<4>(length) {
        let reason = "the length does not fit its check";
        return if is_zero(after) { Ok(Look::Zeros(reason)) } else { Err(reason.into()) };
    }
    let size = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
    if size > MAX_RECORD {
        return Err(format!("a record of {size} bytes, which is more than {MAX_RECORD}"));
    }
    let Some((body, after)) = after.split_at_checked(size) else { return Ok(Look::Short) };
    let Some((checksum, after)) = after.split_first_chunk::<CHECKSUM>() else { return Ok(Look::Short) };
    let framed = bytes.get(..HEADER + size).unwrap_or(&[]);
    if *checksum != digest::<CHECKSUM>(framed) {
        let reason = "the record does not fit its checksum";
        let is_unwritten = is_zero(checksum) && is_zero(after);
        return if is_unwritten { Ok(Look::Zeros(reason)) } else { Err(reason.into()) };
    }
    let record = Record::decode(body).map_err(|e| e.to_string())?;
    Ok(Look::Frame(Box::new(record), HEADER + size + CHECKSUM))
}

fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0)
}

fn digest<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut digest = [0; N];
    blake3::Hasher::new().update(bytes).finalize_xof().fill(&mut digest);
    digest
}

fn to_u64(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
