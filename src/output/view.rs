//! What is shown besides the views of the control protocol.

use crate::control::TaskView;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::PathBuf;

/// Where other programs have task files done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct RemoteView {
    /// The address that is listened at.
    pub(crate) address: String,
    /// The file with the key.
    pub(crate) key: String,
}

/// Something about a place of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Place {
    pub(crate) file: String,
    /// From 1; 0 when the place is not in the file.
    pub(crate) line: u32,
    /// In characters, from 1; 0 when the place is not in the file.
    pub(crate) column: u32,
    pub(crate) message: String,
}

impl Place {
    /// `message` about line and column `at` of `file`.
    pub(crate) fn new(file: &str, at: (u32, u32), message: &dyn fmt::Display) -> Self {
        Self { file: file.into(), line: at.0, column: at.1, message: message.to_string() }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.line, self.column) {
            (0, _) => write!(out, "{}: {}", self.file, self.message),
            (line, 0) => write!(out, "{}:{line}: {}", self.file, self.message),
            (line, column) => write!(out, "{}:{line}:{column}: {}", self.file, self.message),
        }
    }
}

/// A journal that was exported or imported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct ExchangedView {
    /// Whose journal it is.
    pub(crate) bank: String,
    /// How many records it has.
    pub(crate) records: u64,
    /// The chain of the last one.
    pub(crate) head: String,
    /// The file.
    pub(crate) file: String,
    /// Its size.
    pub(crate) bytes: u64,
}

impl ExchangedView {
    /// What was done, for people.
    pub(crate) fn line(&self, what: &str) -> String {
        let Self { bank, records, head, file, bytes } = self;
        format!("{what}ed {records} records of the bank {bank}\nfile  {file}, {bytes} bytes\nhead  {head}\n")
    }
}

/// A policy that was made of another program's settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Imported {
    /// As TOML.
    pub(crate) policy: String,
    /// What could not be carried over, and what means something else here.
    pub(crate) notes: Vec<String>,
}

/// What a process says to its parent when it serves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ready {
    pub(crate) address: String,
    /// The public key, all of it.
    pub(crate) key: String,
    pub(crate) home: PathBuf,
}

/// A valid task file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Validated {
    pub(crate) file: String,
    pub(crate) name: String,
    pub(crate) sub_tasks: usize,
    /// The sum of all prices in credits: the most that the task can cost.
    pub(crate) price: String,
    pub(crate) budget: Option<String>,
    /// The files that it names and that are there.
    pub(crate) files: usize,
    pub(crate) warnings: Vec<Place>,
}

/// A task on a local network, from its start to its end.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Run<'a> {
    pub(crate) task: &'a TaskView,
    pub(crate) balances: Vec<BalanceChange>,
    pub(crate) total: TotalChange,
    /// Where the files are, if they are kept.
    pub(crate) kept: Option<PathBuf>,
}

/// An account before and after, in credits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct BalanceChange {
    pub(crate) node: String,
    pub(crate) account: String,
    /// What is available and what is held.
    pub(crate) before: String,
    pub(crate) after: String,
    /// What is still held of it.
    pub(crate) held: String,
    /// The difference, with its sign.
    pub(crate) change: String,
}

/// The money of all accounts together, in credits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct TotalChange {
    pub(crate) before: String,
    pub(crate) after: String,
    /// Whether both are the same: no money appeared, none vanished.
    pub(crate) adds_up: bool,
}

/// A local network that keeps running.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct RunningNetwork {
    pub(crate) directory: PathBuf,
    /// `KEY@HOST:PORT`, for `join --bootstrap`.
    pub(crate) bootstrap: String,
    pub(crate) nodes: Vec<RunningNode>,
}

/// A node of a local network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct RunningNode {
    pub(crate) name: String,
    pub(crate) address: String,
    pub(crate) account: String,
    pub(crate) home: PathBuf,
}

/// What happened on an account, the newest first. Money is in credits, times are RFC 3339 in UTC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct StatementView {
    pub(crate) account: String,
    pub(crate) entries: Vec<LineView>,
    /// Whether nothing that was asked for is missing.
    pub(crate) is_complete: bool,
}

/// A line of a statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct LineView {
    pub(crate) record: u64,
    pub(crate) time: String,
    /// A word for programs.
    pub(crate) reason: String,
    pub(crate) contract: Option<String>,
    /// The account on the other side.
    pub(crate) other: Option<String>,
    /// What the account gained, available and held together; with its sign.
    pub(crate) change: String,
    /// The same of each side.
    pub(crate) available: String,
    pub(crate) held: String,
    /// What of it went to a market owner.
    pub(crate) fee: String,
    /// What the account had afterwards, available and held together.
    pub(crate) balance: Option<String>,
    pub(crate) memo: String,
}

/// The receipt of a contract that has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct DealView {
    pub(crate) contract: String,
    /// How it ended.
    pub(crate) how: String,
    pub(crate) record: u64,
    pub(crate) time: String,
    /// The hash of the journal up to this record.
    pub(crate) chain: String,
    pub(crate) bank: String,
    pub(crate) buyer: String,
    pub(crate) seller: String,
    pub(crate) owner: Option<String>,
    pub(crate) arbiter: Option<String>,
    pub(crate) held_of_buyer: String,
    pub(crate) held_of_seller: String,
    pub(crate) to_seller: String,
    pub(crate) to_owner: String,
    pub(crate) to_buyer: String,
    pub(crate) to_arbiter: String,
    pub(crate) to_pool: String,
    /// What follows from signatures and arithmetic.
    pub(crate) proven: Vec<String>,
    /// What has to be believed of somebody.
    pub(crate) unproven: Vec<String>,
    /// The signed receipt with its papers, in hexadecimal digits.
    pub(crate) paper: String,
}
