//! Where a segment has the records of an account or of a contract.
//!
//! Of a closed segment it is a file, `"compup2p indices" ‖ entries (8) ‖ entries, sorted ‖ check (16)`; an entry is a
//! fingerprint (8 bytes of BLAKE3 of the account or the contract) and the byte (4) where a group begins that has a record
//! of it. Two may share a fingerprint: what is found is looked at again. An index that is missing or damaged is made
//! again of its segment. Of the segment that is being written it is kept in memory, and read on at each question.

use super::segment::{self, named, to_u64};
use super::walk::{Found, Walk};
use super::{FileStore, damaged, failed};
use crate::record::Record;
use crate::store::StoreError;
use crate::store::disk::Disk;
use proto::{ContractId, PublicKey};
use std::collections::BTreeSet;

const NAME: &[u8; 16] = b"compup2p indices";
const HEADER: u64 = 24;
const ENTRY: usize = 12;
const CHECK: usize = 16;
const SUFFIX: &str = ".index";

/// Eight bytes that stand for an account or a contract.
type Fingerprint = u64;

/// What one reader knows beside the files.
#[derive(Debug, Default)]
pub(super) struct Fresh {
    /// The segment that is being written, as far as it was read: its first record, the next byte and record.
    place: Option<(u64, u64, u64)>,
    entries: BTreeSet<(Fingerprint, u32)>,
    /// Closed segments whose index was found whole.
    whole: BTreeSet<u64>,
}

pub(super) fn of_account(account: PublicKey) -> Fingerprint {
    fingerprint(b"account", &account.0)
}

pub(super) fn of_contract(contract: ContractId) -> Fingerprint {
    fingerprint(b"contract", &contract.0)
}

/// Makes the index of a closed segment if it has none.
pub(super) fn make(
    disk: &mut impl Disk,
    bank: PublicKey,
    first: u64,
    files: &[String],
) -> Result<(), StoreError> {
    if files.contains(&named(first, SUFFIX)) { Ok(()) } else { write(disk, bank, first) }
}

impl<D: Disk> FileStore<D> {
    /// The first records of all segments, the newest first, and whether it is the last one.
    pub(super) fn newest_segments_first(&mut self) -> Result<Vec<(u64, bool)>, StoreError> {
        let firsts = segment::firsts(&self.files()?);
        Ok(firsts.iter().rev().enumerate().map(|(place, first)| (*first, place == 0)).collect())
    }

    /// Where in a segment groups begin that may have records of `whose`, in order.
    pub(super) fn groups(
        &mut self,
        whose: Fingerprint,
        first: u64,
        is_last: bool,
    ) -> Result<Vec<u64>, StoreError> {
        if is_last {
            self.read_on(first)?;
            let found = self.fresh.entries.range((whose, 0)..=(whose, u32::MAX));
            return Ok(found.map(|(_, at)| u64::from(*at)).collect());
        }
        if !self.fresh.whole.contains(&first) {
            if !is_whole(&mut self.disk, first)? {
                write(&mut self.disk, self.bank, first)?;
            }
            self.fresh.whole.insert(first);
        }
        find(&mut self.disk, first, whose)
    }

    /// The records of the group that begins at byte `at` of a segment.
    pub(super) fn group_at(&mut self, first: u64, at: u64) -> Result<Vec<Record>, StoreError> {
        let mut walk = self.walk(first)?;
        walk.jump(&mut self.disk, at)?;
        match walk.look(&mut self.disk)? {
            Found::Head(head) => walk.records(&mut self.disk, &head)?,
            Found::Nothing | Found::Unreadable => {
                Err(damaged(&walk.file, first, at, "there is no group, and the index says there is one"))
            }
        }
    }

    /// Takes into memory what was written to the last segment since the last question.
    fn read_on(&mut self, first: u64) -> Result<(), StoreError> {
        let mut walk = self.walk(first)?;
        match self.fresh.place {
            Some((known, at, next)) if known == first => (walk.at, walk.next) = (at, next),
            _ => self.fresh.entries.clear(),
        }
        while let Found::Head(head) = walk.look(&mut self.disk)? {
            // A group that is being written at this moment is taken at the next question.
            let Ok(records) = walk.records(&mut self.disk, &head)? else { break };
            add(&records, self.bank, walk.at, &mut |entry| {
                self.fresh.entries.insert(entry);
            });
            walk.pass(&head);
        }
        self.fresh.place = Some((first, walk.at, walk.next));
        Ok(())
    }
}

