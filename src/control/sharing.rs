//! Whether a node works for others, as its owner sees it. Times are RFC 3339 in UTC.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Whether the node works for others, since when, until when and why not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SharingView {
    pub(crate) state: Sharing,
    /// Since when; absent for a time that was asked about.
    pub(crate) since: Option<String>,
    /// When that ends by itself, if that is known.
    pub(crate) until: Option<String>,
    /// Every condition that speaks against sharing, as sentences.
    pub(crate) reasons: Vec<String>,
    /// What else there is to say: when it changes by itself, and limits that no sensor serves.
    pub(crate) notes: Vec<String>,
    /// For how much of the time the work of others runs, in per cent, while it runs.
    pub(crate) throttle_pct: u32,
    /// Sub-tasks of others that are here.
    pub(crate) working: usize,
    /// The time that was asked about, if it is not now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) at: Option<String>,
}

/// How a node stands with its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Sharing {
    /// New work is taken.
    #[serde(rename = "sharing")]
    Open,
    /// No new work is taken; what is here goes on.
    Closed,
    /// What is here stands still.
    Suspended,
    /// What is here is handed back.
    Vacating,
    /// Suspended by hand.
    Paused,
    /// By hand: no new work is taken, what is here ends as it would.
    Draining,
    /// The same, and then the node leaves.
    Leaving,
}

impl Sharing {
    /// The word for it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Open => "sharing",
            Self::Closed => "not sharing",
            Self::Suspended => "suspended",
            Self::Vacating => "handing work back",
            Self::Paused => "paused",
            Self::Draining => "draining",
            Self::Leaving => "about to leave",
        }
    }
}

/// A policy that was read again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ReloadView {
    pub(crate) file: PathBuf,
    /// What has changed, a key a line.
    pub(crate) changes: Vec<String>,
    /// What of it counts from the next start on only.
    pub(crate) at_next_start: Vec<String>,
}

/// When a node leaves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Departure {
    /// At once; what is at work is handed back.
    Now,
    /// When what is at work has ended.
    Done,
    /// The same, to come back at this time (RFC 3339).
    Until(String),
}
