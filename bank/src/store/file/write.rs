//! Writing: groups into the last segment, segments one after the other, and what is done when there is no room.

use super::recover::{Cut, Place, UNFINISHED, recover};
use super::segment::{self, Header, to_u64};
use super::{Sizes, failed, group};
use crate::journal;
use crate::record::{Record, genesis};
use crate::store::StoreError;
use crate::store::disk::{Disk, DiskError};
use proto::{Hash, PublicKey};

/// The file that gives its room up.
const RESERVE: &str = "reserve";
/// Zeros are written in pieces of this many bytes.
const PIECE: u64 = 1 << 20;

/// The one who writes.
#[derive(Debug)]
pub(super) struct Writing {
    bank: PublicKey,
    sizes: Sizes,
    place: Place,
    has_reserve: bool,
    /// Why nothing may be written any more.
    broken: Option<StoreError>,
    cut: Option<Cut>,
}

impl Writing {
    pub(super) fn open(
        disk: &mut impl Disk,
        bank: PublicKey,
        salt: [u8; 32],
        sizes: Sizes,
    ) -> Result<Self, StoreError> {
        let (found, cut) = recover(disk, bank)?;
        let place = match found {
            Some(place) => place,
            None => begin(disk, Header { bank, first: 0, chain: genesis(bank), salt })?,
        };
        let mut writing = Self { bank, sizes, place, has_reserve: false, broken: None, cut };
        let reserve = disk.length(RESERVE).unwrap_or(0);
        writing.has_reserve = reserve >= sizes.reserve;
        match writing.make_room(disk) {
            // It is asked again before anything is written.
            Ok(()) | Err(StoreError::Full { .. }) => Ok(writing),
            Err(error) => Err(error),
        }
    }

    pub(super) const fn cut(&self) -> Option<&Cut> {
        self.cut.as_ref()
    }

    pub(super) const fn next(&self) -> u64 {
        self.place.next
    }

    /// Makes the reserve if it is not there.
    pub(super) fn make_room(&mut self, disk: &mut impl Disk) -> Result<(), StoreError> {
        self.is_usable()?;
        if self.has_reserve {
            return Ok(());
        }
        let made = disk.create(RESERVE).and_then(|()| zeros(disk, RESERVE, 0, self.sizes.reserve));
        match made.and_then(|()| disk.sync(RESERVE)) {
            Ok(()) => {
                self.has_reserve = true;
                Ok(())
            }
            Err(error) => {
                disk.remove(RESERVE).map_err(failed("remove the reserve"))?;
                Err(full_or_failed(error, "make the reserve"))
            }
        }
    }

    /// Makes a group durable, or nothing of it.
    pub(super) fn commit(&mut self, disk: &mut impl Disk, records: &[Record]) -> Result<(), StoreError> {
        self.is_usable()?;
        let done = self.try_commit(disk, records);
        if let Err(error) = &done
            && !matches!(error, StoreError::Full { .. })
        {
            self.broken = Some(error.clone());
        }
        done
    }

    fn try_commit(&mut self, disk: &mut impl Disk, records: &[Record]) -> Result<(), StoreError> {
        let expected = (self.place.next..).zip(records);
        if let Some((number, record)) =
            expected.into_iter().find(|(number, record)| record.sequence != *number)
        {
            let reason = format!("record {} came where {number} was expected", record.sequence);
            return Err(StoreError::Failed { what: "write the journal", reason });
        }
        if self.place.end >= self.sizes.segment {
            self.roll(disk)?;
        }
        let before = self.place.clone();
        let mut frames: Vec<Vec<u8>> = Vec::new();
        let (mut size, mut chain) = (0, self.place.chain);
        for record in records {
            let frame = journal::encode(record);
            if size + frame.len() > group::MAX_FRAMES && !frames.is_empty() {
                self.write(disk, &std::mem::take(&mut frames), chain, &before)?;
                size = 0;
            }
            size += frame.len();
            chain = record.chain;
            frames.push(frame);
        }
        if frames.is_empty() { Ok(()) } else { self.write(disk, &frames, chain, &before) }
    }

