//! Paths: what may be a name inside the scratch directory or the results directory, and which files collide
//! there.

use std::collections::BTreeMap;
use std::ops::Bound;

/// The deepest path, in folders and the file.
const MAX_PARTS: usize = 32;
/// The longest part of a path in bytes, as file systems have it.
const MAX_PART: usize = 255;

/// Why a path cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathProblem {
    /// There is none.
    #[error("is empty")]
    Empty,
    /// It begins at the root.
    #[error("begins with `/`; expected a relative path such as out/result.txt")]
    Absolute,
    /// It leaves its directory.
    #[error("contains `..`; expected a path that stays inside, such as out/result.txt")]
    Parent,
    /// It separates by `\`.
    #[error("contains a backslash; folders are separated by `/`")]
    Backslash,
    /// It contains what no name should.
    #[error("contains a control character")]
    Control,
    /// It is a folder.
    #[error("names a folder; expected a file")]
    Folder,
    /// A part is longer than file systems allow.
    #[error("has a part of more than {MAX_PART} bytes")]
    LongPart,
    /// It has too many folders.
    #[error("has more than {MAX_PARTS} parts")]
    Deep,
}

/// The relative path `text`, without parts that say nothing (`./a//b` is `a/b`).
///
/// # Errors
/// What a path in a scratch directory cannot be.
pub fn inside(text: &str) -> Result<String, PathProblem> {
    check_characters(text)?;
    if text.contains('\\') {
        return Err(PathProblem::Backslash);
    }
    if text.starts_with('/') {
        return Err(PathProblem::Absolute);
    }
    let parts: Vec<&str> = text.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    if parts.contains(&"..") {
        return Err(PathProblem::Parent);
    }
    if parts.is_empty() || text.ends_with('/') || text.ends_with("/.") {
        return Err(PathProblem::Folder);
    }
    if parts.iter().any(|part| part.len() > MAX_PART) {
        return Err(PathProblem::LongPart);
    }
    if parts.len() > MAX_PARTS {
        return Err(PathProblem::Deep);
    }
    Ok(parts.join("/"))
}

/// The path `text` of a file on the buyer's machine, which may be anywhere.
pub(super) fn local(text: &str) -> Result<String, PathProblem> {
    check_characters(text)?;
    match last_part(text) {
        "" | "." | ".." => Err(PathProblem::Folder),
        _ => Ok(text.to_owned()),
    }
}

/// What stands behind the last `/`.
pub(super) fn last_part(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn check_characters(text: &str) -> Result<(), PathProblem> {
    if text.is_empty() {
        return Err(PathProblem::Empty);
    }
    if text.contains(char::is_control) { Err(PathProblem::Control) } else { Ok(()) }
}

/// Files in one directory, each with its owner.
pub(super) struct Files<T> {
    owners: BTreeMap<String, T>,
}

/// Why a file cannot be added.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Clash<T> {
    /// The file that is, or would need, a folder of the other; `None` where both are the same.
    pub(super) other: Option<String>,
    /// The owner of the file that is already there.
    pub(super) owner: T,
}

impl<T> Default for Files<T> {
    fn default() -> Self {
        Self { owners: BTreeMap::new() }
    }
}

impl<T: Clone> Files<T> {
    /// Adds the file `path`, which is one that [`inside`] made.
    pub(super) fn add(&mut self, path: &str, owner: T) -> Result<(), Clash<T>> {
        if let Some(owner) = self.owners.get(path) {
            return Err(Clash { other: None, owner: owner.clone() });
        }
        let folders = path.match_indices('/').filter_map(|(end, _)| path.get(..end));
        let above = folders.filter_map(|folder| self.owners.get_key_value(folder)).next();
        if let Some((other, owner)) = above.or_else(|| self.below(path)) {
            return Err(Clash { other: Some(other.clone()), owner: owner.clone() });
        }
        self.owners.insert(path.to_owned(), owner);
        Ok(())
    }

    /// The first file that has `path` as a folder.
    fn below(&self, path: &str) -> Option<(&String, &T)> {
        let folder = format!("{path}/");
        let mut after = self.owners.range::<str, _>((Bound::Excluded(folder.as_str()), Bound::Unbounded));
        after.next().filter(|(other, _)| other.starts_with(&folder))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_stay_inside_are_put_in_order() {
        for (text, expected) in [
            ("a", "a"),
            ("./a//b/./c.txt", "a/b/c.txt"),
            ("..a/b..", "..a/b.."),
            ("...", "..."),
            ("ä b", "ä b"),
            ("C:x", "C:x"),
        ] {
            assert_eq!(inside(text), Ok(expected.to_owned()), "{text}");
        }
    }

    #[test]
    fn paths_that_do_not_are_refused() {
        use PathProblem::*;
        let (deep, long) = ("a/".repeat(32) + "a", "a".repeat(256));
        for (text, expected) in [
            ("", Empty),
            ("/", Absolute),
            ("/etc/passwd", Absolute),
            ("..", Parent),
            ("a/../b", Parent),
            ("a/..", Parent),
            ("a\\b", Backslash),
            ("a\0b", Control),
            ("a\nb", Control),
            (".", Folder),
            ("a/", Folder),
            ("a/.", Folder),
            (&deep, Deep),
            (&long, LongPart),
        ] {
            assert_eq!(inside(text), Err(expected), "{text:?}");
        }
    }

    #[test]
    fn local_paths_may_be_anywhere_but_name_a_file() {
        use PathProblem::*;
        for text in ["job.exe", "/usr/bin/povray", "../x", "a\\b", "~/x"] {
            assert_eq!(local(text), Ok(text.to_owned()));
        }
        for (text, expected) in
            [("", Empty), ("/", Folder), ("a/", Folder), ("a/..", Folder), ("a\0", Control)]
        {
            assert_eq!(local(text), Err(expected), "{text:?}");
        }
    }

    #[test]
    fn files_collide_with_themselves_and_with_their_folders() {
        let mut files = Files::default();
        let clash = |other: Option<&str>, owner| Err(Clash { other: other.map(str::to_owned), owner });
        for (path, owner, expected) in [
            ("a", 1, Ok(())),
            ("a", 2, clash(None, 1)),
            ("a/b", 3, clash(Some("a"), 1)),
            ("a-b", 4, Ok(())),
            ("d/e/f", 5, Ok(())),
            ("d", 6, clash(Some("d/e/f"), 5)),
            ("d/e", 7, clash(Some("d/e/f"), 5)),
            ("d/e/g", 8, Ok(())),
            ("d/e/f/h/i", 9, clash(Some("d/e/f"), 5)),
            ("d0", 10, Ok(())),
        ] {
            assert_eq!(files.add(path, owner), expected, "{path}");
        }
    }
}
