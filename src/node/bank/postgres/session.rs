//! One connection, and what a store does with it.

use super::Access;
use super::address::Address;
use super::fault::fault;
use super::rows::{self, Rows, number, signed};
use super::schema;
use bank::Record;
use bank::journal::Damage;
use bank::store::{Store, StoreError};
use postgres::fallible_iterator::FallibleIterator as _;
use postgres::types::ToSql;
use postgres::{Client, Statement};
use proto::{ContractId, PublicKey};

/// Records of one question to the database while a journal is read: a question's answer is streamed, so this bounds the
/// sorting there.
const STRETCH: u64 = 65_536;
/// Bytes of a snapshot in one row. A value of PostgreSQL has 1 GiB at most, and is held in memory as a whole.
const PIECE: usize = 4 << 20;
/// Snapshots that are kept: the newest, and one that it can be replaced by.
const SNAPSHOTS: i64 = 2;

/// A store, as long as its connection lives.
pub(super) struct Session {
    client: Client,
    access: Access,
    bank: PublicKey,
    /// Which opening this is.
    epoch: i64,
    /// The number of the next record.
    next: u64,
    insert: Statement,
    /// After an error nobody knows what became durable.
    is_broken: bool,
    /// The last group did not go in for want of room.
    is_full: bool,
}

impl Session {
    /// Opens the store of `bank`. One that is empty becomes its own, unless it is only looked at.
    ///
    /// # Errors
    /// A database that cannot be reached or that would forget, another process that serves from it ([`StoreError::Fenced`]), or the store of another bank.
    pub(super) fn open(address: &Address, bank: PublicKey, access: Access) -> Result<Self, StoreError> {
        let mut client = address.connect()?;
        let epoch = match access {
            Access::Serve => schema::take(&mut client, bank)?,
            Access::Look => schema::look(&mut client, bank)?,
            Access::Import => schema::begin(&mut client, bank)?,
        };
        let insert = client.prepare(rows::INSERT).map_err(fault("prepare the database"))?;
        let next = schema::next(&mut client)?;
        Ok(Self { client, access, bank, epoch, next, insert, is_broken: false, is_full: false })
    }

    /// How many records there are.
    pub(super) const fn records(&self) -> u64 {
        self.next
    }

    /// Makes an import durable, all of it at once.
    ///
    /// # Errors
    /// Nothing of it is there then, unless the connection broke in this very moment.
    pub(super) fn finish(&mut self) -> Result<(), StoreError> {
        self.usable()?;
        self.client.batch_execute("COMMIT").map_err(fault("finish the import"))
    }

    /// How many records the newest snapshot has.
    pub(super) fn newest_snapshot(&mut self) -> Result<u64, StoreError> {
        let failed = fault("read the snapshot");
        let question = "SELECT coalesce(max(records), 0) FROM compup2p.snapshot";
        self.client.query_one(question, &[]).and_then(|row| row.try_get(0)).map(number).map_err(failed)
    }

    fn usable(&self) -> Result<(), StoreError> {
        if self.is_broken {
            let reason = "an earlier write failed, so that what the database holds is unknown".into();
            return Err(StoreError::Failed { what: "go on", reason });
        }
        Ok(())
    }

    /// Writes the rows of a group: in one statement, which is a transaction of its own, or in several within one.
    fn insert(&mut self, group: &[Record]) -> Result<(), StoreError> {
        let portions = Rows::portions(group, self.bank);
        let is_nested = self.access == Access::Import || portions.len() == 1;
        if is_nested {
            return portions.iter().try_for_each(|rows| self.insert_rows(rows));
        }
        self.client.batch_execute("BEGIN").map_err(fault("write the journal"))?;
        let written = portions.iter().try_for_each(|rows| self.insert_rows(rows));
        let (end, what) =
            if written.is_ok() { ("COMMIT", "commit the journal") } else { ("ROLLBACK", "roll back") };
        let ended = self.client.batch_execute(end).map_err(fault(what));
        written.and(ended)
    }

    fn insert_rows(&mut self, rows: &Rows) -> Result<(), StoreError> {
        let parameters: [&(dyn ToSql + Sync); 7] = [
            &self.epoch,
            &rows.sequences,
            &rows.records,
            &rows.accounts,
            &rows.of_accounts,
            &rows.contracts,
            &rows.of_contracts,
        ];
        let count = self.client.execute(&self.insert, &parameters).map_err(fault("write the journal"))?;
        if count == rows.count() {
            return Ok(());
        }
        let reason = format!("its epoch is later than {}, that of this bank", self.epoch);
        Err(StoreError::Fenced { reason })
    }

    /// The records of one stretch, from `from` on and below `to`.
    fn read_stretch(
        &mut self,
        from: u64,
        to: u64,
        each: &mut dyn FnMut(Record) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        const QUESTION: &str = "SELECT sequence, record FROM compup2p.journal \
             WHERE sequence >= $1 AND sequence < $2 ORDER BY sequence";
        let failed = fault("read the journal");
        let mut rows = self.client.query_raw(QUESTION, [signed(from), signed(to)]).map_err(&failed)?;
        let mut expected = from;
        while let Some(row) = rows.next().map_err(&failed)? {
            let (sequence, bytes) = (row.try_get(0).map_err(&failed)?, row.try_get(1).map_err(&failed)?);
            let record = decode(number(sequence), bytes)?;
            if record.sequence != expected {
                return Err(damage(expected, format!("the row of record {sequence} is in its place")));
            }
            expected += 1;
            each(record)?;
        }
        if expected == to { Ok(()) } else { Err(damage(expected, "its row is missing".into())) }
    }

