//! A store in PostgreSQL, for a network that has outgrown the disk of one machine.
//!
//! The ledger stays in the bank's memory and decides; the database remembers. It holds the journal, row by row as the
//! file store holds it frame by frame, an index by account and by contract, and the last snapshots. A group is one
//! statement, and so one transaction: all of it or nothing, and durable before the statement returns
//! (`synchronous_commit` is set and checked, `fsync` is checked).
//!
//! Two banks on one database cannot both write. Who serves holds an advisory lock for as long as its connection lives;
//! the second one is refused. Should a lock be lost unseen (a pooler between them), the epoch decides: every opening
//! counts it up, every group is written under the epoch of its bank, and the primary key of the journal makes a fork
//! impossible in any case.
//!
//! [`PgStore`] blocks. It may be used on a thread of its own, and on those of a runtime with several threads.

mod address;
mod fault;
mod rows;
mod schema;
mod session;
#[cfg(test)]
mod tests;
mod tls;

pub(crate) use address::Address;
pub(super) use fault::REACH;

use bank::Record;
use bank::store::{Store, StoreError};
use proto::{ContractId, PublicKey};
use session::Session;
use tokio::task::block_in_place;

/// What a store is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// To serve: nobody else writes from now on.
    Serve,
    /// To look something up beside the bank that serves. Nothing can be committed.
    Look,
    /// To take a whole journal in: all that is committed is there after [`PgStore::finish`], and nothing before.
    Import,
}

/// A store in PostgreSQL.
pub(crate) struct PgStore {
    /// There until it is dropped.
    session: Option<Session>,
}

impl PgStore {
    /// Opens the store of `bank`. One that is empty becomes its own, unless it is only looked at.
    ///
    /// # Errors
    /// A database that cannot be reached or that would forget, another process that serves from it
    /// ([`StoreError::Fenced`]), or the store of another bank.
    pub(crate) fn open(address: &Address, bank: PublicKey, access: Access) -> Result<Self, StoreError> {
        let session = block_in_place(|| Session::open(address, bank, access))?;
        Ok(Self { session: Some(session) })
    }

    /// The bank whose store is at `address`; none where no bank has one.
    ///
    /// # Errors
    /// A database that cannot be reached, or a store of another format.
    pub(crate) fn bank_at(address: &Address) -> Result<Option<PublicKey>, StoreError> {
        block_in_place(|| schema::bank(&mut address.connect()?))
    }

    /// How many records there were when it was opened, and came since.
    pub(crate) fn records(&self) -> u64 {
        self.session.as_ref().map_or(0, Session::records)
    }

    /// How many records the newest snapshot has; 0 if there is none.
    ///
    /// # Errors
    /// A database that does not answer.
    pub(crate) fn newest_snapshot(&mut self) -> Result<u64, StoreError> {
        self.with(Session::newest_snapshot)
    }

    /// Makes an import durable, all of it at once.
    ///
    /// # Errors
    /// Nothing of it is there then, unless the connection broke in this very moment.
    pub(crate) fn finish(mut self) -> Result<(), StoreError> {
        self.with(Session::finish)
    }

    fn with<T>(&mut self, act: impl FnOnce(&mut Session) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let closed = || StoreError::Failed { what: "go on", reason: "the store is closed".into() };
        let session = self.session.as_mut().ok_or_else(closed)?;
        block_in_place(|| act(session))
    }
}

impl Drop for PgStore {
    fn drop(&mut self) {
        let session = self.session.take();
        block_in_place(|| drop(session));
    }
}

impl Store for PgStore {
    fn snapshot(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        self.with(Session::snapshot)
    }

    fn read(
        &mut self,
        from: u64,
        each: &mut dyn FnMut(Record) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.with(|session| session.read(from, each))
    }

    fn commit(&mut self, group: &[Record]) -> Result<(), StoreError> {
        self.with(|session| session.commit(group))
    }

    fn make_room(&mut self) -> Result<(), StoreError> {
        self.with(Session::make_room)
    }

    fn keep_snapshot(&mut self, records: u64, snapshot: &[u8]) -> Result<(), StoreError> {
        self.with(|session| session.keep_snapshot(records, snapshot))
    }

    fn of_account(
        &mut self,
        account: PublicKey,
        before: u64,
        limit: usize,
    ) -> Result<Vec<Record>, StoreError> {
        self.with(|session| session.of_account(account, before, limit))
    }

    fn of_contract(&mut self, contract: ContractId) -> Result<Vec<Record>, StoreError> {
        self.with(|session| session.of_contract(contract))
    }
}
