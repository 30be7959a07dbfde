//! Directories in the order of their names.

use super::errno::Errno;
use super::guest::Guest;
use super::stat::Kind;
use super::tree::{Inode, Node, Tree};
use super::{Call, Wasi};

/// A directory as it was when its reading began: what a program makes or removes meanwhile moves nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listing {
    /// The descriptor that is read.
    pub(super) fd: u32,
    /// What is there, itself and its parent first.
    pub(super) entries: Vec<Entry>,
}

/// One of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) inode: Inode,
    pub(super) kind: Kind,
}

impl Wasi {
    /// Fills `to` with entries from `cookie` on; the last may be cut, as WASI wants it.
    pub(super) fn fd_readdir(
        &mut self,
        guest: &mut Guest<'_>,
        fd: u32,
        [to, length]: [u32; 2],
        cookie: u64,
        used: u32,
    ) -> Call {
        let inode = self.table.directory(fd)?;
        let is_begun = cookie != 0 && self.listing.as_ref().is_some_and(|listing| listing.fd == fd);
        if !is_begun {
            self.listing = Some(Listing { fd, entries: read(&self.tree, inode)? });
        }
        let entries = self.listing.as_ref().map(|listing| listing.entries.as_slice()).unwrap_or_default();
        let skipped = usize::try_from(cookie).unwrap_or(usize::MAX);
        let mut rest = guest.bytes_mut(to, length)?;
        let mut filled = 0_usize;
        for (entry, next) in entries.iter().zip(1_u64..).skip(skipped) {
            let entry = entry.encode(next);
            let count = rest.len().min(entry.len());
            let (place, after) = rest.split_at_mut_checked(count).ok_or(Errno::Fault)?;
            place.copy_from_slice(entry.get(..count).ok_or(Errno::Fault)?);
            filled = filled.saturating_add(count);
            rest = after;
            if rest.is_empty() {
                break;
            }
        }
        let filled = u32::try_from(filled).map_err(|_| Errno::Fault)?;
        Ok(guest.put(used, &filled.to_le_bytes())?)
    }

    /// A descriptor is not what it was.
    pub(super) fn stop_listing(&mut self, fd: u32) {
        self.listing.take_if(|listing| listing.fd == fd);
    }
}

impl Entry {
    /// `dirent` and name; `next` is the cookie of what comes after it.
    fn encode(&self, next: u64) -> Vec<u8> {
        let length = u32::try_from(self.name.len()).unwrap_or(0);
        let mut bytes = Vec::with_capacity(self.name.len().saturating_add(24));
        bytes.extend(next.to_le_bytes());
        bytes.extend(self.inode.0.to_le_bytes());
        bytes.extend(length.to_le_bytes());
        bytes.extend([self.kind.number(), 0, 0, 0]);
        bytes.extend(self.name.as_bytes());
        bytes
    }
}

fn read(tree: &Tree, inode: Inode) -> Result<Vec<Entry>, Errno> {
    let directory = tree.directory(inode)?;
    let parent = directory.place.as_ref().map_or(inode, |(parent, _)| *parent);
    let own = [(".", inode), ("..", parent)];
    let own = own.map(|(name, inode)| Entry { name: name.to_owned(), inode, kind: Kind::Directory });
    let below = directory.entries.iter().map(|(name, inode)| {
        let kind = match tree.node(*inode) {
            Ok(Node::Directory(_)) => Kind::Directory,
            Ok(Node::File(_)) | Err(_) => Kind::File,
        };
        Entry { name: name.clone(), inode: *inode, kind }
    });
    Ok(own.into_iter().chain(below).collect())
}
