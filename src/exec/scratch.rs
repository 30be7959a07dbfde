//! The scratch directory: all that a program sees of its host.

use super::clear::clear;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::path::{Component, Path, PathBuf};
use tempfile::TempDir;

/// Beginning of the names of scratch directories.
const PREFIX: &str = "run-";
/// Most files and directories of one program. A named bound for what a limit in bytes does not cover.
pub(super) const MAX_ENTRIES: u64 = 65_536;

/// Room for the names of a directory's attributes, in bytes; there are usually none, or one of the system's.
const MAX_NAMES: usize = 1024;

/// A directory of its own for one execution; it and all that is in it vanish with this value.
#[derive(Debug)]
pub(crate) struct Scratch {
    dir: TempDir,
}

/// What lies in a scratch directory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Usage {
    /// Sum of the lengths of all files.
    pub(super) bytes: u64,
    /// Number of files and directories.
    pub(super) entries: u64,
}

impl Scratch {
    /// Makes an empty one in `base`, closed to other users of the machine.
    ///
    /// # Errors
    /// If it cannot be made.
    pub(crate) fn new(base: &Path) -> io::Result<Self> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(PREFIX);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(fs::Permissions::from_mode(0o700));
        }
        Ok(Self { dir: builder.tempdir_in(base)? })
    }

    /// Empties it for the next program of the same contract: to make a directory and to take it away costs more than all the
    /// rest of a short run, where a file system looks for a place that was not in use just now. One to which attributes were
    /// attached is made anew.
    ///
    /// # Errors
    /// If it cannot be emptied, or made.
    pub(crate) fn renewed(self) -> io::Result<Self> {
        self.empty()?;
        match self.path().parent().filter(|_| has_attributes(self.path())) {
            Some(base) => Self::new(base),
            None => Ok(self),
        }
    }

    /// Removes all that is in it.
    ///
    /// # Errors
    /// If something cannot be removed.
    pub(crate) fn empty(&self) -> io::Result<()> {
        clear(self.path())
    }

    /// Where it is.
    #[must_use]
    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Copies `source` to `name`, with the directories that it needs. A copy, not a link: programs write to
    /// their inputs.
    ///
    /// # Errors
    /// If the name is not a plain relative one (see [`is_plain`]) or taken, or something cannot be read or
    /// written.
    pub(crate) fn place(&self, name: &str, source: &Path) -> io::Result<()> {
        if !is_plain(name) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("`{name}` leads out of its directory"),
            ));
        }
        let target = self.path().join(name);
        if let Some(parent) = target.parent() {
            DirBuilder::new().recursive(true).create(parent)?;
        }
        let mut from = File::open(source)?;
        let mut to = OpenOptions::new().write(true).create_new(true).open(target)?;
        io::copy(&mut from, &mut to)?;
        Ok(())
    }

    /// The file `name` in it: see [`output`].
    #[must_use]
    pub(crate) fn output(&self, name: &str) -> Option<PathBuf> {
        output(self.path(), name)
    }

    /// Removes scratch directories that a process that died left in `base`. Call it before the first run.
    ///
    /// # Errors
    /// If `base` cannot be read or something in it not be removed.
    pub(crate) fn sweep(base: &Path) -> io::Result<()> {
        for entry in fs::read_dir(base)? {
            let entry = entry?;
            let is_ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
            if is_ours && entry.file_type()?.is_dir() {
                clear(&entry.path())?;
                fs::remove_dir(entry.path())?;
            }
        }
        Ok(())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = self.empty() {
            tracing::warn!(%error, "what a program has left could not be removed");
        }
    }
}

/// Whether attributes are attached to a directory that a program can attach to its own.
fn has_attributes(path: &Path) -> bool {
    let mut names = [0; MAX_NAMES];
    match rustix::fs::listxattr(path, &mut names) {
        Ok(length) => {
            let names = names.get(..length).unwrap_or_default().split(|byte| *byte == 0);
            names.into_iter().any(|name| name.starts_with(b"user.") || name.starts_with(b"system."))
        }
        // The file system has none.
        Err(error) => error != rustix::io::Errno::NOTSUP,
    }
}

/// Whether `name` consists of plain names only: relative, not empty, no `.`, no `..`.
#[must_use]
pub(crate) fn is_plain(name: &str) -> bool {
    let mut components = Path::new(name).components().peekable();
    components.peek().is_some()
        && components.all(|component| matches!(component, Component::Normal(_)))
        && !name.contains(['\0', '\\'])
}

/// The path of the file `name` in the directory `scratch`, if it is a regular file there and no part of its path
/// is a symbolic link.
#[must_use]
pub(crate) fn output(scratch: &Path, name: &str) -> Option<PathBuf> {
    if !is_plain(name) {
        return None;
    }
    let mut path = scratch.to_path_buf();
    let mut kind = None;
    for component in Path::new(name).components() {
        path.push(component);
        let here = fs::symlink_metadata(&path).ok()?.file_type();
        if here.is_symlink() {
            return None;
        }
        kind = Some(here);
    }
    kind?.is_file().then_some(path)
}

/// What lies below `root`: a hole in a file counts as if it were filled, a symbolic link is not followed.
#[cfg_attr(not(test), expect(dead_code, reason = "called by the executor of native programs"))]
pub(super) fn measure(root: &Path) -> io::Result<Usage> {
    let mut usage = Usage::default();
    let mut open = vec![root.to_path_buf()];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(dir)? {
            let entry = entry?;
            let metadata = entry.metadata()?;
            usage.entries += 1;
            if metadata.is_dir() {
                open.push(entry.path());
            } else {
                usage.bytes = usage.bytes.saturating_add(metadata.len());
            }
        }
    }
    Ok(usage)
}
