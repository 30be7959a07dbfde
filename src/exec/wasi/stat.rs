//! What a program is told about files and descriptors: kind and length are real, links too; times are those of the
//! start, and nothing of the host shows.

use super::super::environment::START;
use super::errno::Errno;
use super::guest::Guest;
use super::name::Named;
use super::table::Descriptor;
use super::tree::{Inode, Node};
use super::{Call, Wasi};

/// `rights` of a file that is read and of one that is written, beside what every file allows.
const READ: u64 = 1 << 1;
const WRITE: u64 = 1 << 0 | 1 << 6 | 1 << 8 | 1 << 22;
/// `rights` of every file: seek, tell, flags, advise, stat, times, poll.
const FILE: u64 = 1 << 2 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 7 | 1 << 21 | 1 << 23 | 1 << 27;
/// `rights` of a directory: all calls on paths, list, stat.
const DIRECTORY: u64 =
    0x7f << 9 | 1 << 16 | 1 << 17 | 1 << 18 | 1 << 19 | 1 << 20 | 1 << 21 | 1 << 23 | 3 << 25;
/// `rights` of what is opened in a directory: all there are without sockets.
const INHERITED: u64 = (1 << 28) - 1;

/// `filetype`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A stream that is no terminal.
    Unknown,
    /// A directory.
    Directory,
    /// A regular file.
    File,
}

impl Kind {
    /// As WASI numbers it.
    pub(super) const fn number(self) -> u8 {
        match self {
            Self::Unknown => 0,
            Self::Directory => 3,
            Self::File => 4,
        }
    }
}

impl Wasi {
    pub(super) fn fd_fdstat_get(&mut self, guest: &mut Guest<'_>, fd: u32, to: u32) -> Call {
        let (kind, flags, rights, inherited) = match self.table.of(fd)? {
            Descriptor::Input { .. } => (Kind::Unknown, 0, READ | 1 << 27, 0),
            Descriptor::Print(_) => (Kind::Unknown, 0, 1 << 6 | 1 << 27, 0),
            Descriptor::Directory { .. } => (Kind::Directory, 0, DIRECTORY, INHERITED),
            Descriptor::File(file) => {
                let read = if file.is_readable { READ } else { 0 };
                let write = if file.is_writable { WRITE } else { 0 };
                (Kind::File, file.flags, FILE | read | write, 0)
            }
        };
        let mut bytes = [0; 24];
        let [low, high] = flags.to_le_bytes();
        let [first, _, flags, more, ..] = &mut bytes;
        (*first, *flags, *more) = (kind.number(), low, high);
        fill(&mut bytes, 8, rights);
        fill(&mut bytes, 16, inherited);
        Ok(guest.put(to, &bytes)?)
    }

    pub(super) fn fd_filestat_get(&mut self, guest: &mut Guest<'_>, fd: u32, to: u32) -> Call {
        let stat = match self.table.of(fd)?.inode() {
            Some(inode) => self.stat(inode)?,
            None => encode(Inode(0), Kind::Unknown, 0, 0),
        };
        Ok(guest.put(to, &stat)?)
    }

    pub(super) fn path_filestat_get(&mut self, guest: &mut Guest<'_>, named: Named, to: u32) -> Call {
        let stat = self.stat(self.found(guest, named)?)?;
        Ok(guest.put(to, &stat)?)
    }

    fn stat(&self, inode: Inode) -> Result<[u8; 64], Errno> {
        Ok(match self.tree.node(inode)? {
            Node::Directory(_) => encode(inode, Kind::Directory, 1, 0),
            Node::File(content) => encode(inode, Kind::File, content.links.into(), content.length),
        })
    }

    /// The name under which a directory was there from the start.
    fn prestat(&self, fd: u32) -> Result<&'static str, Errno> {
        match self.table.of(fd)? {
            Descriptor::Directory { preopened: Some(name), .. } => Ok(name),
            _ => Err(Errno::Badf),
        }
    }

    pub(super) fn fd_prestat_get(&mut self, guest: &mut Guest<'_>, fd: u32, to: u32) -> Call {
        let length = u32::try_from(self.prestat(fd)?.len()).map_err(|_| Errno::Fault)?;
        let [a, b, c, d] = length.to_le_bytes();
        Ok(guest.put(to, &[0, 0, 0, 0, a, b, c, d])?)
    }

    pub(super) fn fd_prestat_dir_name(&mut self, guest: &mut Guest<'_>, fd: u32, to: u32, room: u32) -> Call {
        let name = self.prestat(fd)?;
        if usize::try_from(room).is_ok_and(|room| room < name.len()) {
            return Err(Errno::Nametoolong.into());
        }
        Ok(guest.put(to, name.as_bytes())?)
    }
}

/// A `filestat`.
fn encode(inode: Inode, kind: Kind, links: u64, length: u64) -> [u8; 64] {
    let mut bytes = [0; 64];
    let start = START.saturating_mul(1_000_000_000);
    let fields = [
        (8, inode.0),
        (16, kind.number().into()),
        (24, links),
        (32, length),
        (40, start),
        (48, start),
        (56, start),
    ];
    for (at, value) in fields {
        fill(&mut bytes, at, value);
    }
    bytes
}

fn fill(bytes: &mut [u8], at: usize, value: u64) {
    if let Some(place) = bytes.get_mut(at..).and_then(|rest| rest.first_chunk_mut::<8>()) {
        *place = value.to_le_bytes();
    }
}
