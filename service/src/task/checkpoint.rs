//! `Checkpoint`: how a sub-task is saved while it runs.

use super::reader::{Parts, Reader, place_of};
use super::rule::Rule;
use super::value::{self, Wrong};
use proto::message::service::{CheckpointMethod, Runtime};
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

/// The most files that a program saves itself into.
pub(super) const MAX_CHECKPOINT_FILES: usize = 256;

const COPIES: &str = "a number of storage nodes from 1 to 16";

/// Reads `Checkpoint` and `CheckPointDataSize`. A size alone means that the executor saves, as in the paper's task file.
pub(super) fn read(parts: &Parts<'_, '_>, base: &Base, reader: &mut Reader<'_>) -> Option<CheckpointSpec> {
    let size = reader.child(parts, "CheckPointDataSize", value::size);
    let Some(node) = parts.get("Checkpoint") else {
        let size = size.filter(|size| *size > Bytes(0))?;
        let place = parts.get("CheckPointDataSize").map_or(0, |node| place_of(*node));
        let method = CheckpointMethod::Transparent;
        check(&method, base, place, reader);
        return Some(CheckpointSpec { method, interval: None, size, copies: DEFAULT_COPIES });
    };
    let place = node.range().start;
    let given = super::reader::parts(*node);
    let exit_code = reader.child(&given, "ExitCode", value::exit_code);
    let interval = reader.child(&given, "Interval", value::duration);
    let copies = reader.child(&given, "Copies", copies).unwrap_or(DEFAULT_COPIES);
    let files = reader.list(&given, "Files", "CheckPointFile", |reader, file| {
        reader.value(file, "CheckPointFile", value::inside)
    });
    let method = match (exit_code, given.contains_key("Files")) {
        (None, false) => CheckpointMethod::Transparent,
        (Some(_), false) => {
            reader.notes.fault(Some(place), Rule::CheckpointWithoutFiles.into());
            return None;
        }
        (code, true) => CheckpointMethod::BySelf { exit_code: code.unwrap_or(CHECKPOINT_EXIT), files },
    };
    check(&method, base, place, reader);
    if size == Some(Bytes(0)) {
        reader.notes.fault(Some(place), Rule::CheckpointWithoutSize.into());
    }
    // What can be saved at most: the whole memory, or what the program writes.
    let usual = if method == CheckpointMethod::Transparent { base.memory } else { base.disk };
    Some(CheckpointSpec { method, interval, size: size.unwrap_or(usual), copies })
}

/// What else of the sub-task decides about its checkpoints.
pub(super) struct Base {
    /// `Runtime`.
    pub(super) runtime: Option<Runtime>,
    /// The exit status that means success.
    pub(super) success: u8,
    /// `Limits/Memory`.
    pub(super) memory: Bytes,
    /// `Limits/Disk`.
    pub(super) disk: Bytes,
}

fn check(method: &CheckpointMethod, base: &Base, place: usize, reader: &mut Reader<'_>) {
    let rule = match (method, base.runtime) {
        (CheckpointMethod::Transparent, Some(Runtime::Native)) => {
            Rule::CheckpointNotTransparent { runtime: "native" }
        }
        (CheckpointMethod::Transparent, Some(Runtime::Container)) => {
            Rule::CheckpointNotTransparent { runtime: "container" }
        }
        (CheckpointMethod::BySelf { exit_code, .. }, _) if *exit_code == base.success => {
            Rule::CheckpointExitIsSuccess { code: *exit_code }
        }
        _ => return,
    };
    reader.notes.fault(Some(place), rule.into());
}

fn copies(text: &str) -> Result<u32, Wrong> {
    value::between(text, 1, MAX_COPIES, COPIES)
}
