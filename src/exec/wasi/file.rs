//! Calls on descriptors.

use super::errno::{Errno, Fail};
use super::guest::Guest;
use super::table::{APPEND, Descriptor, Opened, Stream};
use super::{Call, Wasi};
use std::os::unix::fs::FileExt;

/// `whence`: from the start, from here, from the end.
const FROM_START: u32 = 0;
const FROM_HERE: u32 = 1;
const FROM_END: u32 = 2;
/// `fdflags` that there are.
const ALL_FLAGS: u32 = 0x1f;

impl Wasi {
    pub(super) fn fd_write(
        &mut self,
        guest: &mut Guest<'_>,
        fd: u32,
        from: u32,
        count: u32,
        to: u32,
    ) -> Call {
        let vectors = guest.vectors(from, count)?;
        let mut written = 0_u32;
        for (address, length) in vectors {
            let bytes = guest.bytes(address, length)?;
            match self.table.of_mut(fd)? {
                Descriptor::Print(Stream::Output) => self.stdout.print(bytes)?,
                Descriptor::Print(Stream::Error) => self.stderr.print(bytes)?,
                Descriptor::File(file) if file.is_writable => {
                    if file.flags & APPEND != 0 {
                        file.offset = self.tree.content(file.inode)?.length;
                    }
                    self.tree.write(file.inode, bytes, file.offset)?;
                    file.offset = file.offset.saturating_add(u64::from(length));
                }
                Descriptor::File(_) | Descriptor::Input { .. } | Descriptor::Directory { .. } => {
                    return Err(Errno::Badf.into());
                }
            }
            written = written.saturating_add(length);
        }
        self.table.of(fd)?;
        Ok(guest.put(to, &written.to_le_bytes())?)
    }

    pub(super) fn fd_pwrite(
        &mut self,
        guest: &mut Guest<'_>,
        fd: u32,
        [from, count]: [u32; 2],
        offset: u64,
        to: u32,
    ) -> Call {
        let file = self.file(fd)?.clone();
        if !file.is_writable {
            return Err(Errno::Badf.into());
        }
        let mut offset =
            if file.flags & APPEND == 0 { offset } else { self.tree.content(file.inode)?.length };
        let mut written = 0_u32;
        for (address, length) in guest.vectors(from, count)? {
            self.tree.write(file.inode, guest.bytes(address, length)?, offset)?;
            offset = offset.saturating_add(u64::from(length));
            written = written.saturating_add(length);
        }
        Ok(guest.put(to, &written.to_le_bytes())?)
    }

    pub(super) fn fd_read(&mut self, guest: &mut Guest<'_>, fd: u32, into: u32, count: u32, to: u32) -> Call {
        let mut read = 0_u32;
        self.table.of(fd)?;
        for (address, length) in guest.vectors(into, count)? {
            let buffer = guest.bytes_mut(address, length)?;
            let count = match self.table.of_mut(fd)? {
                Descriptor::Input { offset } => {
                    let count = self.stdin.as_ref().map_or(Ok(0), |file| read_on(file, buffer, *offset))?;
                    *offset = offset.saturating_add(u64::try_from(count).unwrap_or(0));
                    count
                }
                Descriptor::File(file) if file.is_readable => {
                    let count = self.tree.read(file.inode, buffer, file.offset)?;
                    file.offset = file.offset.saturating_add(u64::try_from(count).unwrap_or(0));
                    count
                }
                Descriptor::Directory { .. } => return Err(Errno::Isdir.into()),
                Descriptor::File(_) | Descriptor::Print(_) => return Err(Errno::Badf.into()),
            };
            let count = u32::try_from(count).unwrap_or(length);
            read = read.saturating_add(count);
            if count < length {
                break;
            }
        }
        Ok(guest.put(to, &read.to_le_bytes())?)
    }

    pub(super) fn fd_pread(
        &mut self,
        guest: &mut Guest<'_>,
        fd: u32,
        [into, count]: [u32; 2],
        mut offset: u64,
        to: u32,
    ) -> Call {
        let file = self.file(fd)?.clone();
        if !file.is_readable {
            return Err(Errno::Badf.into());
        }
        let mut read = 0_u32;
        for (address, length) in guest.vectors(into, count)? {
            let count = self.tree.read(file.inode, guest.bytes_mut(address, length)?, offset)?;
            let count = u32::try_from(count).unwrap_or(length);
            offset = offset.saturating_add(u64::from(count));
            read = read.saturating_add(count);
            if count < length {
                break;
            }
        }
        Ok(guest.put(to, &read.to_le_bytes())?)
    }

