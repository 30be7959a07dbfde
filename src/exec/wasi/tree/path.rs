//! From a path to what it leads to.

use super::super::errno::Errno;
use super::{Inode, MAX_NAME, MAX_PATH, Node, ROOT, Tree};
use std::path::PathBuf;

/// What a path leads to, which may not be there yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Place {
    /// The directory in which it is.
    pub(in super::super) parent: Inode,
    /// Its name there; none: it is `parent` itself, named as `.` or `a/..`.
    pub(in super::super) name: Option<String>,
    /// The path ends in `/`.
    pub(in super::super) is_directory: bool,
}

impl Tree {
    /// Walks from the directory `base` along `path`, up to the directory of its last name; never above `base`.
    pub(in super::super) fn walk(&self, base: Inode, path: &str) -> Result<Place, Errno> {
        if path.is_empty() {
            return Err(Errno::Noent);
        }
        if path.starts_with('/') {
            return Err(Errno::Perm);
        }
        if path.len() > MAX_PATH {
            return Err(Errno::Nametoolong);
        }
        let mut place = Place { parent: base, name: None, is_directory: false };
        let mut depth = 0_u32;
        for name in path.split('/').filter(|name| !name.is_empty() && *name != ".") {
            if let Some(name) = place.name.take() {
                place.parent = self.entry(place.parent, &name)?;
            }
            let here = self.directory(place.parent)?;
            if name == ".." {
                depth = depth.checked_sub(1).ok_or(Errno::Perm)?;
                place.parent = here.place.as_ref().map(|(parent, _)| *parent).ok_or(Errno::Noent)?;
            } else if name.len() > MAX_NAME {
                return Err(Errno::Nametoolong);
            } else {
                depth = depth.saturating_add(1);
                place.name = Some(name.to_owned());
            }
        }
        self.directory(place.parent)?;
        place.is_directory = path.ends_with('/') || path.ends_with("/.");
        Ok(place)
    }

    /// The number of `name` in a directory.
    pub(in super::super) fn entry(&self, directory: Inode, name: &str) -> Result<Inode, Errno> {
        self.directory(directory)?.entries.get(name).copied().ok_or(Errno::Noent)
    }

    /// What a path leads to.
    pub(in super::super) fn find(&self, base: Inode, path: &str) -> Result<Inode, Errno> {
        let place = self.walk(base, path)?;
        let Some(name) = &place.name else { return Ok(place.parent) };
        let found = self.entry(place.parent, name)?;
        if place.is_directory {
            self.directory(found)?;
        }
        Ok(found)
    }

    /// The path of `name` in `directory` below the root, if the directory still has a place.
    pub(super) fn path(&self, directory: Inode, name: &str) -> Result<String, Errno> {
        let mut names = vec![name];
        let mut at = directory;
        while at != ROOT {
            let (parent, name) = self.directory(at)?.place.as_ref().ok_or(Errno::Noent)?;
            names.push(name);
            at = *parent;
        }
        names.reverse();
        let path = names.join("/");
        if path.len() > MAX_PATH { Err(Errno::Nametoolong) } else { Ok(path) }
    }

    /// The same on the host.
    pub(super) fn host_path(&self, directory: Inode, name: &str) -> Result<PathBuf, Errno> {
        self.path(directory, name).map(|path| self.root.join(path))
    }

    /// Whether `inode` is `ancestor` or lies below it.
    pub(super) fn is_below(&self, inode: Inode, ancestor: Inode) -> bool {
        let mut at = Some(inode);
        while let Some(here) = at {
            if here == ancestor {
                return true;
            }
            at = self
                .directory(here)
                .ok()
                .and_then(|directory| directory.place.as_ref())
                .map(|(parent, _)| *parent);
        }
        false
    }

    /// Length of the longest path below a directory.
    pub(super) fn deepest(&self, inode: Inode) -> usize {
        let mut longest = 0;
        let mut open = vec![(inode, 0_usize)];
        while let Some((inode, length)) = open.pop() {
            longest = longest.max(length);
            if let Ok(Node::Directory(directory)) = self.node(inode) {
                open.extend(directory.entries.iter().map(|(name, inode)| (*inode, length + 1 + name.len())));
            }
        }
        longest
    }
}
