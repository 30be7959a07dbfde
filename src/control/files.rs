//! Public files as commands show them.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What a command wants of public files.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Filing {
    /// Gives a file to whoever asks for its name.
    Publish { path: PathBuf, name: String },
    /// Does so no more.
    Withdraw { name: String },
    /// The files that this node has published.
    List,
    /// Who has a file: `NAME`, `NAME@ACCOUNT`, or the 64 hexadecimal digits of its hash.
    Find { what: String },
    /// Brings a file from whoever has it, from one of these code servers at last, and writes it to a path.
    Get { what: String, to: PathBuf, servers: Vec<String> },
}

/// A public file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileView {
    /// Absent if it was asked for by its hash.
    pub(crate) name: Option<String>,
    /// Whose name it is: the account, all of it.
    pub(crate) publisher: Option<String>,
    /// BLAKE3, 64 hexadecimal digits.
    pub(crate) hash: String,
    /// In bytes.
    pub(crate) size: u64,
    /// The addresses of nodes that have it; of a file of this node's own, this node's.
    pub(crate) holders: Vec<String>,
    /// Where it was written to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) path: Option<PathBuf>,
}