    /// Writes and syncs one group. With no room for it all is as it was at `before`.
    fn write(
        &mut self,
        disk: &mut impl Disk,
        frames: &[Vec<u8>],
        chain: Hash,
        before: &Place,
    ) -> Result<(), StoreError> {
        let Place { end, length, next, salt, .. } = self.place;
        let mut bytes = group::encode(end, next, frames, &salt);
        let used = to_u64(bytes.len());
        let ahead = if end + used > length { self.sizes.ahead.saturating_sub(used) } else { 0 };
        bytes.resize(bytes.len().saturating_add(usize::try_from(ahead).unwrap_or(0)), 0);
        let mut written = disk.write(&self.place.file, end, &bytes);
        if matches!(written, Err(DiskError::NoRoom { .. })) {
            self.go_back(disk, end)?;
            self.give_up_reserve(disk)?;
            bytes.truncate(usize::try_from(used).unwrap_or(usize::MAX));
            written = disk.write(&self.place.file, end, &bytes);
        }
        match written {
            Ok(()) => {}
            Err(DiskError::NoRoom { reason }) => {
                self.go_back(disk, before.end)?;
                self.place = Place { length: before.end, ..before.clone() };
                return Err(StoreError::Full { reason });
            }
            Err(error) => return Err(failed("write the journal")(error)),
        }
        disk.sync(&self.place.file).map_err(failed("sync the journal"))?;
        self.place.end = end + used;
        self.place.length = self.place.length.max(end + to_u64(bytes.len()));
        self.place.next = next.saturating_add(to_u64(frames.len()));
        self.place.chain = chain;
        Ok(())
    }

    /// Cuts the segment to `end` bytes, so that nothing of a write that had no room stays.
    fn go_back(&mut self, disk: &mut impl Disk, end: u64) -> Result<(), StoreError> {
        disk.truncate(&self.place.file, end).map_err(failed("cut the journal"))?;
        disk.sync(&self.place.file).map_err(failed("sync the journal"))?;
        self.place.length = end;
        Ok(())
    }

    fn give_up_reserve(&mut self, disk: &mut impl Disk) -> Result<(), StoreError> {
        if std::mem::take(&mut self.has_reserve) {
            disk.remove(RESERVE).map_err(failed("remove the reserve"))?;
        }
        Ok(())
    }

    /// Closes the segment and begins the next one.
    fn roll(&mut self, disk: &mut impl Disk) -> Result<(), StoreError> {
        self.go_back(disk, self.place.end)?;
        let Place { salt, next: first, chain, .. } = self.place;
        let header = Header { bank: self.bank, first, chain, salt };
        self.place = match begin(disk, header) {
            Err(StoreError::Full { .. }) => {
                self.give_up_reserve(disk)?;
                begin(disk, header)?
            }
            other => other?,
        };
        Ok(())
    }

    fn is_usable(&self) -> Result<(), StoreError> {
        self.broken.clone().map_or(Ok(()), Err)
    }
}

/// Makes a new segment, durable with its name.
fn begin(disk: &mut impl Disk, header: Header) -> Result<Place, StoreError> {
    let file = segment::name(header.first);
    let unfinished = format!("{file}{UNFINISHED}");
    let bytes = header.encode();
    let written = disk.create(&unfinished).and_then(|()| disk.write(&unfinished, 0, &bytes));
    if let Err(error) = written {
        // Whether it can be removed does not matter: the next start does.
        let _ = disk.remove(&unfinished);
        return Err(full_or_failed(error, "begin a new file of the journal"));
    }
    disk.sync(&unfinished).map_err(failed("sync the journal"))?;
    disk.rename(&unfinished, &file).map_err(failed("name a new file of the journal"))?;
    disk.sync_directory().map_err(failed("sync the directory of the journal"))?;
    let end = to_u64(bytes.len());
    let Header { salt, first: next, chain, .. } = header;
    Ok(Place { file, salt, end, length: end, next, chain })
}

fn zeros(disk: &mut impl Disk, file: &str, from: u64, to: u64) -> Result<(), DiskError> {
    let piece = vec![0; usize::try_from(PIECE.min(to.saturating_sub(from))).unwrap_or(0)];
    let mut at = from;
    while at < to {
        let left = usize::try_from(to - at).unwrap_or(usize::MAX);
        let bytes = piece.get(..left).unwrap_or(&piece);
        disk.write(file, at, bytes)?;
        at += to_u64(bytes.len());
    }
    Ok(())
}

fn full_or_failed(error: DiskError, what: &'static str) -> StoreError {
    match error {
        DiskError::NoRoom { reason } => StoreError::Full { reason },
        error @ DiskError::Failed { .. } => failed(what)(error),
    }
}
