//! The store that needs nothing: files in one directory.
//!
//! | file | what |
//! |---|---|
//! | `NUMBER.journal` | a segment of the journal, from this record on (`segment`, `group`) |
//! | `NUMBER.snapshot` | the ledger after so many records; the newest two are kept (`snapshots`) |
//! | `NUMBER.index` | where a closed segment has the records of an account or contract; made again if it is missing (`index`) |
//! | `reserve` | room that is given up when there is no other |
//!
//! A group is written with one write and one sync into space that was filled with zeros before, which syncs about
//! half again as fast as a file that grows. After any error but "no room" the store does nothing more: what a failed
//! sync has left on the disk is known only when the journal is read again.

mod group;
mod index;
mod recover;
mod segment;
mod snapshots;
mod walk;
mod write;

pub use recover::Cut;

use super::disk::{Disk, DiskError};
use super::{Each, Store, StoreError};
use crate::journal::Damage;
use crate::record::Record;
use index::Fresh;
use proto::{ContractId, PublicKey};
use segment::firsts;
use walk::{Found, Walk};
use write::Writing;

/// How large the files of a store are, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// A segment of this size is closed.
    pub segment: u64,
    /// So much is filled with zeros at once.
    pub ahead: u64,
    /// The reserve.
    pub reserve: u64,
}

impl Sizes {
    /// 64 MiB are read in well under a second at a start; 4 MiB of zeros take 3 ms here, and save 50 µs at each sync
    /// of a small group; 16 MiB hold the groups that are under way when the disk is full.
    pub const DEFAULT: Self = Self { segment: 64 << 20, ahead: 4 << 20, reserve: 16 << 20 };
}

/// A store in files. One that was opened with [`FileStore::open`] writes, and there may be one of those at a time; any
/// number of others only read, beside it.
#[derive(Debug)]
pub struct FileStore<D> {
    disk: D,
    bank: PublicKey,
    writing: Option<Writing>,
    fresh: Fresh,
}

impl<D: Disk> FileStore<D> {
    /// Opens the store of `bank` to write: what a crash has left torn at the end is cut off, see [`FileStore::cut`].
    /// `salt` is 32 bytes that nobody can guess.
    ///
    /// # Errors
    /// Damage, with the place; a journal of another bank; a disk that cannot be used.
    pub fn open(mut disk: D, bank: PublicKey, salt: [u8; 32], sizes: Sizes) -> Result<Self, StoreError> {
        let writing = Writing::open(&mut disk, bank, salt, sizes)?;
        Ok(Self { disk, bank, writing: Some(writing), fresh: Fresh::default() })
    }

    /// Opens the store of `bank` to read. What is being written at the same time is not seen before it is whole.
    #[must_use]
    pub fn open_to_read(disk: D, bank: PublicKey) -> Self {
        Self { disk, bank, writing: None, fresh: Fresh::default() }
    }

    /// What [`FileStore::open`] has cut off.
    #[must_use]
    pub fn cut(&self) -> Option<&Cut> {
        self.writing.as_ref().and_then(Writing::cut)
    }

    /// How many records there are.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn count(&mut self) -> Result<u64, StoreError> {
        if let Some(writing) = &self.writing {
            return Ok(writing.next());
        }
        let files = self.files()?;
        let Some(first) = firsts(&files).pop() else { return Ok(0) };
        let mut walk = self.walk(first)?;
        while let Found::Head(head) = walk.look(&mut self.disk)? {
            if walk.at.saturating_add(head.length()) > walk.length {
                break;
            }
            walk.pass(&head);
        }
        Ok(walk.next)
    }

    /// What a store that writes would cut off, and how many bytes all files have. Nothing is changed.
    ///
    /// # Errors
    /// Damage at the end of the journal, with the place; a journal of another bank; a store that cannot be read.
    pub fn examine(&mut self) -> Result<(Option<Cut>, u64), StoreError> {
        let (_, cut) = recover::find(&mut self.disk, self.bank)?;
        let mut bytes = 0_u64;
        for file in self.files()? {
            let length = self.disk.length(&file).map_err(failed("read the directory of the journal"))?;
            bytes = bytes.saturating_add(length);
        }
        Ok((cut, bytes))
    }

    /// After how many records the newest snapshot was made; none if there is none.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn snapshot_count(&mut self) -> Result<Option<u64>, StoreError> {
        Ok(snapshots::newest_number(&self.files()?))
    }

    /// Makes the index of every closed segment that has none, so that the first question does not wait for it.
    ///
    /// # Errors
    /// A store that cannot be read or written.
    pub fn index(&mut self) -> Result<(), StoreError> {
        let files = self.files()?;
        let firsts = firsts(&files);
        let closed = firsts.split_last().map_or(&[][..], |(_, closed)| closed);
        closed.iter().try_for_each(|first| index::make(&mut self.disk, self.bank, *first, &files))
    }

    fn files(&mut self) -> Result<Vec<String>, StoreError> {
        self.disk.list().map_err(failed("read the directory of the journal"))
    }

    fn walk(&mut self, first: u64) -> Result<Walk, StoreError> {
        Walk::open(&mut self.disk, segment::name(first), first, self.bank)
    }

    /// Reads one segment from record `from` on. Of the last one, what does not read is left to whoever writes it.
    fn read_segment(
        &mut self,
        first: u64,
        is_last: bool,
        from: u64,
        each: &mut Each<'_>,
    ) -> Result<u64, StoreError> {
        let is_written_beside = is_last && self.writing.is_none();
        let mut walk = self.walk(first)?;
        loop {
            let head = match walk.look(&mut self.disk)? {
                Found::Head(head) => head,
                Found::Nothing => return Ok(walk.next),
                Found::Unreadable if is_written_beside => return Ok(walk.next),
                Found::Unreadable => {
                    return Err(damaged(&walk.file, walk.next, walk.at, "the head of a group does not read"));
                }
            };
            if head.next() > from {
                // Of a group that may be half written, nothing is given away before all of it reads.
                if is_written_beside && walk.encoded(&mut self.disk, &head, &mut |_, _| Ok(())).is_err() {
                    return Ok(walk.next);
                }
                walk.encoded(&mut self.disk, &head, &mut |number, body| {
                    if number >= from { each(number, body) } else { Ok(()) }
                })?;
            }
            walk.pass(&head);
        }
    }

    /// Reads all segments from record `from` on.
    fn read_segments(&mut self, from: u64, each: &mut Each<'_>) -> Result<(), StoreError> {
        let firsts = firsts(&self.files()?);
        let begin = firsts.partition_point(|first| *first <= from).saturating_sub(1);
        let mut expected = firsts.get(begin).copied().unwrap_or(0);
        if expected > from {
            return Err(damaged(&segment::name(0), from, 0, "the beginning of the journal is not there"));
        }
        for (place, first) in firsts.iter().enumerate().skip(begin) {
            if *first != expected {
                let reason = format!("the journal goes on with record {first}");
                return Err(damaged(&segment::name(*first), expected, 0, &reason));
            }
            expected = self.read_segment(*first, place + 1 == firsts.len(), from, each)?;
        }
        Ok(())
    }
}

