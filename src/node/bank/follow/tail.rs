//! The last records of the journal, so that a standby that keeps up costs no look at the disk.

use super::super::role::Role;
use bank::Record;
use proto::Rules;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::watch;

/// Bytes of records that are kept.
const MAX_BYTES: usize = 16 << 20;
/// Bytes of records that are sent at once; a single record may be longer.
pub(super) const BATCH: usize = 256 << 10;

/// What the bank and those who lead its standbys have in common.
#[derive(Debug)]
pub(crate) struct Tail {
    /// What the bank was when it began to serve.
    pub(super) role: Role,
    /// The rules of the network.
    pub(super) rules: Rules,
    kept: Mutex<Kept>,
    /// How many records are durable here.
    durable: watch::Sender<u64>,
    /// The most that were ever durable at a standby, and when one was last heard.
    pub(super) standby: watch::Sender<Standby>,
    /// The epoch of a bank that has taken over.
    pub(super) fenced: watch::Sender<Option<u64>>,
}

/// What is known of the standbys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Standby {
    /// How many follow.
    pub(crate) count: usize,
    /// How many records are durable with the one that has the most.
    pub(crate) durable: u64,
    /// When one was heard.
    pub(crate) heard: Option<Instant>,
}

#[derive(Debug, Default)]
struct Kept {
    records: VecDeque<Vec<u8>>,
    /// The number of the first.
    first: u64,
    bytes: usize,
}

/// What a standby that has so many records is to be sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// These.
    Records(Vec<Vec<u8>>),
    /// Nothing: it has all.
    Nothing,
    /// What is no longer here, but in the journal.
    InJournal,
}

impl Tail {
    /// Of a bank whose journal has so many records.
    pub(crate) fn new(role: Role, rules: Rules, records: u64) -> Self {
        Self {
            role,
            rules,
            kept: Mutex::new(Kept { first: records, ..Kept::default() }),
            durable: watch::Sender::new(records),
            standby: watch::Sender::new(Standby::default()),
            fenced: watch::Sender::new(None),
        }
    }

    /// These records are durable.
    pub(crate) fn push(&self, records: &[Record]) {
        let Some(last) = records.last() else { return };
        let next = last.sequence.saturating_add(1);
        let is_followed = self.standby.borrow().count > 0;
        let mut kept = self.kept();
        if is_followed {
            for bytes in records.iter().map(Record::encode) {
                kept.bytes += bytes.len();
                kept.records.push_back(bytes);
            }
            while kept.bytes > MAX_BYTES {
                let Some(old) = kept.records.pop_front() else { break };
                kept.bytes = kept.bytes.saturating_sub(old.len());
                kept.first += 1;
            }
        } else {
            *kept = Kept { first: next, ..Kept::default() };
        }
        drop(kept);
        self.durable.send_replace(next);
    }

    /// How many records are durable here.
    pub(crate) fn durable(&self) -> u64 {
        *self.durable.borrow()
    }

    pub(super) fn watch_durable(&self) -> watch::Receiver<u64> {
        self.durable.subscribe()
    }

    /// What is known of the standbys, and what becomes known.
    pub(crate) fn watch_standby(&self) -> watch::Receiver<Standby> {
        self.standby.subscribe()
    }

    /// The epoch of a bank that has taken over, if one has.
    pub(crate) fn watch_fenced(&self) -> watch::Receiver<Option<u64>> {
        self.fenced.subscribe()
    }

    /// What follows after the first `have` records.
    pub(super) fn after(&self, have: u64) -> Next {
        let kept = self.kept();
        let Some(skipped) = have.checked_sub(kept.first) else { return Next::InJournal };
        let skipped = usize::try_from(skipped).unwrap_or(usize::MAX);
        let mut bytes = 0;
        let fits = |record: &&Vec<u8>| {
            let is_first = bytes == 0;
            bytes += record.len();
            is_first || bytes <= BATCH
        };
        let records: Vec<Vec<u8>> = kept.records.iter().skip(skipped).take_while(fits).cloned().collect();
        if records.is_empty() { Next::Nothing } else { Next::Records(records) }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bank::Event;
    use proto::{Hash, Time};

    fn records(from: u64, count: u64) -> Vec<Record> {
        let record =
            |n| Record::seal(n, Time(n + 1), Event::Resumed { quiet_until: Time(n) }, Hash::default());
        (from..from + count).map(record).collect()
    }

    #[test]
    fn a_standby_gets_what_it_lacks_from_here_as_far_as_it_is_kept() {
        let tail = Tail::new(Role::default(), Rules::LOCAL, 10);
        tail.push(&records(10, 5));
        assert_eq!((tail.durable(), tail.after(12)), (15, Next::InJournal), "nobody followed");
        assert_eq!(tail.after(15), Next::Nothing);
        tail.standby.send_modify(|standby| standby.count = 1);
        let new = records(15, 3);
        tail.push(&new);
        let encoded: Vec<Vec<u8>> = new.iter().map(Record::encode).collect();
        assert_eq!(tail.after(15), Next::Records(encoded.clone()));
        assert_eq!(tail.after(17), Next::Records(encoded[2..].to_vec()));
        assert_eq!((tail.after(18), tail.after(14)), (Next::Nothing, Next::InJournal));
        tail.push(&[]);
        assert_eq!(tail.durable(), 18);
    }
}
