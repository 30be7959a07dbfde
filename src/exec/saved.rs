//! What an exit status means, and from what an ended execution can go on.

use super::Execution;
use super::scratch;
use proto::message::service::{CheckpointMethod, Outcome};

/// From what an execution that has ended can go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Saved {
    /// From this snapshot, in any fresh scratch directory with the same inputs in place.
    Snapshot(Snapshot),
    /// From the files in its scratch directory that its [`CheckpointMethod::BySelf`] names: they are copied away, and
    /// the program is started again at once, in the same scratch directory with the same arguments (HTCondor's
    /// contract, conventions.md 3e).
    Files,
}

/// A saved program, compressed and with its hash in it; only the executor that made it reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Snapshot {
    /// The whole of it.
    pub(crate) bytes: Vec<u8>,
    /// The hash in it.
    pub(crate) hash: proto::Hash,
    /// The hash in the whole snapshot that it is a difference to; none: it is whole.
    pub(crate) base: Option<proto::Hash>,
    /// Cycles metered until then, from the very start of the program.
    pub(crate) cycles: proto::Cycles,
    /// For how long the program stood still for it.
    pub(crate) took: proto::Span,
}

/// A whole snapshot of a program that goes on, to which its next one may be a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Whole {
    /// The hash in it.
    pub(crate) hash: proto::Hash,
    /// What the difference may have.
    pub(crate) most: proto::Bytes,
}

/// A verdict, and from what the program can go on.
pub(super) type Judgement = (Outcome, Option<Saved>);

/// The verdict on a program that ended by itself with `status`: for every kind of program the same.
///
/// A program that is to save itself and ends with the status agreed on has saved itself, if the files are there; a
/// driver that does not know of checkpoints sees it as an exit with that status. Else the status that means success
/// needs every declared output, and any other is a failure.
pub(super) fn judge(execution: &Execution, status: i32) -> Judgement {
    let is_missing = |name: &&String| scratch::output(&execution.scratch, name).is_none();
    if let Some(CheckpointMethod::BySelf { exit_code, files }) = &execution.checkpoint
        && status == i32::from(*exit_code)
    {
        return match files.iter().find(is_missing) {
            Some(missing) => (Outcome::OutputMissing(missing.clone()), None),
            None => (Outcome::Exited(status), Some(Saved::Files)),
        };
    }
    if status != i32::from(execution.success) {
        return (Outcome::Exited(status), None);
    }
    match execution.outputs.iter().find(is_missing) {
        Some(missing) => (Outcome::OutputMissing(missing.clone()), None),
        None => (Outcome::Succeeded, None),
    }
}