    fn find(
        &mut self,
        question: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Record>, StoreError> {
        let failed = fault("search the journal");
        let rows = self.client.query(question, parameters).map_err(&failed)?;
        let records = rows.iter().map(|row| {
            let (sequence, bytes) = (row.try_get(0).map_err(&failed)?, row.try_get(1).map_err(&failed)?);
            decode(number(sequence), bytes)
        });
        records.collect()
    }
}

impl Store for Session {
    fn snapshot(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        const QUESTION: &str = "SELECT bytes FROM compup2p.snapshot \
             WHERE records = (SELECT max(records) FROM compup2p.snapshot) ORDER BY piece";
        let failed = fault("read the snapshot");
        let none: [i64; 0] = [];
        let mut rows = self.client.query_raw(QUESTION, none).map_err(&failed)?;
        let mut snapshot = None;
        while let Some(row) = rows.next().map_err(&failed)? {
            let piece: &[u8] = row.try_get(0).map_err(&failed)?;
            snapshot.get_or_insert_with(Vec::new).extend(piece);
        }
        Ok(snapshot)
    }

    fn read(
        &mut self,
        from: u64,
        each: &mut dyn FnMut(Record) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let end = schema::next(&mut self.client)?;
        let mut from = from;
        while from < end {
            let to = from.saturating_add(STRETCH).min(end);
            self.read_stretch(from, to, each)?;
            from = to;
        }
        Ok(())
    }

    fn commit(&mut self, group: &[Record]) -> Result<(), StoreError> {
        self.usable()?;
        if self.access == Access::Look {
            let reason = "the store was opened to be looked at".into();
            return Err(StoreError::Failed { what: "write the journal", reason });
        }
        let Some(last) = group.last() else { return Ok(()) };
        if group.first().is_some_and(|first| first.sequence != self.next) {
            let reason = format!("the group does not begin with record {}", self.next);
            return Err(StoreError::Failed { what: "write the journal", reason });
        }
        let written = self.insert(group);
        match &written {
            Ok(()) => self.next = last.sequence.saturating_add(1),
            Err(StoreError::Full { .. }) if self.access == Access::Serve => self.is_full = true,
            Err(_) => self.is_broken = true,
        }
        written
    }

    /// Nobody can ask PostgreSQL whether there is room but by using some: a row that is taken back.
    fn make_room(&mut self) -> Result<(), StoreError> {
        if !self.is_full {
            return Ok(());
        }
        const PROBE: &str = "INSERT INTO compup2p.snapshot (records, piece, bytes) VALUES (-1, 0, $1)";
        let failed = fault("look for room");
        let mut transaction = self.client.transaction().map_err(&failed)?;
        transaction.execute(PROBE, &[&vec![1_u8; PIECE]]).map_err(&failed)?;
        transaction.rollback().map_err(failed)?;
        self.is_full = false;
        Ok(())
    }

    fn keep_snapshot(&mut self, records: u64, snapshot: &[u8]) -> Result<(), StoreError> {
        let failed = fault("keep the snapshot");
        if records > schema::next(&mut self.client)? {
            let reason = format!("the journal has fewer than {records} records");
            return Err(StoreError::Failed { what: "keep the snapshot", reason });
        }
        let mut transaction = self.client.transaction().map_err(&failed)?;
        let of = signed(records);
        transaction.execute("DELETE FROM compup2p.snapshot WHERE records = $1", &[&of]).map_err(&failed)?;
        for (piece, bytes) in (0_i32..).zip(snapshot.chunks(PIECE)) {
            let insert = "INSERT INTO compup2p.snapshot (records, piece, bytes) VALUES ($1, $2, $3)";
            transaction.execute(insert, &[&of, &piece, &bytes]).map_err(&failed)?;
        }
        let forget = "DELETE FROM compup2p.snapshot WHERE records NOT IN \
             (SELECT DISTINCT records FROM compup2p.snapshot ORDER BY records DESC LIMIT $1)";
        transaction.execute(forget, &[&SNAPSHOTS]).map_err(&failed)?;
        transaction.commit().map_err(&failed)
    }

    fn of_account(
        &mut self,
        account: PublicKey,
        before: u64,
        limit: usize,
    ) -> Result<Vec<Record>, StoreError> {
        const QUESTION: &str = "SELECT sequence, record FROM compup2p.movement JOIN compup2p.journal \
             USING (sequence) WHERE account = $1 AND sequence < $2 ORDER BY sequence DESC LIMIT $3";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.find(QUESTION, &[&account.0.as_slice(), &signed(before), &limit])
    }

    fn of_contract(&mut self, contract: ContractId) -> Result<Vec<Record>, StoreError> {
        const QUESTION: &str = "SELECT sequence, record FROM compup2p.deal JOIN compup2p.journal \
             USING (sequence) WHERE contract = $1 ORDER BY sequence";
        self.find(QUESTION, &[&contract.0.as_slice()])
    }
}

fn decode(sequence: u64, bytes: &[u8]) -> Result<Record, StoreError> {
    let record = Record::decode(bytes).map_err(|e| damage(sequence, e.to_string()))?;
    if record.sequence == sequence {
        return Ok(record);
    }
    Err(damage(sequence, format!("its row holds record {}", record.sequence)))
}

/// Damage in the row of a record. Rows have no place in bytes.
const fn damage(record: u64, reason: String) -> StoreError {
    StoreError::Damaged(Damage { record, offset: 0, reason })
}
