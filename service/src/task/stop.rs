//! `StopWhen`: the result that makes the rest of a task needless.

use super::Decimal;

/// When the task has found what it looks for: the other sub-tasks are then cancelled, and the task has succeeded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StopWhen {
    /// Which sub-tasks are looked at, as indices of the expanded list, in order; none: all.
    pub sub_tasks: Option<Vec<u32>>,
    /// What the result has to be.
    pub condition: StopCondition,
}

/// What a result has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StopCondition {
    /// `exitCode`: the program ends with this status, which need not be the one of success.
    Exit(u8),
    /// `contains`: a text stands in the result.
    Contains {
        /// Where.
        place: StopPlace,
        /// The text, not empty.
        text: String,
    },
    /// `below`: the first number of the result is less than this.
    Below {
        /// Where.
        place: StopPlace,
        /// The bound.
        bound: Decimal,
    },
    /// `above`: the first number of the result is more than this.
    Above {
        /// Where.
        place: StopPlace,
        /// The bound.
        bound: Decimal,
    },
}

/// Which part of a result is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StopPlace {
    /// Standard output.
    StdOut,
    /// The output of this name in the scratch directory.
    Output(String),
}
