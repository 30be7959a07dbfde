//! The scratch directory as the program sees it: a tree in memory, whose files lie on the host's disk.
//!
//! Which names there are, what they lead to and what they may be is decided here, on numbers and plain names; the host
//! is only told what to do at a path that was put together from the tree. So no name leads out, no link of the host is
//! ever followed, the limit on the disk is met at the same write everywhere, and all of it can be saved. It stays true
//! because nobody else changes the directory while the program runs.

mod change;
mod content;
mod path;
mod saved;
mod scan;
#[cfg(test)]
mod tests;

pub(super) use path::Place;
pub(super) use saved::{SavedNode, SavedTree};

use super::super::control::Stop;
use super::super::scratch::Usage;
use super::errno::{Errno, Fail};
use proto::Bytes;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;

pub(super) use crate::exec::scratch::MAX_ENTRIES;
/// Most directories that a program may have made at a time; they can be nested, and have to be removed again.
pub(super) const MAX_DIRECTORIES: u32 = 1_000;
/// Longest name, in bytes, as of the file systems of all hosts.
pub(super) const MAX_NAME: usize = 255;
/// Longest path below the scratch directory, in bytes: with the path of that directory it stays below what hosts take.
pub(super) const MAX_PATH: usize = 3_000;

/// The number of a file or directory as its program sees it: 1 for the scratch directory, then in the order of what was
/// there at the start, by levels and names, and of what was made. A number is never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Inode(pub(super) u64);

/// The scratch directory.
pub(super) const ROOT: Inode = Inode(1);

/// All files and directories.
#[derive(Debug)]
pub(in super::super) struct Tree {
    root: PathBuf,
    nodes: BTreeMap<Inode, Node>,
    /// The number of the next one.
    next: u64,
    limit: Bytes,
    usage: Usage,
    /// Directories made and not removed.
    made: u32,
}

/// One of them.
#[derive(Debug)]
pub(super) enum Node {
    /// A directory.
    Directory(Directory),
    /// A file.
    File(Content),
}

/// A directory; one without a place that is not the root was removed while it was open.
#[derive(Debug, Default)]
pub(super) struct Directory {
    /// Where it hangs, and under which name.
    pub(super) place: Option<(Inode, String)>,
    pub(super) entries: BTreeMap<String, Inode>,
    /// Descriptors on it.
    pub(super) opens: u32,
}

/// A file; one without a name was unlinked while it was open.
#[derive(Debug, Default)]
pub(super) struct Content {
    pub(super) length: u64,
    /// Its names.
    pub(super) links: u32,
    /// Descriptors on it.
    pub(super) opens: u32,
    /// The host's file, while there are descriptors.
    pub(super) handle: Option<File>,
    /// Where it was at the start, if nobody has changed it since: it need not be saved.
    pub(super) origin: Option<String>,
}

impl Tree {
    /// Whether what is there is more than the limit allows.
    pub(in super::super) const fn is_over(&self) -> bool {
        self.usage.bytes > self.limit.0 || self.usage.entries > MAX_ENTRIES
    }

    /// The file or directory with that number.
    pub(super) fn node(&self, inode: Inode) -> Result<&Node, Errno> {
        self.nodes.get(&inode).ok_or(Errno::Noent)
    }

    pub(super) fn directory(&self, inode: Inode) -> Result<&Directory, Errno> {
        match self.node(inode)? {
            Node::Directory(directory) => Ok(directory),
            Node::File(_) => Err(Errno::Notdir),
        }
    }

    fn directory_mut(&mut self, inode: Inode) -> Result<&mut Directory, Errno> {
        match self.nodes.get_mut(&inode) {
            Some(Node::Directory(directory)) => Ok(directory),
            Some(Node::File(_)) => Err(Errno::Notdir),
            None => Err(Errno::Noent),
        }
    }

    pub(super) fn content(&self, inode: Inode) -> Result<&Content, Errno> {
        match self.node(inode)? {
            Node::File(content) => Ok(content),
            Node::Directory(_) => Err(Errno::Isdir),
        }
    }

    fn content_mut(&mut self, inode: Inode) -> Result<&mut Content, Errno> {
        match self.nodes.get_mut(&inode) {
            Some(Node::File(content)) => Ok(content),
            Some(Node::Directory(_)) => Err(Errno::Isdir),
            None => Err(Errno::Noent),
        }
    }

    /// All of them, by their numbers.
    pub(super) fn nodes(&self) -> impl Iterator<Item = (Inode, &Node)> {
        self.nodes.iter().map(|(inode, node)| (*inode, node))
    }

    /// Sees whether `more` fits, and counts it.
    fn charge(&mut self, more: Usage) -> Result<(), Fail> {
        let bytes = self.usage.bytes.saturating_add(more.bytes);
        let entries = self.usage.entries.saturating_add(more.entries);
        if bytes > self.limit.0 || entries > MAX_ENTRIES {
            return Err(Stop::Disk.into());
        }
        self.usage = Usage { bytes, entries };
        Ok(())
    }

    /// Counts out what has gone.
    const fn release(&mut self, less: Usage) {
        self.usage.bytes = self.usage.bytes.saturating_sub(less.bytes);
        self.usage.entries = self.usage.entries.saturating_sub(less.entries);
    }

    fn number(&mut self) -> Inode {
        let inode = Inode(self.next);
        self.next = self.next.saturating_add(1);
        inode
    }
}
