//! The tree as a message, and back.

use super::super::super::scratch::Usage;
use super::super::table::MAX_DESCRIPTORS;
use super::{Content, Directory, Inode, MAX_DIRECTORIES, MAX_ENTRIES, MAX_NAME, Node, ROOT, Tree, content};
use prost::Message;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};

/// Name of a file while it is made that has none for the program; no other file is there then.
const NAMELESS: &str = ".nameless";

/// The tree without the contents of its files.
#[derive(Clone, PartialEq, Message)]
pub(in super::super) struct SavedTree {
    /// By their numbers.
    #[prost(message, repeated, tag = "1")]
    pub(in super::super) nodes: Vec<SavedNode>,
    #[prost(uint64, tag = "2")]
    next: u64,
    #[prost(uint32, tag = "3")]
    made: u32,
}

/// A file or directory.
#[derive(Clone, PartialEq, Message)]
pub(in super::super::super) struct SavedNode {
    #[prost(uint64, tag = "1")]
    pub(super) inode: u64,
    #[prost(bool, tag = "2")]
    pub(super) is_directory: bool,
    /// Where it hangs.
    #[prost(message, repeated, tag = "3")]
    pub(super) places: Vec<SavedPlace>,
    #[prost(uint64, tag = "4")]
    pub(super) length: u64,
    /// Its content follows; else it is an input at its own place, as it was at the start.
    #[prost(bool, tag = "5")]
    pub(in super::super) has_content: bool,
}

/// A name in a directory.
#[derive(Clone, PartialEq, Message)]
pub(super) struct SavedPlace {
    #[prost(uint64, tag = "1")]
    pub(super) parent: u64,
    #[prost(string, tag = "2")]
    pub(super) name: String,
}

impl SavedNode {
    /// Bytes of a file.
    pub(in super::super::super) const fn length(&self) -> u64 {
        self.length
    }
}

impl Tree {
    /// What is saved of it.
    pub(in super::super) fn save(&self) -> SavedTree {
        let mut places: BTreeMap<Inode, Vec<SavedPlace>> = BTreeMap::new();
        for (parent, node) in self.nodes() {
            let Node::Directory(directory) = node else { continue };
            for (name, inode) in &directory.entries {
                let place = SavedPlace { parent: parent.0, name: name.clone() };
                places.entry(*inode).or_default().push(place);
            }
        }
        let node = |(inode, node): (Inode, &Node)| {
            let places = places.remove(&inode).unwrap_or_default();
            let is_directory = matches!(node, Node::Directory(_));
            let (length, has_content) = match node {
                Node::Directory(_) => (0, false),
                Node::File(content) => (content.length, !self.is_as_it_was(content, &places)),
            };
            SavedNode { inode: inode.0, is_directory, places, length, has_content }
        };
        SavedTree { nodes: self.nodes().map(node).collect(), next: self.next, made: self.made }
    }

    /// Whether a file is an input that was neither changed nor moved.
    fn is_as_it_was(&self, content: &Content, places: &[SavedPlace]) -> bool {
        let [place] = places else { return false };
        let path = self.path(Inode(place.parent), &place.name).ok();
        path.is_some() && path == content.origin
    }

    /// The host's file behind a file whose content is saved.
    ///
    /// # Errors
    /// What the host says.
    pub(in super::super) fn source(&self, node: &SavedNode) -> std::io::Result<File> {
        let gone = || std::io::Error::other("a file has gone");
        let content = self.content(Inode(node.inode)).map_err(|_| gone())?;
        match (&content.handle, self.places(node).first()) {
            (Some(handle), _) => handle.try_clone(),
            (None, Some(path)) => File::open(self.root.join(path)),
            (None, None) => Err(gone()),
        }
    }

    /// The paths below the root that a node was saved with.
    fn places(&self, node: &SavedNode) -> Vec<String> {
        node.places.iter().filter_map(|place| self.path(Inode(place.parent), &place.name).ok()).collect()
    }

    /// Makes this the tree that was saved, but for the contents that follow. What is there is as it was at the start.
    ///
    /// # Errors
    /// What cannot be, in words.
    pub(in super::super) fn restore(&mut self, saved: &SavedTree) -> Result<(), String> {
        let mut restored = Self {
            root: self.root.clone(),
            nodes: nodes(saved)?,
            next: saved.next,
            limit: self.limit,
            usage: Usage::default(),
            made: saved.made.min(MAX_DIRECTORIES),
        };
        restored.count()?;
        let kept = self.kept(&restored)?;
        self.clear(&kept).map_err(|error| format!("its scratch directory cannot be made: {error}"))?;
        *self = restored;
        self.make_directories()
    }