impl<D: Disk> Store for FileStore<D> {
    fn snapshot(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        let files = self.files()?;
        Ok(snapshots::newest(&mut self.disk, self.bank, &files)?.map(|(_, snapshot)| snapshot))
    }

    fn read(
        &mut self,
        from: u64,
        each: &mut dyn FnMut(Record) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.read_segments(from, &mut |number, body| {
            let record = Record::decode(body).map_err(|error| error.to_string());
            each(record.map_err(|reason| Damage { record: number, offset: 0, reason })?)
        })
    }

    fn read_encoded(&mut self, from: u64, each: &mut Each<'_>) -> Result<(), StoreError> {
        self.read_segments(from, each)
    }

    fn commit(&mut self, group: &[Record]) -> Result<(), StoreError> {
        let reason = "it was opened to read";
        let writing = self.writing.as_mut();
        let writing =
            writing.ok_or(StoreError::Failed { what: "write the journal", reason: reason.into() })?;
        writing.commit(&mut self.disk, group)
    }

    fn make_room(&mut self) -> Result<(), StoreError> {
        self.writing.as_mut().map_or(Ok(()), |writing| writing.make_room(&mut self.disk))
    }

    fn keep_snapshot(&mut self, records: u64, snapshot: &[u8]) -> Result<(), StoreError> {
        // An index that cannot be made now is made when it is asked for.
        let _ = self.index();
        snapshots::keep(&mut self.disk, self.bank, records, snapshot)
    }

    fn of_account(
        &mut self,
        account: PublicKey,
        before: u64,
        limit: usize,
    ) -> Result<Vec<Record>, StoreError> {
        let bank = self.bank;
        let mut found = Vec::new();
        for (first, is_last) in self.newest_segments_first()? {
            if first >= before {
                continue;
            }
            let mut groups = self.groups(index::of_account(account), first, is_last)?;
            while let (Some(at), true) = (groups.pop(), found.len() < limit) {
                let records = self.group_at(first, at)?;
                let its =
                    |record: &Record| record.sequence < before && record.accounts(bank).contains(&account);
                found.extend(records.into_iter().rev().filter(its));
            }
            if found.len() >= limit {
                break;
            }
        }
        found.truncate(limit);
        Ok(found)
    }

    fn of_contract(&mut self, contract: ContractId) -> Result<Vec<Record>, StoreError> {
        let mut found = Vec::new();
        for (first, is_last) in self.newest_segments_first()? {
            for at in self.groups(index::of_contract(contract), first, is_last)?.into_iter().rev() {
                let records = self.group_at(first, at)?.into_iter().rev();
                found.extend(records.filter(|record| record.contract() == Some(contract)));
            }
        }
        found.reverse();
        Ok(found)
    }
}

/// Whose journal is on this disk; `None` if there is none.
///
/// # Errors
/// A first file that is damaged or cannot be read.
pub fn bank_of(disk: &mut impl Disk) -> Result<Option<PublicKey>, StoreError> {
    let files = disk.list().map_err(failed("read the directory of the journal"))?;
    let Some(first) = firsts(&files).first().copied() else { return Ok(None) };
    walk::header(disk, &segment::name(first), first, None).map(|header| Some(header.bank))
}

/// A part of the disk's words.
fn failed(what: &'static str) -> impl Fn(DiskError) -> StoreError {
    move |error| StoreError::Failed { what, reason: error.to_string() }
}

/// Damage in a file.
fn damaged(file: &str, record: u64, offset: u64, reason: &str) -> StoreError {
    StoreError::Damaged(Damage { record, offset, reason: format!("{reason} (file {file})") })
}
