//! What the user is told of the replicas of a sub-task: who they were, and whose result was another one (paper §III-D).

use super::Sale;
use crate::contract::State;
use proto::{Cycles, Hash, Money};
use std::fmt;

/// One of the executions of a sub-task that is executed more than once, or whose result is put to a test; or a question
/// whose answer is known, which was bought with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replica {
    /// Which, from 1, in the order in which they were bought.
    pub number: u32,
    /// Where it stands.
    pub state: State,
    /// Its seller, with its address, once there is one.
    pub sale: Option<Sale>,
    /// Attempts made.
    pub attempts: u32,
    /// What its last seller has reported.
    pub cycles: Cycles,
    /// The word on its result.
    pub vote: Vote,
    /// Which of the questions of the sub-task it is whose answers are known, from 1; `None` for an execution of the
    /// sub-task itself.
    pub probe: Option<u32>,
    /// What names its result: the hash over its outputs and its standard output, once it is reported.
    pub result: Option<Hash>,
    /// Paid to its sellers.
    pub paid: Money,
    /// Paid to market owners.
    pub fee: Money,
}

/// The word on the result of a replica.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Vote {
    /// There is none yet, or too few to tell.
    #[default]
    Open,
    /// Enough others came to the same, or it is the known answer: it is paid.
    Agreed,
    /// Others came to something else, or no two came to the same, or it is not the known answer: it is not paid.
    Other(Difference),
    /// It came to no result; why, in words.
    Failed(String),
    /// It was not needed any more: it is not paid.
    Cancelled,
}

/// Where a result differs first from another one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Which output: a name of the scratch directory, or `standard output`.
    pub output: String,
    /// Where in it, in words such as `line 3` or `the whole`; empty if that is not known.
    pub place: String,
    /// What stands there in the accepted result, or in the one that it was compared with.
    pub expected: String,
    /// What stands there in this one.
    pub found: String,
}

impl Vote {
    /// The word for it in commands and JSON.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Agreed => "agreed",
            Self::Other(_) => "other",
            Self::Failed(_) => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { output, place, expected, found } = self;
        let place = if place.is_empty() { String::new() } else { format!(", {place}") };
        write!(out, "`{output}`{place}: {found} instead of {expected}")
    }
}
