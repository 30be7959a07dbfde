//! `Checkpoint`: how a sub-task is saved while it runs.

use proto::message::service::CheckpointMethod;
use proto::{Bytes, Span};

/// The exit status of a program that has saved itself, unless stated (HTCondor's and Linux's `ERESTART`).
pub const CHECKPOINT_EXIT: u8 = 85;
/// How many storage nodes keep a checkpoint, unless stated.
pub const DEFAULT_COPIES: u32 = 1;
/// The most storage nodes that one checkpoint is kept on.
pub const MAX_COPIES: u32 = 16;

/// How a sub-task is saved while it runs (paper §III-D, DESIGN §5.8).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckpointSpec {
    /// `ExitCode` and `Files`: who saves.
    pub method: CheckpointMethod,
    /// `Interval`: how often, more than 0; none: by cost.
    pub interval: Option<Span>,
    /// `CheckPointDataSize`: what is reserved for one checkpoint, more than 0 bytes.
    pub size: Bytes,
    /// `Copies`: on how many storage nodes, 1 to [`MAX_COPIES`].
    pub copies: u32,
}