    /// Adds up what there is.
    fn count(&mut self) -> Result<(), String> {
        for node in self.nodes.values() {
            let (bytes, entries) = match node {
                Node::Directory(directory) => (0, directory.entries.len()),
                Node::File(content) => (content.length, 0),
            };
            self.usage.bytes = self.usage.bytes.saturating_add(bytes);
            self.usage.entries =
                self.usage.entries.saturating_add(u64::try_from(entries).unwrap_or(u64::MAX));
        }
        if self.is_over() { Err("its files are more than it may have".into()) } else { Ok(()) }
    }

    /// The paths of the inputs that stay; each has to be there.
    fn kept(&self, restored: &Self) -> Result<BTreeSet<String>, String> {
        let mut kept = BTreeSet::new();
        for (_, node) in restored.nodes() {
            let Node::File(Content { length, origin: Some(path), .. }) = node else { continue };
            let here = self.find(ROOT, path).and_then(|inode| self.content(inode));
            if here.is_ok_and(|here| here.length == *length) {
                kept.insert(path.clone());
            } else {
                return Err(format!("its input {path} is not there as it was"));
            }
        }
        Ok(kept)
    }

    /// Removes everything from the host but the files at those paths and the directories above them.
    fn clear(&self, kept: &BTreeSet<String>) -> std::io::Result<()> {
        let mut directories = Vec::new();
        for node in self.nodes.values() {
            match node {
                Node::Directory(directory) => directories.extend(self.place_of(directory)),
                // A tree that was just read has every file where it was at the start.
                Node::File(Content { origin: Some(path), .. }) if !kept.contains(path) => {
                    fs::remove_file(self.root.join(path))?;
                }
                Node::File(_) => {}
            }
        }
        // The longest first, so that what is below goes before what is above.
        directories.sort_by_key(|path| std::cmp::Reverse(path.len()));
        for path in directories {
            let above = format!("{path}/");
            if !kept.range(above.clone()..).next().is_some_and(|next| next.starts_with(&above)) {
                fs::remove_dir(self.root.join(path))?;
            }
        }
        Ok(())
    }

    /// Makes the directories that are not there, those above first.
    fn make_directories(&self) -> Result<(), String> {
        let all = self.nodes.values().filter_map(|node| match node {
            Node::Directory(directory) => self.place_of(directory),
            Node::File(_) => None,
        });
        let mut paths: Vec<_> = all.collect();
        paths.sort_by_key(String::len);
        for path in paths {
            let made = fs::create_dir(self.root.join(&path));
            if let Err(error) = made.or_else(|error| match error.kind() {
                std::io::ErrorKind::AlreadyExists => Ok(()),
                _ => Err(error),
            }) {
                return Err(format!("its directory {path} cannot be made: {error}"));
            }
        }
        Ok(())
    }

    /// Makes a file under all of its names, to be filled.
    ///
    /// # Errors
    /// What the host says.
    pub(in super::super) fn make(&mut self, node: &SavedNode) -> Result<File, String> {
        let failed = |error: std::io::Error| format!("its file cannot be made: {error}");
        let paths = self.places(node);
        let Some((first, others)) = paths.split_first() else {
            let path = self.root.join(NAMELESS);
            let file = content::open(&path, true).map_err(failed)?;
            fs::remove_file(path).map_err(failed)?;
            let handle = file.try_clone().map_err(failed)?;
            self.content_mut(Inode(node.inode)).map_err(|_| "it has no such file")?.handle = Some(handle);
            return Ok(file);
        };
        let file = content::open(&self.root.join(first), true).map_err(failed)?;
        for other in others {
            fs::hard_link(self.root.join(first), self.root.join(other)).map_err(failed)?;
        }
        Ok(file)
    }

    /// A descriptor is on it again.
    ///
    /// # Errors
    /// If it is not what the descriptor takes it for.
    pub(in super::super) fn reopen(&mut self, inode: Inode, is_directory: bool) -> Result<(), String> {
        if is_directory {
            return self.open_directory(inode).map_err(|_| "a descriptor is on no directory".into());
        }
        let path = self.first_path(inode).map(|path| self.root.join(path));
        let content = self.content_mut(inode).map_err(|_| "a descriptor is on no file")?;
        if content.handle.is_none() {
            let path = path.ok_or("a descriptor is on a file without content")?;
            let opened = content::open(&path, false);
            content.handle = Some(opened.map_err(|error| format!("its file cannot be opened: {error}"))?);
        }
        content.opens = content.opens.saturating_add(1);
        Ok(())
    }

    /// Forgets what has neither name nor descriptor.
    pub(in super::super) fn settle(&mut self) {
        let all: Vec<_> = self.nodes.keys().copied().collect();
        for inode in all {
            self.forget_unused(inode);
        }
    }