fn add(records: &[Record], bank: PublicKey, at: u64, each: &mut dyn FnMut((Fingerprint, u32))) {
    // A segment is shorter than 4 GiB.
    let at = u32::try_from(at).unwrap_or(u32::MAX);
    for record in records {
        record.accounts(bank).into_iter().for_each(|account| each((of_account(account), at)));
        record.contract().into_iter().for_each(|contract| each((of_contract(contract), at)));
    }
}

fn write(disk: &mut impl Disk, bank: PublicKey, first: u64) -> Result<(), StoreError> {
    let mut entries = Vec::new();
    let mut walk = Walk::open(disk, segment::name(first), first, bank)?;
    loop {
        match walk.look(disk)? {
            Found::Head(head) => {
                let records = walk.records(disk, &head)??;
                add(&records, bank, walk.at, &mut |entry| entries.push(entry));
                walk.pass(&head);
            }
            Found::Nothing => break,
            Found::Unreadable => {
                return Err(damaged(&walk.file, walk.next, walk.at, "the head of a group does not read"));
            }
        }
    }
    entries.sort_unstable();
    entries.dedup();
    let mut bytes = Vec::from(NAME.as_slice());
    bytes.extend(to_u64(entries.len()).to_le_bytes());
    for (whose, at) in entries {
        bytes.extend(whose.to_le_bytes());
        bytes.extend(at.to_le_bytes());
    }
    let check = checksum(&bytes);
    bytes.extend(check);
    let (file, unfinished) =
        (named(first, SUFFIX), named(first, &format!("{SUFFIX}{}", super::recover::UNFINISHED)));
    let written = disk.create(&unfinished).and_then(|()| disk.write(&unfinished, 0, &bytes));
    written.and_then(|()| disk.rename(&unfinished, &file)).map_err(failed("write an index"))
}

fn is_whole(disk: &mut impl Disk, first: u64) -> Result<bool, StoreError> {
    let file = named(first, SUFFIX);
    let files = disk.list().map_err(failed("read the directory of the journal"))?;
    if !files.contains(&file) {
        return Ok(false);
    }
    let length = usize::try_from(disk.length(&file).map_err(failed("read an index"))?).unwrap_or(0);
    let mut bytes = vec![0; length];
    let is_read = disk.read(&file, 0, &mut bytes).map_err(failed("read an index"))? == length;
    let Some((checked, check)) = bytes.split_last_chunk::<CHECK>() else { return Ok(false) };
    Ok(is_read && checked.starts_with(NAME) && *check == checksum(checked))
}

/// Looks in the index of a closed segment, which is whole.
fn find(disk: &mut impl Disk, first: u64, whose: Fingerprint) -> Result<Vec<u64>, StoreError> {
    let file = named(first, SUFFIX);
    let what = failed("read an index");
    let length = disk.length(&file).map_err(&what)?;
    let length = length.saturating_sub(HEADER + to_u64(CHECK)) / to_u64(ENTRY);
    let mut entry = |place: u64| -> Result<Option<(Fingerprint, u32)>, StoreError> {
        let mut bytes = [0; ENTRY];
        let at = HEADER.saturating_add(place.saturating_mul(to_u64(ENTRY)));
        let count = disk.read(&file, at, &mut bytes).map_err(&what)?;
        let (whose, at) = bytes.split_at(8);
        let (Ok(whose), Ok(at)) = (whose.try_into(), at.try_into()) else { return Ok(None) };
        Ok((count == ENTRY).then(|| (u64::from_le_bytes(whose), u32::from_le_bytes(at))))
    };
    let (mut low, mut high) = (0, length);
    while low < high {
        let middle = low + (high - low) / 2;
        if entry(middle)?.is_some_and(|(found, _)| found < whose) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    let mut places = Vec::new();
    while low < length {
        match entry(low)? {
            Some((found, at)) if found == whose => places.push(u64::from(at)),
            _ => break,
        }
        low += 1;
    }
    Ok(places)
}

fn fingerprint(kind: &[u8], name: &[u8]) -> Fingerprint {
    let mut bytes = [0; 8];
    blake3::Hasher::new().update(kind).update(name).finalize_xof().fill(&mut bytes);
    u64::from_le_bytes(bytes)
}

fn checksum(bytes: &[u8]) -> [u8; CHECK] {
    let mut check = [0; CHECK];
    blake3::Hasher::new().update(bytes).finalize_xof().fill(&mut check);
    check
}
