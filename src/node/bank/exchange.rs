//! `compup2p bank export` and `bank import`: a journal as one file, from one store into another.
//!
//! The file is a head, the frames of all records ([`bank::journal`]), and a tail:
//!
//! | part | bytes |
//! |---|---|
//! | head | `compup2p-journal` ‖ version 1 ‖ format of the records ‖ the bank's key ‖ the first 16 bytes of BLAKE3 of these |
//! | frames | as in the journal on disk |
//! | tail | `end-of-journal--` ‖ how many records (`u64`, little-endian) ‖ chain of the last one ‖ 16 bytes of BLAKE3 of these |
//!
//! So a file that was cut says so, and nobody takes the journal of one bank for that of another. Whoever imports replays
//! every record as the bank does at its start: chain, order, and every movement of money.

mod carry;
mod read;
mod write;

pub(crate) use carry::{export_to, import_from};

use read::{import, owner};
use write::export;

use bank::store::StoreError;
use proto::{Hash, PublicKey};
use std::io;

/// How the head begins.
const HEAD: &[u8; 16] = b"compup2p-journal";
/// How the tail begins.
const TAIL: &[u8; 16] = b"end-of-journal--";
/// The version of head and tail.
const VERSION: u8 = 1;
/// Bytes of a check.
const CHECK: usize = 16;
/// Bytes of the head: mark, version, format, key and check.
const HEAD_SIZE: usize = 16 + 1 + 1 + 32 + CHECK;
/// Bytes of the tail: mark, number, chain and check.
const TAIL_SIZE: usize = 16 + 8 + 32 + CHECK;
/// Bytes that are read and written at once.
const CHUNK: usize = 1 << 20;

/// A journal that was taken from one place to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exchanged {
    /// Whose it is.
    pub(crate) bank: PublicKey,
    /// How many records it has.
    pub(crate) records: u64,
    /// The chain of the last one, or of none.
    pub(crate) head: Hash,
    /// The size of the file in bytes.
    pub(crate) bytes: u64,
}

/// Why a journal is not exported or imported.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExchangeError {
    /// The store did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file could not be read or written.
    #[error("the file cannot be {what}: {source}")]
    File {
        /// What was tried.
        what: &'static str,
        /// The system's words.
        source: io::Error,
    },
    /// There is a journal already.
    #[error("there is a journal of {records} records already")]
    NotEmpty {
        /// How many.
        records: u64,
    },
    /// It is not a journal that was exported, or not all of it.
    #[error("the file is not a whole exported journal: {reason}")]
    Malformed {
        /// What is wrong.
        reason: String,
    },
}

fn malformed(reason: impl Into<String>) -> ExchangeError {
    ExchangeError::Malformed { reason: reason.into() }
}

/// The first bytes of BLAKE3.
fn check(bytes: &[u8]) -> [u8; CHECK] {
    let mut check = [0; CHECK];
    blake3::Hasher::new().update(bytes).finalize_xof().fill(&mut check);
    check
}

/// `bytes` with their check.
fn checked(mut bytes: Vec<u8>) -> Vec<u8> {
    let check = check(&bytes);
    bytes.extend(check);
    bytes
}

#[cfg(test)]
mod tests;
