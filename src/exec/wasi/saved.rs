//! The world of a program as a message, for its snapshot, and back.
//!
//! What comes back was written by another machine: every number is looked at before it is believed.

use super::super::environment::{self, VirtualClock};
use super::Wasi;
use super::listing::{Entry, Listing};
use super::stat::Kind;
use super::table::{Descriptor, Opened, PREOPENED, Stream, Table};
use super::tree::{Inode, MAX_ENTRIES, SavedNode, SavedTree};
use prost::{Message, Oneof};

/// All of it but the contents of files.
#[derive(Clone, PartialEq, Message)]
pub(in super::super) struct SavedWasi {
    /// Nanoseconds on the virtual clock.
    #[prost(uint64, tag = "1")]
    clock: u64,
    /// Words of the random stream that were used.
    #[prost(uint64, tag = "2")]
    random: u64,
    #[prost(bytes = "vec", tag = "3")]
    stdout: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    stderr: Vec<u8>,
    #[prost(message, repeated, tag = "5")]
    descriptors: Vec<SavedDescriptor>,
    #[prost(message, required, tag = "6")]
    tree: SavedTree,
    #[prost(message, optional, tag = "7")]
    listing: Option<SavedListing>,
}

/// A descriptor; an empty one is a number that is free.
#[derive(Clone, PartialEq, Message)]
struct SavedDescriptor {
    #[prost(oneof = "Behind", tags = "1, 2, 3, 4")]
    behind: Option<Behind>,
}

#[derive(Clone, PartialEq, Oneof)]
enum Behind {
    /// Standard input, and its offset.
    #[prost(uint64, tag = "1")]
    Input(u64),
    /// Standard output, 1, or error, 2.
    #[prost(uint32, tag = "2")]
    Print(u32),
    #[prost(message, tag = "3")]
    Directory(SavedDirectory),
    #[prost(message, tag = "4")]
    File(SavedFile),
}

#[derive(Clone, PartialEq, Message)]
struct SavedDirectory {
    #[prost(uint64, tag = "1")]
    inode: u64,
    #[prost(string, optional, tag = "2")]
    preopened: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
struct SavedFile {
    #[prost(uint64, tag = "1")]
    inode: u64,
    #[prost(uint64, tag = "2")]
    offset: u64,
    #[prost(bool, tag = "3")]
    is_readable: bool,
    #[prost(bool, tag = "4")]
    is_writable: bool,
    #[prost(uint32, tag = "5")]
    flags: u32,
}

#[derive(Clone, PartialEq, Message)]
struct SavedListing {
    #[prost(uint32, tag = "1")]
    fd: u32,
    #[prost(message, repeated, tag = "2")]
    entries: Vec<SavedEntry>,
}

#[derive(Clone, PartialEq, Message)]
struct SavedEntry {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(uint64, tag = "2")]
    inode: u64,
    #[prost(bool, tag = "3")]
    is_directory: bool,
}

impl SavedWasi {
    /// The files whose contents follow, in their order.
    pub(in super::super) fn contents(&self) -> impl Iterator<Item = &SavedNode> {
        self.tree.nodes.iter().filter(|node| node.has_content)
    }
}

impl Wasi {
    /// What is saved of it; the contents of the files that it names are read from [`Self::source`].
    pub(in super::super) fn save(&self) -> SavedWasi {
        let descriptors = self.table.slots().iter().map(save_descriptor).collect();
        let listing = self.listing.as_ref().map(|listing| SavedListing {
            fd: listing.fd,
            entries: listing.entries.iter().map(save_entry).collect(),
        });
        SavedWasi {
            clock: self.clock.elapsed(),
            random: environment::used(&self.random),
            stdout: self.stdout.copy(),
            stderr: self.stderr.copy(),
            descriptors,
            tree: self.tree.save(),
            listing,
        }
    }

    /// The host's file behind a file whose content is saved.
    ///
    /// # Errors
    /// If the host does not give it.
    pub(in super::super) fn source(&self, node: &SavedNode) -> std::io::Result<std::fs::File> {
        self.tree.source(node)
    }

