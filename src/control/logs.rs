//! What programs print, as commands ask for it and show it.

use serde::{Deserialize, Serialize};

/// A question for what a sub-task has printed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Logs {
    /// `last` or the number of a task.
    pub(crate) task: String,
    /// The name of a sub-task, or its number from 1; the first if absent.
    pub(crate) sub_task: Option<String>,
    /// Standard error instead of standard output.
    pub(crate) is_error: bool,
    /// Whether to go on until the sub-task has ended.
    pub(crate) follow: bool,
}

/// A part of what a sub-task has printed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct OutputView {
    pub(crate) sub_task: String,
    /// Where it begins, in bytes from the beginning of the stream.
    pub(crate) from: u64,
    /// The bytes, in hexadecimal digits.
    pub(crate) hex: String,
    /// It is not signed by the seller: the sub-task has not ended, or its result is not here.
    pub(crate) is_provisional: bool,
    /// What was shown before is not so: the sub-task has begun anew, or its seller showed something else than it reports.
    pub(crate) is_anew: bool,
    /// Nothing follows.
    pub(crate) is_last: bool,
}
