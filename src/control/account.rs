//! Accounts as commands show them. Money is a decimal text in credits, or a number of micro-credits where commands reckon
//! with it; times are RFC 3339 in UTC.

use serde::{Deserialize, Serialize};

/// An account.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct BalanceView {
    pub(crate) account: String,
    /// What can be spent.
    pub(crate) available: String,
    /// What is set aside.
    pub(crate) held: String,
    /// Both together.
    pub(crate) posted: String,
    /// The tasks of this node that are under way.
    pub(crate) tasks: Vec<CommittedView>,
    /// What is set aside beside them: bonds, deposits, and holds of former runs of the node.
    pub(crate) other_held: String,
    /// What is being spent, in credits per hour; absent while nothing is.
    pub(crate) per_hour: Option<String>,
    /// How many seconds all that the account has would last at this rate.
    pub(crate) lasts: Option<f64>,
}

/// What a task under way has of the account's money.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct CommittedView {
    pub(crate) task: u64,
    pub(crate) name: String,
    /// Set aside at the moment.
    pub(crate) held: String,
    /// Paid so far, fees included.
    pub(crate) spent: String,
    /// The most that it may cost, if its file says so.
    pub(crate) budget: Option<String>,
}

/// Which part of the past is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StatementRequest {
    /// Only records with a smaller number; the newest if absent.
    pub(crate) before: Option<u64>,
    /// How many lines at most.
    pub(crate) limit: u32,
}

/// Some lines of a statement, the newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EntriesView {
    pub(crate) account: String,
    pub(crate) entries: Vec<EntryView>,
    /// Whether there is nothing older.
    pub(crate) is_complete: bool,
}

/// A movement of the account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EntryView {
    pub(crate) record: u64,
    /// Microseconds since the Unix epoch.
    pub(crate) time: u64,
    /// A word for programs, such as `transferred`, `hold_placed` or `settled`.
    pub(crate) reason: String,
    pub(crate) contract: Option<String>,
    /// The account on the other side.
    pub(crate) other: Option<String>,
    /// In micro-credits.
    pub(crate) available: i64,
    pub(crate) held: i64,
    pub(crate) fee: u64,
    pub(crate) memo: String,
}

/// A payment to another account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Payment {
    /// The account, 64 hexadecimal digits.
    pub(crate) to: String,
    /// Micro-credits.
    pub(crate) amount: u64,
    pub(crate) memo: String,
    /// 32 hexadecimal digits; the same is paid once.
    pub(crate) id: String,
}

/// A payment that stands in the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PaidView {
    pub(crate) id: String,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) amount: String,
    pub(crate) memo: String,
    /// The number of its record.
    pub(crate) record: u64,
    pub(crate) time: String,
}

/// A signed receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PaperView {
    /// Its bytes, in hexadecimal digits.
    pub(crate) paper: String,
    /// The bank that the node knows, in hexadecimal digits.
    pub(crate) bank: String,
}
