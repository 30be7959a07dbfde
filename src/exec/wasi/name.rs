//! Calls on paths.

use super::errno::{Errno, Fail};
use super::guest::Guest;
use super::table::{Descriptor, Opened};
use super::tree::{Inode, Node, Place};
use super::{Call, Wasi};

/// `oflags`: make the file if it is not there, it has to be a directory, it must not be there, cut it to nothing.
const CREATE: u32 = 1;
const DIRECTORY: u32 = 2;
const EXCLUSIVE: u32 = 4;
const TRUNCATE: u32 = 8;
/// `rights`: to read, and to write.
const MAY_READ: u64 = 1 << 1;
const MAY_WRITE: u64 = 1 << 6;

/// A path as a program names it: a directory, the address and the length of the text.
#[derive(Clone, Copy)]
pub(super) struct Named {
    pub(super) fd: u32,
    pub(super) at: u32,
    pub(super) length: u32,
}

/// How a file is to be opened.
#[derive(Clone, Copy)]
pub(super) struct Manner {
    /// `oflags`.
    pub(super) open: u32,
    /// `rights`.
    pub(super) rights: u64,
    /// `fdflags`.
    pub(super) flags: u32,
}

impl Wasi {
    pub(super) fn path_open(&mut self, guest: &mut Guest<'_>, named: Named, manner: Manner, to: u32) -> Call {
        guest.bytes(to, 4)?;
        let place = self.place(guest, named)?;
        if !self.table.has_room() {
            return Err(Errno::Mfile.into());
        }
        let found = place.name.as_ref().map_or(Ok(place.parent), |name| self.tree.entry(place.parent, name));
        let descriptor = match found {
            Ok(_) if manner.open & CREATE != 0 && manner.open & EXCLUSIVE != 0 => {
                return Err(Errno::Exist.into());
            }
            Ok(inode) => self.open(&place, inode, manner)?,
            Err(Errno::Noent) if manner.open & CREATE != 0 && manner.open & DIRECTORY == 0 => {
                if place.is_directory {
                    return Err(Errno::Isdir.into());
                }
                let name = place.name.as_deref().ok_or(Errno::Noent)?;
                opened(self.tree.make_file(place.parent, name)?, manner)?
            }
            Err(errno) => return Err(errno.into()),
        };
        let fd = self.table.add(descriptor)?;
        Ok(guest.put(to, &fd.to_le_bytes())?)
    }

    /// Opens what is there.
    fn open(&mut self, place: &Place, inode: Inode, manner: Manner) -> Result<Descriptor, Fail> {
        if matches!(self.tree.node(inode)?, Node::Directory(_)) {
            if manner.rights & MAY_WRITE != 0 || manner.open & (CREATE | TRUNCATE) != 0 {
                return Err(Errno::Isdir.into());
            }
            self.tree.open_directory(inode)?;
            return Ok(Descriptor::Directory { inode, preopened: None });
        }
        if place.is_directory || manner.open & DIRECTORY != 0 {
            return Err(Errno::Notdir.into());
        }
        if manner.open & TRUNCATE != 0 && manner.rights & MAY_WRITE == 0 {
            return Err(Errno::Inval.into());
        }
        let name = place.name.as_deref().ok_or(Errno::Noent)?;
        self.tree.open(place.parent, name, inode)?;
        if manner.open & TRUNCATE != 0 {
            self.tree.resize(inode, 0)?;
        }
        Ok(opened(inode, manner)?)
    }

    pub(super) fn path_create_directory(
        &mut self,
        guest: &mut Guest<'_>,
        fd: u32,
        at: u32,
        length: u32,
    ) -> Call {
        let place = self.place(guest, Named { fd, at, length })?;
        self.tree.make_directory(&place)
    }

    pub(super) fn path_remove_directory(
        &mut self,
        guest: &mut Guest<'_>,
        fd: u32,
        at: u32,
        length: u32,
    ) -> Call {
        let place = self.place(guest, Named { fd, at, length })?;
        self.tree.remove_directory(&place)
    }

    pub(super) fn path_unlink_file(&mut self, guest: &mut Guest<'_>, fd: u32, at: u32, length: u32) -> Call {
        let place = self.place(guest, Named { fd, at, length })?;
        self.tree.unlink(&place)
    }

    pub(super) fn path_link(&mut self, guest: &mut Guest<'_>, old: Named, new: Named) -> Call {
        let (old, new) = (self.place(guest, old)?, self.place(guest, new)?);
        self.tree.link(&old, &new)
    }

    pub(super) fn path_rename(&mut self, guest: &mut Guest<'_>, old: Named, new: Named) -> Call {
        let (old, new) = (self.place(guest, old)?, self.place(guest, new)?);
        self.tree.rename(&old, &new)
    }

    /// There are no symbolic links to be read.
    pub(super) fn path_readlink(&mut self, guest: &mut Guest<'_>, named: Named) -> Call {
        self.found(guest, named)?;
        Err(Errno::Inval.into())
    }

    /// No links: nothing leads out, and nothing has to be checked twice.
    pub(super) fn path_symlink(&mut self, named: Named) -> Call {
        self.refuse(named.fd, Errno::Perm)
    }

    /// Times of files are always those of the start.
    pub(super) fn path_filestat_set_times(&mut self, guest: &mut Guest<'_>, named: Named) -> Call {
        self.found(guest, named).map(drop)
    }

    /// What a path leads to.
    pub(super) fn found(&self, guest: &Guest<'_>, named: Named) -> Result<Inode, Fail> {
        let path = guest.text(named.at, named.length)?;
        Ok(self.tree.find(self.table.directory(named.fd)?, &path)?)
    }

    fn place(&self, guest: &Guest<'_>, named: Named) -> Result<Place, Fail> {
        let path = guest.text(named.at, named.length)?;
        Ok(self.tree.walk(self.table.directory(named.fd)?, &path)?)
    }
}

/// The descriptor of a file that was just opened.
fn opened(inode: Inode, manner: Manner) -> Result<Descriptor, Errno> {
    let flags = u16::try_from(manner.flags).map_err(|_| Errno::Inval)?;
    let (is_readable, is_writable) = (manner.rights & MAY_READ != 0, manner.rights & MAY_WRITE != 0);
    Ok(Descriptor::File(Opened { inode, offset: 0, is_readable, is_writable, flags }))
}
