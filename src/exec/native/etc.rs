//! The `/etc` of the sandbox: a directory of the node's own that is mounted as a whole, since bubblewrap's price grows
//! with every mount.

use super::launch::{PRIVATE, SETTINGS};
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use tempfile::TempDir;

/// The private files, and copies of what programs need of this machine's `/etc`. Copies are as old as the node: where
/// libraries are installed later, the loader looks in its usual directories.
///
/// # Errors
/// The disk.
pub(super) fn prepare() -> io::Result<TempDir> {
    let etc = TempDir::with_prefix("compup2p-etc-")?;
    fs::set_permissions(etc.path(), Permissions::from_mode(0o755))?;
    for (name, text) in PRIVATE {
        fs::write(etc.path().join(name), text)?;
    }
    for from in SETTINGS.map(Path::new) {
        let Some(name) = from.file_name() else { continue };
        let to = etc.path().join(name);
        if from.is_dir() {
            copy_directory(from, &to)?;
        } else if from.exists() {
            fs::copy(from, to)?;
        }
    }
    Ok(etc)
}

/// Copies the files and the links of a directory, not what lies deeper.
fn copy_directory(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (kind, to) = (entry.file_type()?, to.join(entry.file_name()));
        if kind.is_symlink() {
            symlink(fs::read_link(entry.path())?, to)?;
        } else if kind.is_file() {
            fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_stay_links_and_only_one_level_is_copied() {
        let from = tempfile::tempdir().unwrap();
        let path = |name: &str| from.path().join(name);
        fs::write(path("file"), "text").unwrap();
        fs::create_dir(path("deeper")).unwrap();
        symlink("/usr/bin/nobody-has-this", path("link")).unwrap();
        let to = tempfile::tempdir().unwrap();
        let copy = to.path().join("copy");
        copy_directory(from.path(), &copy).unwrap();
        let mut names: Vec<_> =
            fs::read_dir(&copy).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["file", "link"]);
        assert_eq!(fs::read_to_string(copy.join("file")).unwrap(), "text");
        assert_eq!(fs::read_link(copy.join("link")).unwrap(), Path::new("/usr/bin/nobody-has-this"));
    }

    #[test]
    fn everybody_in_the_sandbox_may_read_it_and_the_private_files_are_there() {
        let etc = prepare().unwrap();
        assert_eq!(fs::metadata(etc.path()).unwrap().permissions().mode() & 0o777, 0o755);
        for (name, text) in PRIVATE {
            assert_eq!(fs::read_to_string(etc.path().join(name)).unwrap(), text);
        }
    }
}
