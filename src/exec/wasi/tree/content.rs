//! What is in files.

use super::super::super::control::Stop;
use super::super::super::scratch::Usage;
use super::super::errno::{Errno, Fail};
use super::{Content, Inode, Node, Tree};
use rustix::fs::OFlags;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

impl Tree {
    /// One more descriptor is on it; `name` is a name of it in `directory`.
    pub(in super::super) fn open(&mut self, directory: Inode, name: &str, inode: Inode) -> Result<(), Fail> {
        let path = self.host_path(directory, name)?;
        let content = self.content_mut(inode)?;
        if content.handle.is_none() {
            content.handle = Some(open(&path, false)?);
        }
        content.opens = content.opens.saturating_add(1);
        Ok(())
    }

    /// One more descriptor is on a directory.
    pub(in super::super) fn open_directory(&mut self, inode: Inode) -> Result<(), Errno> {
        let directory = self.directory_mut(inode)?;
        directory.opens = directory.opens.saturating_add(1);
        Ok(())
    }

    /// One descriptor less; what has no name any more goes with the last.
    pub(in super::super) fn close(&mut self, inode: Inode) {
        match self.nodes.get_mut(&inode) {
            Some(Node::File(content)) => {
                content.opens = content.opens.saturating_sub(1);
                if content.opens == 0 {
                    content.handle = None;
                }
            }
            Some(Node::Directory(directory)) => directory.opens = directory.opens.saturating_sub(1),
            None => {}
        }
        self.forget_unused(inode);
    }

    /// Removes what has neither name nor descriptor.
    pub(super) fn forget_unused(&mut self, inode: Inode) {
        let is_unused = match self.nodes.get(&inode) {
            Some(Node::File(content)) => content.links == 0 && content.opens == 0,
            Some(Node::Directory(directory)) => {
                inode != super::ROOT && directory.place.is_none() && directory.opens == 0
            }
            None => false,
        };
        if is_unused && let Some(Node::File(Content { length, .. })) = self.nodes.remove(&inode) {
            self.release(Usage { bytes: length, entries: 0 });
        }
    }

    /// Fills `buffer` from `offset` on as far as the file goes; gives how much that was.
    pub(in super::super) fn read(&self, inode: Inode, buffer: &mut [u8], offset: u64) -> Result<usize, Fail> {
        let content = self.content(inode)?;
        let file = content.handle.as_ref().ok_or(Errno::Badf)?;
        let left = usize::try_from(content.length.saturating_sub(offset)).unwrap_or(usize::MAX);
        let count = buffer.len().min(left);
        let buffer = buffer.get_mut(..count).ok_or(Errno::Fault)?;
        file.read_exact_at(buffer, offset)?;
        Ok(count)
    }

    /// Writes all of `bytes` at `offset`, if the limit on the disk allows it.
    pub(in super::super) fn write(&mut self, inode: Inode, bytes: &[u8], offset: u64) -> Result<(), Fail> {
        let added = u64::try_from(bytes.len()).map_err(|_| Errno::Fbig)?;
        let end = offset.checked_add(added).ok_or(Errno::Fbig)?;
        let length = self.content(inode)?.length;
        if !bytes.is_empty() {
            self.charge(Usage { bytes: end.saturating_sub(length), entries: 0 })?;
            let content = self.content_mut(inode)?;
            content.handle.as_ref().ok_or(Errno::Badf)?.write_all_at(bytes, offset)?;
            content.length = length.max(end);
            content.origin = None;
        }
        Ok(())
    }

    /// Cuts a file, or lengthens it by a hole, which counts as if it were filled.
    pub(in super::super) fn resize(&mut self, inode: Inode, length: u64) -> Result<(), Fail> {
        if length > self.limit.0 {
            return Err(Stop::Disk.into());
        }
        let before = self.content(inode)?.length;
        self.charge(Usage { bytes: length.saturating_sub(before), entries: 0 })?;
        self.release(Usage { bytes: before.saturating_sub(length), entries: 0 });
        let content = self.content_mut(inode)?;
        content.handle.as_ref().ok_or(Errno::Badf)?.set_len(length)?;
        content.length = length;
        content.origin = None;
        Ok(())
    }
}

/// Opens a file of the host for everything; a link is not followed.
pub(super) fn open(path: &Path, is_new: bool) -> io::Result<File> {
    let flags = i32::try_from(OFlags::NOFOLLOW.bits()).map_err(io::Error::other)?;
    OpenOptions::new().read(true).write(true).create_new(is_new).custom_flags(flags).open(path)
}