    /// Makes this the world that was saved, as far as its files are empty or as they were at the start; their contents
    /// come by [`Self::make`], and [`Self::reopen`] is the end of it.
    ///
    /// # Errors
    /// What of it cannot be, in words.
    pub(in super::super) fn restore(&mut self, saved: &SavedWasi, limit: u64) -> Result<(), String> {
        if [&saved.stdout, &saved.stderr]
            .into_iter()
            .any(|text| u64::try_from(text.len()).is_ok_and(|n| n > limit))
        {
            return Err("it has printed more than it may".into());
        }
        self.tree.restore(&saved.tree)?;
        let slots: Result<Vec<_>, String> = saved.descriptors.iter().map(restore_descriptor).collect();
        self.table = Table::restored(slots?).ok_or("it has too many descriptors")?;
        self.listing = saved.listing.as_ref().map(restore_listing).transpose()?;
        self.clock = VirtualClock::at(saved.clock);
        self.random = environment::randomness_from(saved.random);
        self.stdout.begin(saved.stdout.clone(), limit);
        self.stderr.begin(saved.stderr.clone(), limit);
        Ok(())
    }

    /// Makes a file that was saved, to be filled with its content.
    ///
    /// # Errors
    /// What the host says.
    pub(in super::super) fn make(&mut self, node: &SavedNode) -> Result<std::fs::File, String> {
        self.tree.make(node)
    }

    /// Opens what is open for the program, and nothing else.
    ///
    /// # Errors
    /// If a descriptor is on what is not there.
    pub(in super::super) fn reopen(&mut self) -> Result<(), String> {
        for descriptor in self.table.slots().iter().flatten() {
            let is_directory = matches!(descriptor, Descriptor::Directory { .. });
            if let Some(inode) = descriptor.inode() {
                self.tree.reopen(inode, is_directory)?;
            }
        }
        self.tree.settle();
        Ok(())
    }
}

fn save_descriptor(descriptor: &Option<Descriptor>) -> SavedDescriptor {
    let behind = descriptor.as_ref().map(|descriptor| match descriptor {
        Descriptor::Input { offset } => Behind::Input(*offset),
        Descriptor::Print(Stream::Output) => Behind::Print(1),
        Descriptor::Print(Stream::Error) => Behind::Print(2),
        Descriptor::Directory { inode, preopened } => {
            Behind::Directory(SavedDirectory { inode: inode.0, preopened: preopened.map(str::to_owned) })
        }
        Descriptor::File(Opened { inode, offset, is_readable, is_writable, flags }) => {
            Behind::File(SavedFile {
                inode: inode.0,
                offset: *offset,
                is_readable: *is_readable,
                is_writable: *is_writable,
                flags: u32::from(*flags),
            })
        }
    });
    SavedDescriptor { behind }
}

fn restore_descriptor(saved: &SavedDescriptor) -> Result<Option<Descriptor>, String> {
    let Some(behind) = &saved.behind else { return Ok(None) };
    let descriptor = match behind {
        Behind::Input(offset) => Descriptor::Input { offset: *offset },
        Behind::Print(1) => Descriptor::Print(Stream::Output),
        Behind::Print(2) => Descriptor::Print(Stream::Error),
        Behind::Print(other) => return Err(format!("it has no stream {other}")),
        Behind::Directory(directory) => {
            let known = |name: &String| PREOPENED.into_iter().find(|known| known == name);
            let preopened =
                directory.preopened.as_ref().map(|name| known(name).ok_or("it has a directory of the host"));
            Descriptor::Directory { inode: Inode(directory.inode), preopened: preopened.transpose()? }
        }
        Behind::File(file) => Descriptor::File(Opened {
            inode: Inode(file.inode),
            offset: file.offset,
            is_readable: file.is_readable,
            is_writable: file.is_writable,
            flags: u16::try_from(file.flags).map_err(|_| "it has flags that there are not")?,
        }),
    };
    Ok(Some(descriptor))
}

fn save_entry(entry: &Entry) -> SavedEntry {
    let is_directory = entry.kind == Kind::Directory;
    SavedEntry { name: entry.name.clone(), inode: entry.inode.0, is_directory }
}

fn restore_listing(saved: &SavedListing) -> Result<Listing, String> {
    if u64::try_from(saved.entries.len()).is_ok_and(|length| length > MAX_ENTRIES + 2) {
        return Err("it reads a directory that is too large".into());
    }
    let entry = |entry: &SavedEntry| Entry {
        name: entry.name.clone(),
        inode: Inode(entry.inode),
        kind: if entry.is_directory { Kind::Directory } else { Kind::File },
    };
    Ok(Listing { fd: saved.fd, entries: saved.entries.iter().map(entry).collect() })
}
