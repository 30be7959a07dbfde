//! The tree beside the host's directory: both say the same.

use super::super::errno::{Errno, Fail};
use super::{Inode, Node, Place, ROOT, Tree};
use crate::exec::control::Stop;
use crate::exec::scratch::{Usage, measure};
use proptest::prelude::*;
use proto::Bytes;
use std::path::Path;
use tempfile::TempDir;

/// A scratch directory with `d/`, `d/e/`, `d/f` of three bytes and `g` of one.
fn scratch() -> (TempDir, Tree) {
    let dir = TempDir::new().unwrap();
    std::fs::create_dir_all(dir.path().join("d/e")).unwrap();
    std::fs::write(dir.path().join("d/f"), b"abc").unwrap();
    std::fs::write(dir.path().join("g"), b"x").unwrap();
    let tree = Tree::scan(dir.path(), Bytes(100)).unwrap();
    (dir, tree)
}

fn errno<T: std::fmt::Debug>(result: Result<T, Fail>) -> Option<Errno> {
    match result {
        Ok(_) => None,
        Err(Fail::Errno(errno)) => Some(errno),
        Err(other) => panic!("{other:?}"),
    }
}

fn place(tree: &Tree, path: &str) -> Place {
    tree.walk(ROOT, path).unwrap()
}

#[test]
fn paths_lead_where_they_say_and_never_out() {
    let (_dir, tree) = scratch();
    let long = "n".repeat(256);
    let deep = "n/".repeat(2_000);
    for (path, expected) in [
        ("g", Ok(Inode(3))),
        ("./d//f", Ok(Inode(5))),
        ("d/e/../f", Ok(Inode(5))),
        ("d/e/", Ok(Inode(4))),
        (".", Ok(ROOT)),
        ("d/..", Ok(ROOT)),
        ("", Err(Errno::Noent)),
        ("/g", Err(Errno::Perm)),
        ("..", Err(Errno::Perm)),
        ("d/../../g", Err(Errno::Perm)),
        ("g/", Err(Errno::Notdir)),
        ("g/x", Err(Errno::Notdir)),
        ("g/..", Err(Errno::Notdir)),
        ("none", Err(Errno::Noent)),
        ("none/x", Err(Errno::Noent)),
        (long.as_str(), Err(Errno::Nametoolong)),
        (deep.as_str(), Err(Errno::Nametoolong)),
    ] {
        assert_eq!(tree.find(ROOT, path), expected, "{path}");
    }
    // A directory that is not the root is a wall, too.
    assert_eq!(tree.find(Inode(2), "../g"), Err(Errno::Perm));
    assert_eq!(tree.find(Inode(2), "e/../f"), Ok(Inode(5)));
}

#[cfg(unix)]
#[test]
fn links_of_the_host_are_not_there() {
    let dir = TempDir::new().unwrap();
    std::os::unix::fs::symlink("/etc", dir.path().join("way")).unwrap();
    let tree = Tree::scan(dir.path(), Bytes(100)).unwrap();
    assert_eq!(tree.find(ROOT, "way"), Err(Errno::Noent));
    assert_eq!(tree.find(ROOT, "way/passwd"), Err(Errno::Noent));
}

#[test]
fn renames_follow_posix() {
    for (from, to, expected) in [
        ("g", "h", None),
        ("g", "d/f", None),
        ("g", "d", Some(Errno::Isdir)),
        ("d", "g", Some(Errno::Notdir)),
        ("d", "d/e/x", Some(Errno::Inval)),
        ("d/e", "d/f", Some(Errno::Notdir)),
        ("d/e", "y", None),
        ("g", "g", None),
        ("none", "h", Some(Errno::Noent)),
        ("g", "h/", Some(Errno::Notdir)),
        ("g", ".", Some(Errno::Inval)),
    ] {
        let (dir, mut tree) = scratch();
        let (old, new) = (place(&tree, from), tree.walk(ROOT, to).unwrap());
        let moved = tree.find(ROOT, from);
        assert_eq!(errno(tree.rename(&old, &new)), expected, "{from} {to}");
        if expected.is_none() {
            assert_eq!(tree.find(ROOT, to), moved, "{from} {to}");
            assert!(dir.path().join(to).exists(), "{from} {to}");
        }
    }
    let (_dir, mut tree) = scratch();
    tree.make_directory(&place(&tree, "z")).unwrap();
    let (old, new) = (place(&tree, "z"), place(&tree, "d"));
    assert_eq!(errno(tree.rename(&old, &new)), Some(Errno::Notempty));
}

#[test]
fn a_file_without_a_name_is_there_until_it_is_closed() {
    let (dir, mut tree) = scratch();
    let inode = tree.find(ROOT, "d/f").unwrap();
    tree.open(Inode(2), "f", inode).unwrap();
    tree.unlink(&place(&tree, "d/f")).unwrap();
    assert!(!dir.path().join("d/f").exists());
    let mut buffer = [0; 8];
    assert_eq!(tree.read(inode, &mut buffer, 1).unwrap(), 2);
    assert_eq!((&buffer[..2], tree.usage.bytes), (&b"bc"[..], 4));
    tree.close(inode);
    assert_eq!((tree.node(inode).err(), tree.usage.bytes), (Some(Errno::Noent), 1));
}

