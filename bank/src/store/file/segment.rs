//! Segments: the journal in files of bounded length, each named by the number of its first record.
//!
//! A segment is a header and then groups, one behind the other. The header (numbers little-endian) is
//! `"compup2p journal" ‖ layout (1) ‖ record format (1) ‖ 6 zeros ‖ bank's key (32) ‖ first record's number (8) ‖
//! chain before it (32) ‖ salt (32) ‖ check (16)`; the check is the beginning of BLAKE3 over all before.

use super::group::Salt;
use crate::record::FORMAT;
use crate::store::StoreError;
use proto::{Hash, PublicKey};

/// The version of the files' layout.
const LAYOUT: u8 = 1;
/// Bytes of a header.
pub(super) const HEADER: usize = 144;
const NAME: &[u8; 16] = b"compup2p journal";
const CHECK: usize = 16;
/// How the name of a segment ends.
const SUFFIX: &str = ".journal";
/// Digits of a number in a name: names are in the order of their numbers.
const DIGITS: usize = 20;

/// What a segment says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// Whose journal it is.
    pub(super) bank: PublicKey,
    /// The number of its first record.
    pub(super) first: u64,
    /// The chain of the record before.
    pub(super) chain: Hash,
    /// The salt of its checks.
    pub(super) salt: Salt,
}

impl Header {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::from(NAME.as_slice());
        bytes.extend([LAYOUT, FORMAT, 0, 0, 0, 0, 0, 0]);
        bytes.extend(self.bank.0);
        bytes.extend(self.first.to_le_bytes());
        bytes.extend(self.chain.0);
        bytes.extend(self.salt);
        let check = checksum(&bytes);
        bytes.extend(check);
        bytes
    }

    /// Reads the header of the segment whose first record has the number `first`, in a journal of `bank` or, if none is
    /// given, of any bank.
    pub(super) fn decode(
        bytes: &[u8],
        file: &str,
        first: u64,
        bank: Option<PublicKey>,
    ) -> Result<Self, StoreError> {
        let damaged = |reason: &str| super::damaged(file, first, 0, reason);
        let foreign = |reason: String| StoreError::Foreign { reason: format!("{file}: {reason}") };
        let short = || damaged("the header is cut off");
        let bytes: &[u8; HEADER] = bytes.first_chunk().ok_or_else(short)?;
        let (checked, check) = bytes.split_at_checked(HEADER - CHECK).ok_or_else(short)?;
        if !checked.starts_with(NAME) {
            return Err(damaged("it does not begin as a journal does"));
        }
        if check != checksum(checked) {
            return Err(damaged("the header does not fit its checksum"));
        }
        let mut rest = checked.get(NAME.len()..).unwrap_or(&[]);
        let [layout, format, ..] = take::<8>(&mut rest).ok_or_else(short)?;
        let theirs = PublicKey(take(&mut rest).ok_or_else(short)?);
        let number = u64::from_le_bytes(take(&mut rest).ok_or_else(short)?);
        let chain = Hash(take(&mut rest).ok_or_else(short)?);
        let salt = take(&mut rest).ok_or_else(short)?;
        if (layout, format) != (LAYOUT, FORMAT) {
            let ours = format!("{LAYOUT}.{FORMAT}");
            return Err(foreign(format!("format {layout}.{format}, this program reads {ours}")));
        }
        if let Some(bank) = bank.filter(|bank| *bank != theirs) {
            return Err(foreign(format!("it is the journal of the bank {theirs}, not of {bank}")));
        }
        if number != first {
            return Err(damaged(&format!("it begins with record {number}")));
        }
        Ok(Self { bank: theirs, first, chain, salt })
    }
}

/// The name of the segment that begins with record `first`.
pub(super) fn name(first: u64) -> String {
    named(first, SUFFIX)
}

/// A file's name with a number.
pub(super) fn named(number: u64, suffix: &str) -> String {
    format!("{number:0DIGITS$}{suffix}")
}

/// The numbers of all files whose names end so, in order.
pub(super) fn numbers(files: &[String], suffix: &str) -> Vec<u64> {
    let number = |file: &String| {
        let digits = file.strip_suffix(suffix).filter(|digits| digits.len() == DIGITS)?;
        digits.parse::<u64>().ok()
    };
    let mut numbers: Vec<u64> = files.iter().filter_map(number).collect();
    numbers.sort_unstable();
    numbers
}

/// The first records of all segments, in order.
pub(super) fn firsts(files: &[String]) -> Vec<u64> {
    numbers(files, SUFFIX)
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = rest.split_first_chunk::<N>()?;
    *rest = tail;
    Some(*head)
}

fn checksum(bytes: &[u8]) -> [u8; CHECK] {
    let mut check = [0; CHECK];
    blake3::Hasher::new().update(bytes).finalize_xof().fill(&mut check);
    check
}

/// A count as the files have it.
pub(super) fn to_u64(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
