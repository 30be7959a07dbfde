//! The disk that is shared: its size, and what is free of it with what our own sub-tasks hold.

use super::roots::entries;
use proto::{Bytes, Span, Time};
use std::path::{Path, PathBuf};
use sysinfo::{Disk, DiskRefreshKind, Disks};

/// How often it is looked which disk a directory is on: somebody may mount another.
const FIND_EVERY: Span = Span::secs(60);
/// How often the scratch directories are measured.
const MEASURE_EVERY: Span = Span::secs(10);
/// The most files that are measured; what stands behind them counts as not ours, which is cautious.
const MAX_FILES: usize = 20_000;

/// What one look found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// The size of the disk.
    pub(super) total: Bytes,
    /// What is free of it, with what sub-tasks hold.
    pub(super) free: Bytes,
}

/// Looks at the disk of one directory.
#[derive(Debug)]
pub(super) struct Storage {
    dir: PathBuf,
    /// Where sub-tasks have their scratch directories; on the same disk.
    scratch: PathBuf,
    disk: Option<(Disk, Time)>,
    held: Option<(Bytes, Time)>,
}

impl Storage {
    /// `dir` is on the disk that is shared, and sub-tasks work in `scratch`.
    pub(super) fn new(dir: &Path, scratch: &Path) -> Self {
        let dir = dir.canonicalize().unwrap_or_else(|_| dir.to_path_buf());
        Self { dir, scratch: scratch.to_path_buf(), disk: None, held: None }
    }

    /// Looks; 0 if there is no such disk.
    pub(super) fn look(&mut self, now: Time) -> Found {
        let what = DiskRefreshKind::nothing().with_storage();
        match &mut self.disk {
            Some((disk, found)) if now.since(*found) < FIND_EVERY => {
                disk.refresh_specifics(what);
            }
            known => *known = nearest(&self.dir, what).map(|disk| (disk, now)),
        }
        let Some((disk, _)) = &self.disk else { return Found::default() };
        let (total, free) = (disk.total_space(), disk.available_space());
        let held = match self.held {
            Some((held, measured)) if now.since(measured) < MEASURE_EVERY => held,
            _ => {
                let held = held_below(&self.scratch);
                self.held = Some((held, now));
                held
            }
        };
        Found { total: Bytes(total), free: Bytes(free.saturating_add(held.0).min(total)) }
    }
}

/// The disk that `dir` is on.
fn nearest(dir: &Path, what: DiskRefreshKind) -> Option<Disk> {
    let mut disks = Disks::new().ok()?;
    disks.refresh_specifics(true, what);
    let disks = Vec::from(disks).into_iter();
    let holds = disks.filter(|disk| dir.starts_with(disk.mount_point()));
    holds.max_by_key(|disk| disk.mount_point().components().count())
}

/// What the files below a directory take of the disk; links are not followed.
fn held_below(dir: &Path) -> Bytes {
    use std::os::unix::fs::MetadataExt as _;
    let (mut held, mut files, mut todo) = (0_u64, 0_usize, vec![dir.to_path_buf()]);
    while let Some(dir) = todo.pop() {
        for entry in entries(&dir) {
            files += 1;
            if files > MAX_FILES {
                return Bytes(held);
            }
            let Ok(metadata) = entry.metadata() else { continue };
            held = held.saturating_add(metadata.blocks().saturating_mul(512));
            if metadata.is_dir() {
                todo.push(entry.path());
            }
        }
    }
    Bytes(held)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sensor::fake::Tree;

    #[test]
    fn the_disk_of_this_directory_is_found_and_our_own_files_on_it_count_as_free() {
        let tree = Tree::new();
        let (dir, scratch) = (tree.path(""), tree.path("scratch"));
        let mut storage = Storage::new(&dir, &scratch);
        let found = storage.look(Time(0));
        assert!(found.total > Bytes::mib(1) && found.free <= found.total, "{found:?}");
        assert_eq!(storage.held, Some((Bytes(0), Time(0))));
        tree.write("scratch/a/b/large", vec![7; 1 << 20]).write("elsewhere", vec![7; 1 << 20]);
        storage.look(Time(1));
        assert_eq!(storage.held, Some((Bytes(0), Time(0))), "measured a moment ago");
        let later = Time(0).after(MEASURE_EVERY);
        storage.look(later);
        let (held, measured) = storage.held.unwrap();
        assert_eq!(measured, later);
        assert!(held >= Bytes::mib(1) && held < Bytes::mib(2), "{held:?}");
    }

    #[test]
    fn links_out_of_a_scratch_directory_are_not_followed() {
        let tree = Tree::new();
        tree.write("large", vec![7; 1 << 20]).write("scratch/small", "x");
        std::os::unix::fs::symlink(tree.path(""), tree.path("scratch/out")).unwrap();
        assert!(held_below(&tree.path("scratch")) < Bytes(1 << 20));
        assert_eq!(held_below(&tree.path("nowhere")), Bytes(0));
    }
}
