//! The descriptors of a program.

use super::errno::Errno;
use super::tree::{Inode, ROOT};

/// Most descriptors of a program, with its three streams and two directories: the node needs some for itself.
pub(super) const MAX_DESCRIPTORS: usize = 128;
/// The names under which a program finds its scratch directory, from descriptor 3 on.
pub(super) const PREOPENED: [&str; 2] = ["/", "."];
/// `fdflags`: writes go to the end.
pub(super) const APPEND: u16 = 1;

/// What a program prints to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Stream {
    /// Standard output.
    Output,
    /// Standard error.
    Error,
}

/// What stands behind a descriptor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Descriptor {
    /// Standard input, and how much of it was read.
    Input { offset: u64 },
    /// Standard output or error.
    Print(Stream),
    /// A directory, and the name under which it was there from the start.
    Directory { inode: Inode, preopened: Option<&'static str> },
    /// A file.
    File(Opened),
}

/// An open file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Opened {
    pub(super) inode: Inode,
    pub(super) offset: u64,
    pub(super) is_readable: bool,
    pub(super) is_writable: bool,
    /// `fdflags`.
    pub(super) flags: u16,
}

impl Descriptor {
    /// The file or directory behind it.
    pub(super) const fn inode(&self) -> Option<Inode> {
        match self {
            Self::Directory { inode, .. } | Self::File(Opened { inode, .. }) => Some(*inode),
            Self::Input { .. } | Self::Print(_) => None,
        }
    }
}

/// All descriptors; a new one gets the lowest number that is free.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Table {
    slots: Vec<Option<Descriptor>>,
}

impl Table {
    /// The streams and the scratch directory under its names.
    pub(super) fn new() -> Self {
        let streams = [
            Descriptor::Input { offset: 0 },
            Descriptor::Print(Stream::Output),
            Descriptor::Print(Stream::Error),
        ];
        let preopened =
            PREOPENED.into_iter().map(|name| Descriptor::Directory { inode: ROOT, preopened: Some(name) });
        Self { slots: streams.into_iter().chain(preopened).map(Some).collect() }
    }

    /// A table of these; `None` if they are too many.
    pub(super) fn restored(slots: Vec<Option<Descriptor>>) -> Option<Self> {
        (slots.len() <= MAX_DESCRIPTORS).then_some(Self { slots })
    }

    /// All, by their numbers.
    pub(super) fn slots(&self) -> &[Option<Descriptor>] {
        &self.slots
    }

    pub(super) fn of(&self, fd: u32) -> Result<&Descriptor, Errno> {
        let slot = usize::try_from(fd).ok().and_then(|index| self.slots.get(index));
        slot.and_then(Option::as_ref).ok_or(Errno::Badf)
    }

    pub(super) fn of_mut(&mut self, fd: u32) -> Result<&mut Descriptor, Errno> {
        let slot = usize::try_from(fd).ok().and_then(|index| self.slots.get_mut(index));
        slot.and_then(Option::as_mut).ok_or(Errno::Badf)
    }

    /// The directory behind `fd`.
    pub(super) fn directory(&self, fd: u32) -> Result<Inode, Errno> {
        match self.of(fd)? {
            Descriptor::Directory { inode, .. } => Ok(*inode),
            Descriptor::Input { .. } | Descriptor::Print(_) | Descriptor::File(_) => Err(Errno::Notdir),
        }
    }

    /// Whether there is room for one more.
    pub(super) fn has_room(&self) -> bool {
        self.slots.len() < MAX_DESCRIPTORS || self.slots.iter().any(Option::is_none)
    }

    /// Adds one; gives its number.
    pub(super) fn add(&mut self, descriptor: Descriptor) -> Result<u32, Errno> {
        let free = self.slots.iter().position(Option::is_none).unwrap_or(self.slots.len());
        if free >= MAX_DESCRIPTORS {
            return Err(Errno::Mfile);
        }
        if free == self.slots.len() {
            self.slots.push(None);
        }
        let slot = self.slots.get_mut(free).ok_or(Errno::Mfile)?;
        *slot = Some(descriptor);
        u32::try_from(free).map_err(|_| Errno::Mfile)
    }

    /// Takes one out.
    pub(super) fn take(&mut self, fd: u32) -> Result<Descriptor, Errno> {
        let slot = usize::try_from(fd).ok().and_then(|index| self.slots.get_mut(index));
        slot.and_then(Option::take).ok_or(Errno::Badf)
    }

    /// Puts what is behind `from` behind `to`; gives what was there.
    pub(super) fn renumber(&mut self, from: u32, to: u32) -> Result<Option<Descriptor>, Errno> {
        self.of(to)?;
        if from == to {
            return Ok(None);
        }
        let moved = self.take(from)?;
        Ok(Some(std::mem::replace(self.of_mut(to)?, moved)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_free_number_is_given_up_to_the_most() {
        let mut table = Table::new();
        let directory = || Descriptor::Directory { inode: ROOT, preopened: None };
        assert_eq!(table.add(directory()), Ok(5));
        assert_eq!(table.add(directory()), Ok(6));
        assert_eq!(table.take(4), Ok(Descriptor::Directory { inode: ROOT, preopened: Some(".") }));
        assert_eq!(table.add(directory()), Ok(4));
        for number in 7..128 {
            assert_eq!(table.add(directory()), Ok(number));
        }
        assert_eq!(table.add(directory()), Err(Errno::Mfile));
        assert_eq!((table.has_room(), table.take(200)), (false, Err(Errno::Badf)));
    }

    #[test]
    fn a_renumbered_descriptor_leaves_its_number() {
        let mut table = Table::new();
        assert_eq!(table.renumber(3, 1), Ok(Some(Descriptor::Print(Stream::Output))));
        assert_eq!((table.of(3), table.directory(1)), (Err(Errno::Badf), Ok(ROOT)));
        assert_eq!(table.renumber(2, 2), Ok(None));
        assert_eq!(table.renumber(1, 9), Err(Errno::Badf));
    }
}
