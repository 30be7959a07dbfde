//! Removing what programs leave, whatever it is.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// Empties a directory: however deep what is in it lies, and whatever rights it has.
///
/// A directory in it is first moved up, then emptied. So no path is ever longer than two names, and nothing has to be
/// remembered of the way down: a program can make directories in each other until the disk is full of them, and neither
/// the longest path of the system nor the stack of this thread would be enough for the usual way.
///
/// # Errors
/// If something cannot be removed.
pub(crate) fn clear(root: &Path) -> io::Result<()> {
    let mut next = 0_u64;
    let mut waiting = vec![root.to_path_buf()];
    while let Some(dir) = waiting.pop() {
        // Who may not look into a directory of their own may allow it to themselves.
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o700))?;
        for entry in fs::read_dir(&dir)? {
            let entry = entry?;
            if !entry.file_type()?.is_dir() {
                fs::remove_file(entry.path())?;
                continue;
            }
            // To be moved, a directory has to be writable: its entry `..` changes.
            fs::set_permissions(entry.path(), fs::Permissions::from_mode(0o700))?;
            waiting.push(moved(root, &entry.path(), &mut next)?);
        }
        if dir != root {
            fs::remove_dir(&dir)?;
        }
    }
    Ok(())
}

/// Moves `dir` to a free name in `root`.
fn moved(root: &Path, dir: &Path, next: &mut u64) -> io::Result<std::path::PathBuf> {
    loop {
        *next += 1;
        let target = root.join(format!(".removed-{next}"));
        if fs::symlink_metadata(&target).is_ok() {
            continue;
        }
        return fs::rename(dir, &target).map(|()| target);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    #[test]
    fn everything_is_removed_and_nothing_that_a_link_leads_to() {
        let base = TempDir::new().unwrap();
        let (root, outside) = (base.path().join("root"), base.path().join("outside"));
        for dir in ["root/a/b/c", "root/closed/in", "root/.removed-1/x", "outside"] {
            fs::create_dir_all(base.path().join(dir)).unwrap();
        }
        for file in ["root/f", "root/a/b/c/f", "root/closed/in/f", "outside/f"] {
            fs::write(base.path().join(file), b"1").unwrap();
        }
        std::os::unix::fs::symlink(&outside, root.join("a/link")).unwrap();
        std::os::unix::fs::symlink("/nowhere", root.join("dangling")).unwrap();
        fs::set_permissions(root.join("closed"), fs::Permissions::from_mode(0o0)).unwrap();
        clear(&root).unwrap();
        assert_eq!(fs::read_dir(&root).unwrap().count(), 0);
        assert!(outside.join("f").is_file());
    }

    #[test]
    fn directories_deeper_than_any_path_are_removed() {
        let base = TempDir::new().unwrap();
        let name = "d".repeat(100);
        // Built from below: a path of this length cannot be named.
        for _ in 0..3_000 {
            let (inner, outer) = (base.path().join(&name), base.path().join("outer"));
            fs::create_dir(&outer).unwrap();
            if inner.exists() {
                fs::rename(&inner, outer.join(&name)).unwrap();
            }
            fs::rename(&outer, &inner).unwrap();
        }
        assert!(fs::metadata(base.path().join([name.as_str(); 60].join("/"))).is_err());
        clear(base.path()).unwrap();
        assert_eq!(fs::read_dir(base.path()).unwrap().count(), 0);
    }
}
