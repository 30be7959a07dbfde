//! A group of records as the rows that are written of it.

use bank::Record;
use proto::PublicKey;

/// Writes a group under the epoch `$1`. Another epoch than the database's writes nothing.
pub(super) const INSERT: &str = "\
WITH mine AS (SELECT 1 FROM compup2p.bank WHERE epoch = $1 FOR SHARE), \
moved AS (INSERT INTO compup2p.movement (account, sequence) \
  SELECT a, s FROM mine, unnest($4::bytea[], $5::bigint[]) AS u (a, s)), \
dealt AS (INSERT INTO compup2p.deal (contract, sequence) \
  SELECT c, s FROM mine, unnest($6::bytea[], $7::bigint[]) AS u (c, s)) \
INSERT INTO compup2p.journal (sequence, record) \
  SELECT s, r FROM mine, unnest($2::bigint[], $3::bytea[]) AS u (s, r)";

/// Bytes of records in one statement: more than the largest record, and far less than the 1 GiB that one message to
/// PostgreSQL may have.
const PORTION: usize = 16 << 20;

/// The rows of some records, column by column.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) sequences: Vec<i64>,
    pub(super) records: Vec<Vec<u8>>,
    pub(super) accounts: Vec<Vec<u8>>,
    /// The record of each account.
    pub(super) of_accounts: Vec<i64>,
    pub(super) contracts: Vec<Vec<u8>>,
    /// The record of each contract.
    pub(super) of_contracts: Vec<i64>,
}

impl Rows {
    /// The rows of a group, in as many portions as its size asks for.
    pub(super) fn portions(group: &[Record], bank: PublicKey) -> Vec<Self> {
        let mut portions = Vec::new();
        let (mut rows, mut size) = (Self::default(), 0_usize);
        for record in group {
            let bytes = record.encode();
            if size > 0 && size + bytes.len() > PORTION {
                portions.push(std::mem::take(&mut rows));
                size = 0;
            }
            size += bytes.len();
            rows.add(record, bytes, bank);
        }
        portions.push(rows);
        portions
    }

    /// How many records there are.
    pub(super) fn count(&self) -> u64 {
        u64::try_from(self.sequences.len()).unwrap_or(u64::MAX)
    }

    fn add(&mut self, record: &Record, bytes: Vec<u8>, bank: PublicKey) {
        let sequence = signed(record.sequence);
        for account in record.accounts(bank) {
            self.accounts.push(account.0.to_vec());
            self.of_accounts.push(sequence);
        }
        if let Some(contract) = record.contract() {
            self.contracts.push(contract.0.to_vec());
            self.of_contracts.push(sequence);
        }
        self.sequences.push(sequence);
        self.records.push(bytes);
    }
}

/// A number as PostgreSQL keeps it. There are not 2^63 records.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A number that PostgreSQL kept.
pub(super) fn number(signed: i64) -> u64 {
    u64::try_from(signed).unwrap_or(0)
}
