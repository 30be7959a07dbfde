//! The places in an image where the sandbox puts something of its own.

use super::super::launch;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Directories that have to be there.
const DIRECTORIES: [&str; 6] = ["proc", "dev", "tmp", "work", "etc", "run/compup2p/lib"];
/// Files of ours.
const FILES: [&str; 3] = ["run/compup2p/enter", "run/compup2p/stdin", "run/compup2p/lib/loader"];

/// Makes them. What stands in their place and is something else goes, since a link would lead the mount elsewhere.
pub(super) fn make(root: &Path) -> io::Result<()> {
    for directory in DIRECTORIES {
        make_directory(root, Path::new(directory))?;
    }
    for (name, _) in launch::PRIVATE {
        make_file(&root.join("etc").join(name))?;
    }
    for file in FILES {
        make_file(&root.join(file))?;
    }
    for library in launch::own_libraries() {
        if let Some(name) = library.file_name() {
            make_file(&root.join("run/compup2p/lib").join(name))?;
        }
    }
    Ok(())
}

fn make_directory(root: &Path, path: &Path) -> io::Result<()> {
    let mut place = root.to_path_buf();
    for part in path.components() {
        place.push(part);
        match fs::symlink_metadata(&place) {
            Ok(metadata) if metadata.is_dir() => continue,
            Ok(_) => fs::remove_file(&place)?,
            Err(_) => {}
        }
        DirBuilder::new().create(&place)?;
    }
    Ok(())
}

fn make_file(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_file() => return Ok(()),
        Ok(metadata) if metadata.is_dir() => {
            crate::exec::clear::clear(path)?;
            fs::remove_dir(path)?;
        }
        Ok(_) => fs::remove_file(path)?,
        Err(_) => {}
    }
    OpenOptions::new().write(true).create_new(true).mode(0o644).open(path).map(drop)
}