#[test]
fn the_limit_holds_before_the_write_that_would_break_it() {
    let (dir, mut tree) = scratch();
    let inode = tree.make_file(ROOT, "new").unwrap();
    tree.write(inode, &[1; 96], 0).unwrap();
    assert!(matches!(tree.write(inode, b"y", 96), Err(Fail::Stop(Stop::Disk))));
    assert!(matches!(tree.write(inode, b"y", u64::MAX), Err(Fail::Errno(Errno::Fbig))));
    assert!(matches!(tree.resize(inode, 97), Err(Fail::Stop(Stop::Disk))));
    tree.write(inode, b"y", 95).unwrap();
    tree.resize(inode, 10).unwrap();
    assert_eq!((tree.usage.bytes, dir.path().join("new").metadata().unwrap().len()), (14, 10));
    tree.write(inode, b"y", 95).unwrap();
    assert_eq!(tree.usage.bytes, 100);
}

#[test]
fn two_names_are_one_file() {
    let (dir, mut tree) = scratch();
    tree.link(&place(&tree, "g"), &place(&tree, "d/h")).unwrap();
    assert_eq!(tree.find(ROOT, "d/h"), tree.find(ROOT, "g"));
    assert_eq!((tree.usage, tree.content(Inode(3)).unwrap().links), (Usage { bytes: 4, entries: 5 }, 2));
    assert_eq!(errno(tree.link(&place(&tree, "d"), &place(&tree, "k"))), Some(Errno::Perm));
    tree.unlink(&place(&tree, "g")).unwrap();
    assert_eq!(std::fs::read(dir.path().join("d/h")).unwrap(), b"x");
}

/// The names below a directory of the host, with contents.
fn on_host(root: &Path) -> Vec<(String, Option<Vec<u8>>)> {
    let mut found = Vec::new();
    let mut open = vec![root.to_path_buf()];
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            let content = path.is_file().then(|| std::fs::read(&path).unwrap());
            if content.is_none() {
                open.push(path);
            }
            found.push((name, content));
        }
    }
    found.sort();
    found
}

/// Paths that a random program uses.
const PATHS: [&str; 8] = ["g", "d", "d/f", "d/e", "d/e/k", "m", "m/n", "d/../g"];

/// Does something to a tree.
fn act(tree: &mut Tree, what: u8, one: &str, other: &str) {
    let (Ok(first), Ok(second)) = (tree.walk(ROOT, one), tree.walk(ROOT, other)) else { return };
    let done = match what {
        0 => tree.make_directory(&first),
        1 => tree.remove_directory(&first),
        2 => tree.unlink(&first),
        3 => tree.rename(&first, &second),
        4 => tree.link(&first, &second),
        _ => write(tree, &first, what),
    };
    assert!(!matches!(done, Err(Fail::Host(_))), "{what} {one} {other}: {done:?}");
}

fn write(tree: &mut Tree, at: &Place, byte: u8) -> Result<(), Fail> {
    let name = at.name.as_deref().ok_or(Errno::Isdir)?;
    let inode = match tree.entry(at.parent, name) {
        Ok(inode) => {
            tree.content(inode)?;
            tree.open(at.parent, name, inode)?;
            inode
        }
        Err(_) => tree.make_file(at.parent, name)?,
    };
    let written = tree.write(inode, &[byte], u64::from(byte) % 7);
    tree.close(inode);
    written
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_a_program_does_tree_and_host_agree_and_it_is_restored_as_it_was(
        acts in prop::collection::vec((0_u8..9, 0_usize..8, 0_usize..8), 0..40)
    ) {
        let (dir, mut tree) = scratch();
        for (what, one, other) in acts {
            act(&mut tree, what, PATHS[one], PATHS[other]);
        }
        let usage = measure(dir.path()).unwrap();
        prop_assert_eq!(tree.usage.entries, usage.entries);
        let files = tree.nodes().filter_map(|(_, node)| match node {
            Node::File(content) => Some(content.length),
            Node::Directory(_) => None,
        });
        prop_assert_eq!(tree.usage.bytes, files.sum::<u64>());

        let saved = tree.save();
        let (fresh, mut restored) = scratch();
        restored.restore(&saved).unwrap();
        for node in saved.nodes.iter().filter(|node| node.has_content) {
            std::io::copy(&mut tree.source(node).unwrap(), &mut restored.make(node).unwrap()).unwrap();
        }
        restored.settle();
        prop_assert_eq!(on_host(fresh.path()), on_host(dir.path()));
        prop_assert_eq!(restored.save(), saved);
        prop_assert_eq!(restored.usage, tree.usage);
    }
}

#[test]
fn a_tree_that_is_none_is_not_restored() {
    let (_dir, tree) = scratch();
    let good = tree.save();
    type Change = fn(&mut super::SavedTree);
    let changes: [(Change, &str); 9] = [
        (|saved| saved.nodes[4].places[0].name = "../out".into(), "it has a file with the name \"../out\""),
        (|saved| saved.nodes[4].places[0].name = "e".into(), "it has two files with the name e"),
        (|saved| saved.nodes[4].places[0].parent = 3, "its file f lies in no directory"),
        (|saved| saved.nodes[1].places[0].parent = 4, "its file d hangs nowhere"),
        (|saved| saved.nodes[4].length = 4, "its input d/f is not there as it was"),
        (|saved| saved.nodes[4].length = 200, "its files are more than it may have"),
        (|saved| saved.nodes[4].inode = 3, "it has two files 3"),
        (|saved| saved.nodes[4].places.clear(), "a file of it has neither name nor content"),
        (|saved| saved.nodes.clear(), "it has no scratch directory"),
    ];
    for (change, expected) in changes {
        let mut bad = good.clone();
        change(&mut bad);
        let (_dir, mut tree) = scratch();
        assert_eq!(tree.restore(&bad), Err(expected.into()));
    }
}
