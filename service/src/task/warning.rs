//! What is allowed in a task file but looks like a mistake.

use std::fmt;

/// A warning and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The file, as the caller named it; `--set` for a variable that the caller set.
    pub file: String,
    /// The line, from 1; 0 when the place is not in the file.
    pub line: u32,
    /// The column in characters, from 1; 0 when the place is not in the file.
    pub column: u32,
    /// What looks wrong.
    pub kind: WarningKind,
}

/// What looks wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WarningKind {
    /// A `Count` that is not the number of entries; the entries are what counts.
    #[error("`Count` says {count}, but `{list}` has {entries} `{entry}`; all {entries} are used")]
    CountDiffers {
        /// The element that holds the list.
        list: &'static str,
        /// The element that is counted.
        entry: &'static str,
        /// What `Count` says.
        count: u64,
        /// How many there are.
        entries: u64,
    },
    /// A file of the buyer that is called like what another sub-task makes and leaves elsewhere.
    #[error(
        "`{path}` is read from your machine, although sub-task `{sub_task}` makes a file of that name and leaves it at \
         `{destination}`: name that place to get it, or `from` which sub-task it comes"
    )]
    NearMiss {
        /// The file.
        path: String,
        /// Who makes one of that name.
        sub_task: String,
        /// Where that one goes.
        destination: String,
    },
    /// A variable that the caller set and nothing in the file mentions.
    #[error("`{name}` is set, but nothing in the file uses `${{{name}}}`")]
    UnusedSet {
        /// The variable.
        name: String,
    },
    /// A variable of a sweep that nothing in its sub-task mentions.
    #[error("the sweep varies `{name}`, but nothing in the sub-task uses `${{{name}}}`")]
    UnusedSweepVariable {
        /// The variable.
        name: String,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        super::fault::show(out, &self.file, self.line, self.column, &self.kind)
    }
}
