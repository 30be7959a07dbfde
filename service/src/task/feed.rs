//! What flows from one sub-task to another.

/// An output of one sub-task that is an input of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feed {
    /// Which sub-task makes it: index in the expanded list.
    pub from: u32,
    /// What of its result.
    pub what: Produced,
    /// What it becomes.
    pub slot: Slot,
}

/// A part of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Produced {
    /// The output of this name in the scratch directory.
    Output(String),
    /// Standard output.
    StdOut,
    /// Standard error.
    StdErr,
}

/// Where a file goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Slot {
    /// Into the scratch directory, by this name.
    Input(String),
    /// To standard input.
    StdIn,
}
