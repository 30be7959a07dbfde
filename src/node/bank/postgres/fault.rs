//! What an error of PostgreSQL means for a bank.

use bank::store::StoreError;
use postgres::Error;
use postgres::error::SqlState;
use std::error::Error as _;

/// From an error of the database while the bank wanted to do `what`.
///
/// "Disk full" (SQLSTATE 53100) has rolled the transaction back: the bank may try again. A record that is there already,
/// or a lock that somebody else holds, shows another bank. After everything else nobody knows what is durable.
pub(super) fn fault(what: &'static str) -> impl Fn(Error) -> StoreError {
    move |error| {
        let reason = words(&error);
        match error.code() {
            Some(code) if *code == SqlState::DISK_FULL => StoreError::Full { reason },
            Some(code) if *code == SqlState::UNIQUE_VIOLATION || *code == SqlState::LOCK_NOT_AVAILABLE => {
                StoreError::Fenced { reason }
            }
            _ => StoreError::Failed { what, reason },
        }
    }
}

/// The words of an error and of what caused it.
fn words(error: &Error) -> String {
    let mut words = match error.as_db_error() {
        Some(error) => return format!("{} (SQLSTATE {})", error.message(), error.code().code()),
        None => error.to_string(),
    };
    let mut cause = error.source();
    while let Some(error) = cause {
        words = format!("{words}: {error}");
        cause = error.source();
    }
    words
}
