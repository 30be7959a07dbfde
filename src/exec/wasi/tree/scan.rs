//! The tree of a directory as it is on the host.

use super::super::super::scratch::Usage;
use super::{Content, Directory, Inode, Node, ROOT, Tree};
use proto::Bytes;
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::path::Path;

impl Tree {
    /// Reads the directory with the inputs in place. What is neither file nor directory, or has a name that is not
    /// UTF-8, is not there for the program.
    pub(in super::super::super) fn scan(root: &Path, limit: Bytes) -> io::Result<Self> {
        let mut tree = Self {
            root: root.to_path_buf(),
            nodes: BTreeMap::from([(ROOT, Node::Directory(Directory::default()))]),
            next: ROOT.0 + 1,
            limit,
            usage: Usage::default(),
            made: 0,
        };
        let mut open = VecDeque::from([(ROOT, String::new())]);
        while let Some((inode, path)) = open.pop_front() {
            for (name, length) in list(&root.join(&path))? {
                let below = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
                let node = match length {
                    None => Node::Directory(Directory {
                        place: Some((inode, name.clone())),
                        ..Directory::default()
                    }),
                    Some(length) => {
                        tree.usage.bytes = tree.usage.bytes.saturating_add(length);
                        let origin = Some(below.clone());
                        Node::File(Content { length, links: 1, origin, ..Content::default() })
                    }
                };
                tree.usage.entries = tree.usage.entries.saturating_add(1);
                let number = tree.number();
                tree.nodes.insert(number, node);
                tree.hang(inode, name, number);
                if length.is_none() {
                    open.push_back((number, below));
                }
            }
        }
        Ok(tree)
    }

    /// Enters a number under its name.
    fn hang(&mut self, directory: Inode, name: String, number: Inode) {
        if let Ok(directory) = self.directory_mut(directory) {
            directory.entries.insert(name, number);
        }
    }
}

/// What is in a directory, by names: the length of a file, nothing for a directory.
fn list(path: &Path) -> io::Result<BTreeMap<String, Option<u64>>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        let length = match metadata.file_type() {
            kind if kind.is_dir() => None,
            kind if kind.is_file() => Some(metadata.len()),
            _ => continue,
        };
        if let Ok(name) = entry.file_name().into_string() {
            found.insert(name, length);
        }
    }
    Ok(found)
}
