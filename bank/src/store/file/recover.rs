//! Opening a store to write: where the journal ends, and what of a last write is cut off.

use super::group::{self, Head};
use super::segment::{self, firsts};
use super::walk::{Found, Walk};
use super::{damaged, failed, snapshots};
use crate::store::StoreError;
use crate::store::disk::Disk;
use proto::{Hash, PublicKey};

/// How the name of a file ends that is not whole yet.
pub(super) const UNFINISHED: &str = ".new";

/// What was cut off at the end of a journal: a write that a crash cut short, of which nobody was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// From which file.
    pub file: String,
    /// How many bytes are left of it.
    pub left: u64,
    /// How many bytes were cut off, not counting zeros at the end.
    pub bytes: u64,
}

/// The end of a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The last segment.
    pub(super) file: String,
    /// The salt of its checks.
    pub(super) salt: group::Salt,
    /// Where the next group begins in it.
    pub(super) end: u64,
    /// How long the file is: all from `end` on reads as zeros.
    pub(super) length: u64,
    /// The number of the next record.
    pub(super) next: u64,
    /// The chain of the last one.
    pub(super) chain: Hash,
}

/// Finds the end of the journal, cuts off what is torn, and makes the rest durable. `None` if there is no journal yet.
pub(super) fn recover(
    disk: &mut impl Disk,
    bank: PublicKey,
) -> Result<(Option<Place>, Option<Cut>), StoreError> {
    let files = disk.list().map_err(failed("read the directory of the journal"))?;
    for file in files.iter().filter(|file| file.ends_with(UNFINISHED)) {
        disk.remove(file).map_err(failed("remove an unfinished file"))?;
    }
    let (found, cut) = find(disk, bank)?;
    let Some(place) = &found else { return Ok((None, None)) };
    if cut.is_some() {
        disk.truncate(&place.file, place.end).map_err(failed("cut the journal"))?;
    }
    // What is read here may still be in the memory of the machine only.
    disk.sync(&place.file).map_err(failed("sync the journal"))?;
    disk.sync_directory().map_err(failed("sync the directory of the journal"))?;
    Ok((found, cut))
}

/// Finds the end of the journal, and what behind it is to be cut off. Nothing is changed.
pub(super) fn find(
    disk: &mut impl Disk,
    bank: PublicKey,
) -> Result<(Option<Place>, Option<Cut>), StoreError> {
    let files = disk.list().map_err(failed("read the directory of the journal"))?;
    let known = snapshots::newest_number(&files);
    let Some(first) = firsts(&files).pop() else {
        return match known {
            None => Ok((None, None)),
            Some(records) => {
                let reason = format!("there is no journal, and a snapshot of {records} records");
                Err(damaged(&segment::name(0), 0, 0, &reason))
            }
        };
    };
    let mut walk = Walk::open(disk, segment::name(first), first, bank)?;
    let (chain, cut) = end_of(disk, &mut walk)?;
    if let Some(records) = known.filter(|records| *records > walk.next) {
        let reason = format!("the journal ends here, and a snapshot knows {records} records");
        return Err(damaged(&walk.file, walk.next, walk.at, &reason));
    }
    let length = if cut.is_some() { walk.at } else { walk.length.max(walk.at) };
    let salt = *walk.salt();
    let place = Place { file: walk.file, salt, end: walk.at, length, next: walk.next, chain };
    Ok((Some(place), cut))
}

/// Goes to the end of the last segment. The last group is read whole; those before it are when they are needed.
fn end_of(disk: &mut impl Disk, walk: &mut Walk) -> Result<(Hash, Option<Cut>), StoreError> {
    let mut last: Option<(u64, u64, Head)> = None;
    loop {
        match walk.look(disk)? {
            Found::Head(head) => {
                let (at, next) = (walk.at, walk.next);
                walk.pass(&head);
                last = Some((at, next, head));
                if walk.at > walk.length {
                    break;
                }
            }
            Found::Nothing => break,
            Found::Unreadable => {
                let rest = walk.rest(disk, walk.at)?;
                let is_last = group::later_head(&rest, walk.salt(), walk.next).is_none();
                if !is_last || !group::is_head_torn(&rest, walk.at) {
                    return Err(damaged(&walk.file, walk.next, walk.at, "the head of a group does not read"));
                }
                let cut = Some(cut(walk, &rest));
                let chain = chain_of(disk, walk, last)?;
                return Ok((chain, cut));
            }
        }
    }
    let Some((at, next, head)) = last else { return Ok((walk.header.chain, None)) };
    let behind = (walk.at, walk.next);
    (walk.at, walk.next) = (at, next);
    let damage = match walk.records(disk, &head)? {
        Ok(records) => {
            (walk.at, walk.next) = behind;
            return Ok((records.last().map_or(walk.header.chain, |record| record.chain), None));
        }
        Err(damage) => damage,
    };
    if !group::is_torn(&head, walk.bytes(disk, &head)?, at) {
        return Err(damage);
    }
    let rest = walk.rest(disk, at)?;
    let cut = cut(walk, &rest);
    let chain = chain_before(disk, walk)?;
    Ok((chain, Some(cut)))
}

/// The chain of the last record before the place where the journal is cut.
fn chain_before(disk: &mut impl Disk, walk: &Walk) -> Result<Hash, StoreError> {
    let mut again = Walk::open(disk, walk.file.clone(), walk.header.first, walk.header.bank)?;
    let mut last = None;
    while again.at < walk.at {
        let Found::Head(head) = again.look(disk)? else { break };
        last = Some((again.at, again.next, head));
        again.pass(&head);
    }
    chain_of(disk, &mut again, last)
}

/// The chain of the last record of a group, which has to read.
fn chain_of(
    disk: &mut impl Disk,
    walk: &mut Walk,
    last: Option<(u64, u64, Head)>,
) -> Result<Hash, StoreError> {
    let Some((at, next, head)) = last else { return Ok(walk.header.chain) };
    let behind = (walk.at, walk.next);
    (walk.at, walk.next) = (at, next);
    let records = walk.records(disk, &head)??;
    (walk.at, walk.next) = behind;
    Ok(records.last().map_or(walk.header.chain, |record| record.chain))
}

fn cut(walk: &Walk, rest: &[u8]) -> Cut {
    let used = rest.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    Cut { file: walk.file.clone(), left: walk.at, bytes: u64::try_from(used).unwrap_or(u64::MAX) }
}
