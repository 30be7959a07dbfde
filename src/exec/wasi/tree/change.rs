//! Names that come and go.

use super::super::super::scratch::Usage;
use super::super::errno::{Errno, Fail};
use super::{Content, Directory, Inode, MAX_DIRECTORIES, MAX_PATH, Node, Place, Tree, content};
use std::fs;

/// What one more name costs.
const ONE: Usage = Usage { bytes: 0, entries: 1 };

impl Tree {
    /// Makes an empty file, with one descriptor on it.
    pub(in super::super) fn make_file(&mut self, directory: Inode, name: &str) -> Result<Inode, Fail> {
        let path = self.host_path(directory, name)?;
        self.charge(ONE)?;
        let handle = Some(content::open(&path, true)?);
        let inode = self.number();
        self.nodes.insert(inode, Node::File(Content { links: 1, opens: 1, handle, ..Content::default() }));
        self.directory_mut(directory)?.entries.insert(name.to_owned(), inode);
        Ok(inode)
    }

    /// Makes an empty directory.
    pub(in super::super) fn make_directory(&mut self, place: &Place) -> Result<(), Fail> {
        let name = place.name.as_ref().ok_or(Errno::Exist)?;
        if self.entry(place.parent, name).is_ok() {
            return Err(Errno::Exist.into());
        }
        if self.made >= MAX_DIRECTORIES {
            return Err(Errno::Nospc.into());
        }
        let path = self.host_path(place.parent, name)?;
        self.charge(ONE)?;
        fs::create_dir(path)?;
        self.made = self.made.saturating_add(1);
        let inode = self.number();
        let hung = Some((place.parent, name.clone()));
        self.nodes.insert(inode, Node::Directory(Directory { place: hung, ..Directory::default() }));
        self.directory_mut(place.parent)?.entries.insert(name.clone(), inode);
        Ok(())
    }

    /// Takes a name from a file.
    pub(in super::super) fn unlink(&mut self, place: &Place) -> Result<(), Fail> {
        let name = place.name.as_ref().ok_or(Errno::Isdir)?;
        let inode = self.entry(place.parent, name)?;
        self.content(inode)?;
        if place.is_directory {
            return Err(Errno::Notdir.into());
        }
        fs::remove_file(self.host_path(place.parent, name)?)?;
        self.take_name(place.parent, name, inode)
    }

    /// Removes an empty directory.
    pub(in super::super) fn remove_directory(&mut self, place: &Place) -> Result<(), Fail> {
        let name = place.name.as_ref().ok_or(Errno::Inval)?;
        let inode = self.entry(place.parent, name)?;
        if !self.directory(inode)?.entries.is_empty() {
            return Err(Errno::Notempty.into());
        }
        fs::remove_dir(self.host_path(place.parent, name)?)?;
        self.made = self.made.saturating_sub(1);
        self.take_name(place.parent, name, inode)
    }

    /// Gives a file another name beside the ones it has.
    pub(in super::super) fn link(&mut self, old: &Place, new: &Place) -> Result<(), Fail> {
        let from = old.name.as_ref().ok_or(Errno::Perm)?;
        let to = new.name.as_ref().ok_or(Errno::Exist)?;
        let inode = self.entry(old.parent, from)?;
        if matches!(self.node(inode)?, Node::Directory(_)) {
            return Err(Errno::Perm.into());
        }
        if self.entry(new.parent, to).is_ok() {
            return Err(Errno::Exist.into());
        }
        if old.is_directory || new.is_directory {
            return Err(Errno::Notdir.into());
        }
        let (source, target) = (self.host_path(old.parent, from)?, self.host_path(new.parent, to)?);
        self.charge(ONE)?;
        fs::hard_link(source, target)?;
        self.directory_mut(new.parent)?.entries.insert(to.clone(), inode);
        let content = self.content_mut(inode)?;
        content.links = content.links.saturating_add(1);
        content.origin = None;
        Ok(())
    }

    /// Moves a file or directory to another name, in place of what may have it.
    pub(in super::super) fn rename(&mut self, old: &Place, new: &Place) -> Result<(), Fail> {
        let from = old.name.as_ref().ok_or(Errno::Inval)?;
        let to = new.name.as_ref().ok_or(Errno::Inval)?;
        let inode = self.entry(old.parent, from)?;
        let is_directory = matches!(self.node(inode)?, Node::Directory(_));
        if !is_directory && (old.is_directory || new.is_directory) {
            return Err(Errno::Notdir.into());
        }
        let replaced = self.entry(new.parent, to).ok();
        if replaced == Some(inode) {
            return Ok(());
        }
        if is_directory && self.is_below(new.parent, inode) {
            return Err(Errno::Inval.into());
        }
        if let Some(replaced) = replaced {
            self.may_replace(is_directory, replaced)?;
        }
        let target = self.path(new.parent, to)?;
        if is_directory && target.len().saturating_add(self.deepest(inode)) > MAX_PATH {
            return Err(Errno::Nametoolong.into());
        }
        let source = self.host_path(old.parent, from)?;
        fs::rename(source, self.root.join(target))?;
        if let Some(replaced) = replaced {
            if is_directory {
                self.made = self.made.saturating_sub(1);
            }
            self.take_name(new.parent, to, replaced)?;
        }
        self.directory_mut(old.parent)?.entries.remove(from);
        self.directory_mut(new.parent)?.entries.insert(to.clone(), inode);
        match self.nodes.get_mut(&inode) {
            Some(Node::Directory(directory)) => directory.place = Some((new.parent, to.clone())),
            Some(Node::File(content)) => content.origin = None,
            None => {}
        }
        Ok(())
    }

    /// Whether a file or directory may take the place of another.
    fn may_replace(&self, is_directory: bool, replaced: Inode) -> Result<(), Errno> {
        match self.node(replaced)? {
            Node::File(_) if is_directory => Err(Errno::Notdir),
            Node::Directory(_) if !is_directory => Err(Errno::Isdir),
            Node::Directory(directory) if !directory.entries.is_empty() => Err(Errno::Notempty),
            Node::File(_) | Node::Directory(_) => Ok(()),
        }
    }

    /// A name is gone from the host already.
    fn take_name(&mut self, directory: Inode, name: &str, inode: Inode) -> Result<(), Fail> {
        self.directory_mut(directory)?.entries.remove(name);
        match self.nodes.get_mut(&inode) {
            Some(Node::File(content)) => {
                content.links = content.links.saturating_sub(1);
                content.origin = None;
            }
            Some(Node::Directory(directory)) => directory.place = None,
            None => {}
        }
        self.release(ONE);
        self.forget_unused(inode);
        Ok(())
    }
}
