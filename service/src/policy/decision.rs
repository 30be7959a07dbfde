//! What a policy decides at one moment: what is for sale, and what happens to work that is under way.

use super::Sale;
use proto::{Span, Time};

/// The word of the policy on this moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What may be sold.
    pub sale: Sale,
    /// What happens to the sub-tasks of others that are at work here.
    pub work: Work,
    /// Since when `work` is what it is.
    pub since: Time,
    /// Every condition that speaks against sharing at this moment, as sentences; empty while the node shares.
    pub reasons: Vec<String>,
}

/// What happens to the sub-tasks of others that are at work on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// They go on, each for this share of the time, in per cent, 1 to 100.
    Run {
        /// The share.
        throttle_pct: u32,
    },
    /// They stand still, in memory, until the condition has passed.
    Suspend,
    /// They are stopped and handed back to their buyers; before that they have so long to end in order.
    Vacate {
        /// How long.
        grace: Span,
    },
}