    /// The path of a directory, if it has one.
    fn place_of(&self, directory: &Directory) -> Option<String> {
        directory.place.as_ref().and_then(|(parent, name)| self.path(*parent, name).ok())
    }

    /// The first path of a file below the root.
    fn first_path(&self, inode: Inode) -> Option<String> {
        self.nodes().find_map(|(parent, node)| match node {
            Node::Directory(directory) => {
                let (name, _) = directory.entries.iter().find(|(_, found)| **found == inode)?;
                self.path(parent, name).ok()
            }
            Node::File(_) => None,
        })
    }
}

/// The nodes of a saved tree, if it is one.
fn nodes(saved: &SavedTree) -> Result<BTreeMap<Inode, Node>, String> {
    let most = usize::try_from(MAX_ENTRIES).unwrap_or(usize::MAX).saturating_add(MAX_DESCRIPTORS + 1);
    if saved.nodes.len() > most {
        return Err("it has too many files".into());
    }
    let mut nodes = BTreeMap::new();
    for node in &saved.nodes {
        let fresh = match (node.is_directory, node.places.as_slice()) {
            (true, places) if places.len() <= 1 => Node::Directory(Directory::default()),
            (true, _) => return Err("a directory of it has two names".into()),
            (false, places) => {
                let links = u32::try_from(places.len()).map_err(|_| "a file of it has too many names")?;
                Node::File(Content { length: node.length, links, ..Content::default() })
            }
        };
        if node.inode >= saved.next || nodes.insert(Inode(node.inode), fresh).is_some() {
            return Err(format!("it has two files {}", node.inode));
        }
    }
    if !matches!(nodes.get(&ROOT), Some(Node::Directory(_))) {
        return Err("it has no scratch directory".into());
    }
    for node in &saved.nodes {
        hang(&mut nodes, node)?;
    }
    origins(&mut nodes, saved)?;
    Ok(nodes)
}

/// Hangs a node where it was.
fn hang(nodes: &mut BTreeMap<Inode, Node>, node: &SavedNode) -> Result<(), String> {
    let inode = Inode(node.inode);
    if inode == ROOT && !node.places.is_empty() {
        return Err("its scratch directory lies in another".into());
    }
    for SavedPlace { parent, name } in &node.places {
        if name.is_empty()
            || name == "."
            || name == ".."
            || name.contains(['/', '\0'])
            || name.len() > MAX_NAME
        {
            return Err(format!("it has a file with the name {name:?}"));
        }
        let Some(Node::Directory(above)) = nodes.get_mut(&Inode(*parent)) else {
            return Err(format!("its file {name} lies in no directory"));
        };
        if above.entries.insert(name.clone(), inode).is_some() {
            return Err(format!("it has two files with the name {name}"));
        }
        if let Some(Node::Directory(directory)) = nodes.get_mut(&inode) {
            directory.place = Some((Inode(*parent), name.clone()));
        }
    }
    Ok(())
}

/// Sees that every directory is below the root or was removed, and notes where inputs lie that were not changed.
fn origins(nodes: &mut BTreeMap<Inode, Node>, saved: &SavedTree) -> Result<(), String> {
    let tree = Tree {
        root: Default::default(),
        nodes: std::mem::take(nodes),
        next: 0,
        limit: proto::Bytes(0),
        usage: Usage::default(),
        made: 0,
    };
    let mut found = Vec::new();
    for node in &saved.nodes {
        for SavedPlace { parent, name } in &node.places {
            let path = tree
                .reachable(Inode(*parent), name)
                .ok_or_else(|| format!("its file {name} hangs nowhere"))?;
            if !node.is_directory && !node.has_content {
                found.push((Inode(node.inode), path));
            }
        }
    }
    *nodes = tree.nodes;
    for (inode, path) in found {
        if let Some(Node::File(content)) = nodes.get_mut(&inode) {
            content.origin = Some(path);
        }
    }
    let is_lost = |node: &Node| matches!(node, Node::File(Content { links: 0, .. }));
    let lost = saved
        .nodes
        .iter()
        .find(|node| !node.has_content && nodes.get(&Inode(node.inode)).is_some_and(is_lost));
    lost.map_or(Ok(()), |_| Err("a file of it has neither name nor content".into()))
}

impl Tree {
    /// The path of a name, unless its directories go in a circle.
    fn reachable(&self, directory: Inode, name: &str) -> Option<String> {
        let mut at = directory;
        let mut left = super::MAX_PATH;
        while at != ROOT {
            let (parent, _) = self.directory(at).ok()?.place.as_ref()?;
            at = *parent;
            left = left.checked_sub(1)?;
        }
        self.path(directory, name).ok()
    }
}
