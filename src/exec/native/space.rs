//! What a running program fills: files with a name, files without one, and memory.

use super::tree::Process;
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// What a program has filled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Filled {
    /// Bytes of files; a hole counts as if it were filled.
    pub(super) bytes: u64,
    /// Files and directories.
    pub(super) entries: u64,
}

/// What lies below `roots`. Files may come and go meanwhile; a symbolic link is not followed.
///
/// # Errors
/// If something cannot be looked into: too deep, or closed to its owner.
pub(super) fn below(roots: &[&Path]) -> io::Result<Filled> {
    let is_gone = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
    let mut filled = Filled::default();
    let mut open: Vec<_> = roots.iter().map(|root| root.to_path_buf()).collect();
    while let Some(dir) = open.pop() {
        let entries = match fs::read_dir(&dir) {
            Err(error) if is_gone(&error) => continue,
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let metadata = match entry.metadata() {
                Err(error) if is_gone(&error) => continue,
                metadata => metadata?,
            };
            filled.entries += 1;
            if metadata.is_dir() {
                open.push(entry.path());
            } else {
                filled.bytes = filled.bytes.saturating_add(metadata.len());
            }
        }
    }
    Ok(filled)
}

/// What open files without a name hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Nameless {
    /// On disk.
    pub(super) disk: u64,
    /// In memory (`memfd_create`).
    pub(super) memory: u64,
}

/// What the open files of these processes hold that no directory has. Each file counts once.
pub(super) fn nameless(pids: &[i32]) -> Nameless {
    let mut seen = BTreeSet::new();
    let mut held = Nameless::default();
    for pid in pids {
        for entry in fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten() {
            let Ok(target) = fs::read_link(entry.path()) else { continue };
            let target = target.to_string_lossy();
            let Some(name) = target.strip_suffix(" (deleted)") else { continue };
            let Ok(metadata) = fs::metadata(entry.path()) else { continue };
            if !seen.insert((metadata.dev(), metadata.ino())) {
                continue;
            }
            let bytes = metadata.blocks().saturating_mul(512);
            let part = if name.starts_with("/memfd:") { &mut held.memory } else { &mut held.disk };
            *part = part.saturating_add(bytes);
        }
    }
    held
}

/// Memory of these processes that is theirs, in bytes: what is counted quickly, and where that is more than `limit`,
/// counted exactly, so that what a parent shares with its children counts once.
pub(super) fn memory(pids: &[i32], limit: u64) -> u64 {
    let (mut private, mut shared) = (0_u64, 0_u64);
    for pid in pids {
        let Ok(status) = fs::read_to_string(format!("/proc/{pid}/status")) else { continue };
        private = private.saturating_add(field(&status, "RssAnon:"));
        shared = shared.max(field(&status, "RssShmem:"));
    }
    let quick = private.saturating_add(shared);
    if quick <= limit || pids.len() < 2 {
        return quick;
    }
    let mut exact = pids.iter().map(|pid| {
        let rollup = match fs::read_to_string(format!("/proc/{pid}/smaps_rollup")) {
            Ok(rollup) => rollup,
            // Who has just ended, or is about to, has none (the kernel then says ESRCH).
            Err(error)
                if error.raw_os_error() == Some(libc::ESRCH)
                    || Process::of(*pid).is_none_or(Process::is_over) =>
            {
                return Some(0);
            }
            Err(_) => return None,
        };
        Some(field(&rollup, "Pss_Anon:").saturating_add(field(&rollup, "Pss_Shmem:")))
    });
    // Where the kernel does not say, what was counted quickly holds.
    exact
        .try_fold(0_u64, |sum, part| part.map(|part| sum.saturating_add(part)))
        .map_or(quick, |exact| exact.min(quick))
}

/// A line such as `RssAnon:   12 kB`, in bytes.
fn field(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.split_ascii_whitespace().next()?.parse::<u64>().ok());
    number.map_or(0, |kib| kib.saturating_mul(1024))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn what_lies_in_a_directory_is_counted_holes_too_and_links_are_not_followed() {
        let dir = tempfile::TempDir::new().unwrap();
        fs::create_dir(dir.path().join("a")).unwrap();
        fs::write(dir.path().join("a/b"), b"12345").unwrap();
        fs::File::create(dir.path().join("hole")).unwrap().set_len(1 << 40).unwrap();
        std::os::unix::fs::symlink("/usr", dir.path().join("link")).unwrap();
        let filled = below(&[dir.path(), Path::new("/nowhere")]).unwrap();
        assert_eq!(filled, Filled { bytes: (1 << 40) + 5 + 4, entries: 4 });
    }

    #[test]
    fn a_file_without_a_name_is_counted_once() {
        let own = i32::try_from(std::process::id()).unwrap();
        let before = nameless(&[own]);
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&[1; 1 << 20]).unwrap();
        file.sync_all().unwrap();
        let copy = file.try_clone().unwrap();
        let more = nameless(&[own]).disk - before.disk;
        // Other tests of this process may have such files too.
        assert!((1 << 20..1 << 21).contains(&more), "{more}");
        drop(copy);
    }

    #[test]
    fn memory_is_counted_by_page() {
        let own = i32::try_from(std::process::id()).unwrap();
        let before = memory(&[own], u64::MAX);
        let page = vec![7_u8; 64 << 20];
        let after = memory(&[own], u64::MAX);
        assert!(after - before > 60 << 20, "{before} {after} {}", page.len());
        assert_eq!(field("RssFile:\t 1 kB\nRssAnon:\t     12 kB\n", "RssAnon:"), 12 << 10);
    }
}
