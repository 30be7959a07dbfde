//! When a terminal was last read from: the access times of `/dev/tty[0-9]*` and `/dev/pts/*`.

use crate::sensor::roots::{Roots, entries};
use proto::{Span, Time};
use std::fs::DirEntry;
use std::os::unix::fs::MetadataExt as _;

/// The time since a terminal was read from; nothing if there is no terminal. `wall` is the clock that files are
/// dated with. What was read in the future was read now.
pub(super) fn untouched(roots: &Roots, wall: Time) -> Option<Span> {
    let is_console = |entry: &DirEntry| {
        let name = entry.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix("tty"));
        number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let is_remote = |entry: &DirEntry| entry.file_name() != "ptmx";
    let consoles = entries(&roots.dev).filter(is_console);
    let remote = entries(&roots.dev.join("pts")).filter(is_remote);
    let read = consoles.chain(remote).filter_map(|entry| accessed(&entry));
    read.max().map(|last| wall.since(last))
}

/// When it was last read, since 1970.
fn accessed(entry: &DirEntry) -> Option<Time> {
    let metadata = entry.metadata().ok()?;
    let micros = u64::try_from(metadata.atime_nsec()).ok()? / 1_000;
    Some(Time(u64::try_from(metadata.atime()).ok()?.checked_mul(1_000_000)?.checked_add(micros)?))
}
