//! Where a bank keeps what it must not forget: the journal, and snapshots of the ledger so that a start is quick.
//!
//! The ledger decides, a store remembers. Every store does the same: it takes groups of records, makes each durable as a
//! whole, gives them back in order, and finds those of an account or a contract. One suite of tests runs over all of them.

pub mod disk;
pub mod file;

use crate::journal::Damage;
use crate::record::Record;
use proto::{ContractId, PublicKey};

/// Why a store does not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// There is no room. Nothing of the group was kept; the same group may be committed later.
    #[error("there is no room for the journal: {reason}")]
    Full {
        /// The store's words.
        reason: String,
    },
    /// What is there cannot be trusted.
    #[error(transparent)]
    Damaged(#[from] Damage),
    /// It holds the journal of another bank, or of another format.
    #[error("the store belongs to another bank: {reason}")]
    Foreign {
        /// How that shows.
        reason: String,
    },
    /// Another process writes to it: this one has to stop.
    #[error("another bank has taken the store over: {reason}")]
    Fenced {
        /// How that shows.
        reason: String,
    },
    /// Reading or writing failed. What became durable is unknown until the store is opened again.
    #[error("cannot {what}: {reason}")]
    Failed {
        /// What was tried.
        what: &'static str,
        /// The store's words.
        reason: String,
    },
}

/// What takes the number of each record with its encoding. Its first error ends the reading.
pub type Each<'a> = dyn FnMut(u64, &[u8]) -> Result<(), StoreError> + 'a;

/// A store of one bank.
pub trait Store: Send {
    /// The newest snapshot that is whole ; none for a journal that is read from its beginning.
    ///
    /// # Errors
    /// A store that cannot be read.
    fn snapshot(&mut self) -> Result<Option<Vec<u8>>, StoreError>;

    /// Gives every record from number `from` on to `each`, in order. At the end of a journal that was being written
    /// when its bank died, what is torn is cut off.
    ///
    /// # Errors
    /// Damage, with the place; and the first error of `each`.
    fn read(
        &mut self,
        from: u64,
        each: &mut dyn FnMut(Record) -> Result<(), StoreError>,
    ) -> Result<(), StoreError>;

    /// The same with each record's number and its encoding, which a [`crate::Replay`] follows several times faster.
    ///
    /// # Errors
    /// As [`Store::read`].
    fn read_encoded(&mut self, from: u64, each: &mut Each<'_>) -> Result<(), StoreError> {
        self.read(from, &mut |record| each(record.sequence, &record.encode()))
    }

    /// Makes a group of records durable that follow the last ones: all of them or none.
    ///
    /// # Errors
    /// [`StoreError::Full`], after which the store goes on; any other, after which it is not to be used any more.
    fn commit(&mut self, group: &[Record]) -> Result<(), StoreError>;

    /// Makes sure that there is room to work with, after [`StoreError::Full`] and before new work is taken on. A store
    /// whose server looks after that has nothing to do.
    ///
    /// # Errors
    /// [`StoreError::Full`] if there is still none.
    fn make_room(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Keeps a snapshot of the ledger after `records` records. One that fails is no harm: the journal has it all.
    ///
    /// # Errors
    /// A store that cannot be written.
    fn keep_snapshot(&mut self, records: u64, snapshot: &[u8]) -> Result<(), StoreError>;

    /// The last `limit` records before number `before` that move money of `account`, the newest first.
    ///
    /// # Errors
    /// A store that cannot be read.
    fn of_account(
        &mut self,
        account: PublicKey,
        before: u64,
        limit: usize,
    ) -> Result<Vec<Record>, StoreError>;

    /// All records of a contract, in order.
    ///
    /// # Errors
    /// A store that cannot be read.
    fn of_contract(&mut self, contract: ContractId) -> Result<Vec<Record>, StoreError>;
}

/// Gives the number and the encoding of the records from number `from` on, up to but not including number `until`, to
/// `each`.
///
/// # Errors
/// As [`Store::read`].
pub fn read_until(
    store: &mut dyn Store,
    from: u64,
    until: u64,
    each: &mut Each<'_>,
) -> Result<(), StoreError> {
    let mut is_enough = from >= until;
    if is_enough {
        return Ok(());
    }
    let read = store.read_encoded(from, &mut |number, body| {
        is_enough = number >= until;
        // Any error stops the reading; this one goes no further.
        let enough = || StoreError::Failed { what: "read on", reason: String::new() };
        if is_enough { Err(enough()) } else { each(number, body) }
    });
    if is_enough { Ok(()) } else { read }
}