    pub(super) fn fd_seek(&mut self, guest: &mut Guest<'_>, fd: u32, by: u64, whence: u32, to: u32) -> Call {
        let file = self.file(fd)?.clone();
        let base = match whence {
            FROM_START => 0,
            FROM_HERE => file.offset,
            FROM_END => self.tree.content(file.inode)?.length,
            _ => return Err(Errno::Inval.into()),
        };
        let offset =
            base.checked_add_signed(by.cast_signed()).filter(|offset| *offset <= i64::MAX.cast_unsigned());
        let offset = offset.ok_or(Errno::Inval)?;
        guest.put(to, &offset.to_le_bytes())?;
        self.file_mut(fd)?.offset = offset;
        Ok(())
    }

    pub(super) fn fd_tell(&mut self, guest: &mut Guest<'_>, fd: u32, to: u32) -> Call {
        Ok(guest.put(to, &self.file(fd)?.offset.to_le_bytes())?)
    }

    pub(super) fn fd_close(&mut self, _: &mut Guest<'_>, fd: u32) -> Call {
        let closed = self.table.take(fd)?;
        self.drop_descriptor(fd, &closed);
        Ok(())
    }

    pub(super) fn fd_renumber(&mut self, _: &mut Guest<'_>, from: u32, to: u32) -> Call {
        if let Some(replaced) = self.table.renumber(from, to)? {
            self.drop_descriptor(to, &replaced);
            self.stop_listing(from);
        }
        Ok(())
    }

    fn drop_descriptor(&mut self, fd: u32, descriptor: &Descriptor) {
        self.stop_listing(fd);
        if let Some(inode) = descriptor.inode() {
            self.tree.close(inode);
        }
    }

    pub(super) fn fd_filestat_set_size(&mut self, _: &mut Guest<'_>, fd: u32, length: u64) -> Call {
        let file = self.file(fd)?;
        if !file.is_writable {
            return Err(Errno::Inval.into());
        }
        let inode = file.inode;
        self.tree.resize(inode, length)
    }

    pub(super) fn fd_fdstat_set_flags(&mut self, _: &mut Guest<'_>, fd: u32, flags: u32) -> Call {
        let flags = u16::try_from(flags & ALL_FLAGS).map_err(|_| Errno::Inval)?;
        match self.table.of_mut(fd)? {
            Descriptor::File(file) => file.flags = flags,
            Descriptor::Input { .. } | Descriptor::Print(_) | Descriptor::Directory { .. } => {}
        }
        Ok(())
    }

    /// Nothing here has to outlive a crash of the host, and a slow disk must not hold up a stop.
    pub(super) fn fd_sync(&mut self, _: &mut Guest<'_>, fd: u32) -> Call {
        self.table.of(fd).map(drop).map_err(Fail::from)
    }

    /// No advice is needed.
    pub(super) fn fd_advise(&mut self, _: &mut Guest<'_>, fd: u32, _: u64, _: u64, _: u32) -> Call {
        self.file(fd).map(drop).map_err(Fail::from)
    }

    /// Times of files are always those of the start.
    pub(super) fn fd_filestat_set_times(
        &mut self,
        _: &mut Guest<'_>,
        fd: u32,
        _: u64,
        _: u64,
        _: u32,
    ) -> Call {
        self.table.of(fd).map(drop).map_err(Fail::from)
    }

    /// What is not given: the descriptor is looked at all the same.
    pub(super) fn refuse(&mut self, fd: u32, errno: Errno) -> Call {
        self.table.of(fd)?;
        Err(errno.into())
    }

    fn file(&self, fd: u32) -> Result<&Opened, Errno> {
        match self.table.of(fd)? {
            Descriptor::File(file) => Ok(file),
            Descriptor::Directory { .. } => Err(Errno::Badf),
            Descriptor::Input { .. } | Descriptor::Print(_) => Err(Errno::Spipe),
        }
    }

    fn file_mut(&mut self, fd: u32) -> Result<&mut Opened, Errno> {
        match self.table.of_mut(fd)? {
            Descriptor::File(file) => Ok(file),
            Descriptor::Directory { .. } => Err(Errno::Badf),
            Descriptor::Input { .. } | Descriptor::Print(_) => Err(Errno::Spipe),
        }
    }
}

/// Fills `buffer` as far as the file goes.
fn read_on(file: &std::fs::File, buffer: &mut [u8], offset: u64) -> std::io::Result<usize> {
    let mut filled = 0_usize;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        let at = offset.saturating_add(u64::try_from(filled).unwrap_or(u64::MAX));
        match file.read_at(rest, at) {
            Ok(0) => break,
            Ok(count) => filled = filled.saturating_add(count),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
