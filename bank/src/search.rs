//! Questions that only the journal answers: the ledger does not keep what is past.
//!
//! The bank checks who asks and hands the question to its driver ([`crate::Output::Search`]), which looks the records
//! up in its store, beside everything else, and sends the answer.

use proto::Peer;
use proto::message::bank::{ReceiptQuery, StatementQuery};

/// A question about the past of the asker's own account or contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Search {
    /// Who asks: it is told about its own account and contracts only.
    pub from: Peer,
    /// What.
    pub query: Query,
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Query {
    /// The movements of the asker's account.
    Statement(StatementQuery),
    /// The receipt of a contract of the asker.
    Receipt(ReceiptQuery),
}
