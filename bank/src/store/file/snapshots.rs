//! Snapshots: the ledger after so many records, so that a start need not read what is older.
//!
//! A file is `"compup2p ledger\n" ‖ layout (1) ‖ 7 zeros ‖ bank's key (32) ‖ records (8) ‖ snapshot ‖ BLAKE3 over all before`.
//! It gets its name when it is durable. A damaged one is passed over for the one before it: the journal has it all.

use super::recover::UNFINISHED;
use super::segment::{named, numbers};
use super::{failed, segment};
use crate::store::StoreError;
use crate::store::disk::Disk;
use proto::{Hash, PublicKey};

/// How many are kept.
const KEPT: usize = 2;
const LAYOUT: u8 = 1;
const NAME: &[u8; 16] = b"compup2p ledger\n";
const HEADER: usize = 64;
const SUFFIX: &str = ".snapshot";

/// After how many records the newest snapshot was made, whole or not.
pub(super) fn newest_number(files: &[String]) -> Option<u64> {
    numbers(files, SUFFIX).pop()
}

/// The newest snapshot that is whole, and after how many records it was made.
pub(super) fn newest(
    disk: &mut impl Disk,
    bank: PublicKey,
    files: &[String],
) -> Result<Option<(u64, Vec<u8>)>, StoreError> {
    for records in numbers(files, SUFFIX).into_iter().rev() {
        let mut bytes = read(disk, &named(records, SUFFIX))?;
        if is_whole(&bytes, bank, records) {
            bytes.truncate(bytes.len().saturating_sub(32));
            bytes.drain(..HEADER.min(bytes.len()));
            return Ok(Some((records, bytes)));
        }
    }
    Ok(None)
}

/// Writes a snapshot, and removes all but the newest.
pub(super) fn keep(
    disk: &mut impl Disk,
    bank: PublicKey,
    records: u64,
    snapshot: &[u8],
) -> Result<(), StoreError> {
    let what = failed("write a snapshot");
    let file = named(records, SUFFIX);
    let unfinished = format!("{file}{UNFINISHED}");
    let mut bytes = header(bank, records);
    bytes.reserve_exact(snapshot.len() + 32);
    bytes.extend(snapshot);
    let check = blake3::hash(&bytes);
    bytes.extend(check.as_bytes());
    let written = disk
        .create(&unfinished)
        .and_then(|()| disk.write(&unfinished, 0, &bytes))
        .and_then(|()| disk.sync(&unfinished))
        .and_then(|()| disk.rename(&unfinished, &file))
        .and_then(|()| disk.sync_directory());
    if let Err(error) = written {
        // What is left of it is removed at the next start anyway.
        let _ = disk.remove(&unfinished);
        return Err(what(error));
    }
    let files = disk.list().map_err(failed("read the directory of the journal"))?;
    for old in numbers(&files, SUFFIX).into_iter().rev().skip(KEPT) {
        disk.remove(&named(old, SUFFIX)).map_err(failed("remove an old snapshot"))?;
    }
    Ok(())
}

fn read(disk: &mut impl Disk, file: &str) -> Result<Vec<u8>, StoreError> {
    let what = failed("read a snapshot");
    let length = usize::try_from(disk.length(file).map_err(&what)?).unwrap_or(usize::MAX);
    let mut bytes = vec![0; length];
    let mut filled = 0;
    while let Some(into) = bytes.get_mut(filled..).filter(|into| !into.is_empty()) {
        let count = disk.read(file, segment::to_u64(filled), into).map_err(&what)?;
        if count == 0 {
            break;
        }
        filled = filled.saturating_add(count);
    }
    bytes.truncate(filled);
    Ok(bytes)
}

fn is_whole(bytes: &[u8], bank: PublicKey, records: u64) -> bool {
    let Some((checked, check)) = bytes.split_last_chunk::<32>() else { return false };
    checked.starts_with(&header(bank, records)) && Hash::of(checked).0 == *check
}

fn header(bank: PublicKey, records: u64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER);
    bytes.extend(NAME);
    bytes.extend([LAYOUT, 0, 0, 0, 0, 0, 0, 0]);
    bytes.extend(bank.0);
    bytes.extend(records.to_le_bytes());
    bytes
}
