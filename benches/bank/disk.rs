//! What it costs to make bytes durable here.

use super::say;
use crate::control::Failure;
use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::time::{Duration, Instant};

/// Syncs that are measured.
const SYNCS: u64 = 1_000;
/// Bytes of each.
const SIZE: usize = 4_096;

/// The median cost of a sync after 4 KiB into space that was there, as the bank's journal does it.
pub(super) fn measure() -> Result<Duration, Failure> {
    let directory = tempfile::tempdir().map_err(Failure::from_display("disk"))?;
    let path = directory.path().join("file");
    let failed = |error: std::io::Error| Failure::disk("measure", &path, &error);
    let mut file = File::create(&path).map_err(failed)?;
    let append = median(|_| file.write_all(&[1; SIZE]).and_then(|()| file.sync_data())).map_err(failed)?;
    let size = u64::try_from(SIZE).unwrap_or(u64::MAX);
    file.sync_all().map_err(failed)?;
    let over = |at: u64| file.write_all_at(&[2; SIZE], at * size).and_then(|()| file.sync_data());
    let over = median(over).map_err(failed)?;
    say(&format!("fdatasync after 4 KiB: appended {append:.2?}, over what was there {over:.2?} (medians)"));
    Ok(over)
}

fn median(mut write: impl FnMut(u64) -> std::io::Result<()>) -> std::io::Result<Duration> {
    let mut spans = Vec::new();
    for at in 0..SYNCS {
        let began = Instant::now();
        write(at)?;
        spans.push(began.elapsed());
    }
    spans.sort_unstable();
    Ok(spans.get(spans.len() / 2).copied().unwrap_or_default())
}
