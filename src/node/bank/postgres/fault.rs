//! What an error of PostgreSQL means for a bank.

use bank::store::StoreError;
use postgres::Error;
use postgres::error::SqlState;
use std::error::Error as _;

/// What was not possible when there is no connection, or no more.
pub(in crate::node::bank) const REACH: &str = "reach the database";

/// From an error of the database while the bank wanted to do `what`.
///
/// "Disk full" (SQLSTATE 53100) has rolled the transaction back: the bank may try again. A record that is there already,
/// or a lock that somebody else holds, shows another bank. After everything else nobody knows what is durable; that the
/// connection is lost has a name of its own, [`REACH`].
pub(super) fn fault(what: &'static str) -> impl Fn(Error) -> StoreError {
    move |error| {
        let reason = words(&error);
        match error.code() {
            Some(code) if *code == SqlState::DISK_FULL => StoreError::Full { reason },
            Some(code) if *code == SqlState::UNIQUE_VIOLATION || *code == SqlState::LOCK_NOT_AVAILABLE => {
                StoreError::Fenced { reason }
            }
            Some(code) if !is_end(code) => StoreError::Failed { what, reason },
            _ => StoreError::Failed { what: REACH, reason: format!("{reason}; it was to {what}") },
        }
    }
}

/// Whether the server ends the connection with it: it shuts down, or somebody has ended the session (class 57P).
fn is_end(code: &SqlState) -> bool {
    code.code().starts_with("57P")
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
