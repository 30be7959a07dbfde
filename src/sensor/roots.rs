//! Where sensors read, and how: small pieces of text from files that the kernel or somebody else writes.

use std::ffi::OsString;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// The most that is read of a file of one value, in bytes.
pub(super) const VALUE: u64 = 4 << 10;
/// The most that is read of a table, in bytes: `/proc/interrupts` of a machine with hundreds of cores has some 300 KiB.
pub(super) const TABLE: u64 = 1 << 20;
/// What a read begins with, in bytes.
const ROOM: usize = 4 << 10;
/// The most entries of a directory that are looked at.
pub(super) const ENTRIES: usize = 4_096;

/// The directories below which all sensors read. Tests and strange machines put others in their place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Roots {
    /// `/proc`, or `COMPUP2P_PROC_ROOT`.
    pub(crate) proc: PathBuf,
    /// `/sys`, or `COMPUP2P_SYSFS_ROOT`.
    pub(crate) sys: PathBuf,
    /// `/dev`, or `COMPUP2P_DEV_ROOT`.
    pub(crate) dev: PathBuf,
    /// `/run`, or `COMPUP2P_RUN_ROOT`.
    pub(crate) run: PathBuf,
}

impl Roots {
    /// Those of this machine, unless the environment names others.
    #[must_use]
    pub(crate) fn of_machine() -> Self {
        Self::named(|name| std::env::var_os(name))
    }

    fn named(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let root = |name: &str, usual: &str| {
            let chosen = variable(name).filter(|path| !path.is_empty());
            chosen.map_or_else(|| PathBuf::from(usual), PathBuf::from)
        };
        Self {
            proc: root("COMPUP2P_PROC_ROOT", "/proc"),
            sys: root("COMPUP2P_SYSFS_ROOT", "/sys"),
            dev: root("COMPUP2P_DEV_ROOT", "/dev"),
            run: root("COMPUP2P_RUN_ROOT", "/run"),
        }
    }
}

/// The first `most` bytes of a file as text, wrong characters replaced; nothing if it cannot be read.
pub(super) fn read(path: &Path, most: u64) -> Option<String> {
    // Room for most files: a reader that has to grow asks the kernel to write its table again and again.
    let mut bytes = Vec::with_capacity(ROOM);
    File::open(path).ok()?.take(most).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into()))
}

/// The one word or number of a file.
pub(super) fn value<T: std::str::FromStr>(path: &Path) -> Option<T> {
    read(path, VALUE)?.trim().parse().ok()
}

/// The entries of a directory, at most [`ENTRIES`], in no order; none if it cannot be read.
pub(super) fn entries(path: &Path) -> impl Iterator<Item = std::fs::DirEntry> + use<> {
    std::fs::read_dir(path).into_iter().flatten().take(ENTRIES).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_moves_a_root() {
        let moved = |name: &str| (name == "COMPUP2P_SYSFS_ROOT").then(|| OsString::from("/tmp/sys"));
        let roots = Roots::named(moved);
        assert_eq!((roots.sys, roots.proc), (PathBuf::from("/tmp/sys"), PathBuf::from("/proc")));
        let empty = Roots::named(|_| Some(OsString::new()));
        assert_eq!((empty.dev, empty.run), (PathBuf::from("/dev"), PathBuf::from("/run")));
    }

    #[test]
    fn only_the_beginning_of_a_file_is_read() {
        let dir = tempfile::TempDir::new().unwrap();
        let path = dir.path().join("huge");
        std::fs::write(&path, vec![b'7'; 10_000]).unwrap();
        assert_eq!(read(&path, 3), Some("777".into()));
        assert_eq!(value::<u64>(&path), None);
        for (content, expected) in [(&b" 42\n"[..], Some(42)), (b"4 2", None), (b"\xff", None), (b"", None)] {
            std::fs::write(&path, content).unwrap();
            assert_eq!(value::<u64>(&path), expected, "{content:?}");
        }
        assert_eq!(read(dir.path(), 3), None);
        assert_eq!(entries(&path).count(), 0);
    }
}
