//! What has to hold after every event: one property a file.

pub(crate) mod books;
pub(crate) mod bounded;
pub(crate) mod channel;
pub(crate) mod contract;
pub(crate) mod cores;
pub(crate) mod durable;
pub(crate) mod ended;
pub(crate) mod flow;
pub(crate) mod kept;
pub(crate) mod listed;
pub(crate) mod node;
pub(crate) mod overlay;
pub(crate) mod owner;
pub(crate) mod policy;
pub(crate) mod price;
pub(crate) mod probes;
pub(crate) mod progress;
pub(crate) mod ring;
pub(crate) mod saved;
pub(crate) mod served;
pub(crate) mod sub_task;

use std::fmt;

/// An invariant that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Breach {
    /// Its name.
    pub(crate) invariant: &'static str,
    /// What does not hold.
    pub(crate) what: String,
}

/// Whether an invariant holds.
pub(crate) type Checked = Result<(), Breach>;

impl Breach {
    pub(crate) fn new(invariant: &'static str, what: impl Into<String>) -> Self {
        Self { invariant, what: what.into() }
    }

    /// `Ok` if `holds`, and otherwise the breach that `what` describes.
    pub(crate) fn unless(holds: bool, invariant: &'static str, what: impl FnOnce() -> String) -> Checked {
        if holds { Ok(()) } else { Err(Self::new(invariant, what())) }
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.invariant, self.what)
    }
}

impl std::error::Error for Breach {}

/// All that is kept to check the invariants.
#[derive(Debug)]
pub(crate) struct Watch {
    pub(crate) ring: ring::RingWatch,
    pub(crate) books: books::Books,
    pub(crate) durable: durable::Durable,
    pub(crate) contracts: contract::Contracts,
    pub(crate) progress: progress::Progress,
    pub(crate) listed: listed::Listed,
    pub(crate) sub_tasks: sub_task::SubTasks,
    pub(crate) probes: probes::Probes,
    pub(crate) flows: flow::Flows,
    pub(crate) policies: policy::Policies,
    pub(crate) kept: kept::Kept,
    pub(crate) ended: ended::Ended,
    pub(crate) saved: saved::Saved,
    pub(crate) overlay: overlay::Overlay,
}
