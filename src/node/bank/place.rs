//! Where a bank keeps its journal: in files below its home, or in a database.

use super::kept;
use super::postgres::{Access, Address, PgStore};
use crate::control::Failure;
use bank::store::{Store, StoreError};
use proto::PublicKey;
use std::fmt;
use std::path::{Path, PathBuf};

/// A place that holds the store of one bank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The home of the bank.
    Files(PathBuf),
    /// A database.
    Database(Address),
}

impl Place {
    /// The one that the operator names, or else the bank's home.
    pub(crate) fn of(home: &Path, store: Option<&Address>) -> Self {
        store.map_or_else(|| Self::Files(home.to_owned()), |address| Self::Database(address.clone()))
    }

    /// Opens it to serve, with how many records the newest snapshot has (0 for none). `salt` is 32 bytes that nobody can
    /// guess.
    ///
    /// # Errors
    /// See the stores.
    pub(crate) fn open(&self, bank: PublicKey, salt: [u8; 32]) -> Result<(Box<dyn Store>, u64), StoreError> {
        match self {
            Self::Files(home) => {
                let mut store = kept::open_files(home, bank, salt)?;
                let known = store.snapshot_count()?.unwrap_or_default();
                Ok((Box::new(store), known))
            }
            Self::Database(address) => {
                let mut store = PgStore::open(address, bank, Access::Serve)?;
                let known = store.newest_snapshot()?;
                Ok((Box::new(store), known))
            }
        }
    }

    /// Opens it to look something up, beside whoever serves.
    ///
    /// # Errors
    /// See the stores.
    pub(super) fn reader(&self, bank: PublicKey) -> Result<Box<dyn Store>, StoreError> {
        Ok(match self {
            Self::Files(home) => Box::new(kept::reader(home, bank)),
            Self::Database(address) => Box::new(PgStore::open(address, bank, Access::Look)?),
        })
    }

    /// What it is, in words.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Files(home) => format!("files in {}", home.display()),
            Self::Database(address) => format!("the database {address}"),
        }
    }

    /// What an error of a store is to whoever runs a command on it.
    pub(super) fn failure(&self, error: &StoreError) -> Failure {
        let failure = kept::failure(error);
        match self {
            Self::Files(_) => failure,
            Self::Database(_) => Failure { message: format!("{self}: {}", failure.message), ..failure },
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Files(home) => write!(f, "{}", home.display()),
            Self::Database(address) => write!(f, "{address}"),
        }
    }
}
