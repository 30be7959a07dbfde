//! Reading a file that the user wrote.

use super::{Stop, exit};
use crate::control::Failure;
use crate::output::Place;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

/// What is read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kind {
    /// The word for an invalid one.
    pub(super) word: &'static str,
    /// What it is called.
    pub(super) name: &'static str,
    /// How many bytes it may have.
    pub(super) most: usize,
    /// What to do about one that is too large; may be empty.
    pub(super) advice: &'static str,
}

/// The text of the file `path`, unless it is too large to be one of its kind: then it is not read.
pub(super) fn read(path: &Path, kind: Kind) -> Result<String, Stop> {
    let no_file = |error: std::io::Error| Failure::no_file(path, &error);
    let file = File::open(path).map_err(no_file)?;
    let metadata = file.metadata().map_err(no_file)?;
    if metadata.is_dir() {
        return Err(Failure::no_file(path, &"it is a directory").into());
    }
    let most = u64::try_from(kind.most).unwrap_or(u64::MAX);
    if metadata.len() > most {
        return Err(too_large(path, kind, &format!("has {} bytes", metadata.len())).into());
    }
    // What is no regular file has no size beforehand, and a regular file may grow meanwhile.
    let mut bytes = Vec::new();
    file.take(most.saturating_add(1)).read_to_end(&mut bytes).map_err(no_file)?;
    if bytes.len() > kind.most {
        return Err(too_large(path, kind, "goes on").into());
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let before = String::from_utf8_lossy(error.as_bytes().get(..valid).unwrap_or_default());
        let message = "this is not UTF-8 text; save the file in the encoding UTF-8";
        let place = Place::new(&path.display().to_string(), position(&before, before.len()), &message);
        Stop::Faults(kind.word, vec![place])
    })
}

/// Line and column of the byte `at` of `text`, from 1.
pub(super) fn position(text: &str, at: usize) -> (u32, u32) {
    let before = text.get(..at).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    (number(line), number(column))
}

fn too_large(path: &Path, kind: Kind, what: &str) -> Failure {
    let Kind { word, name, most, advice } = kind;
    let message = format!("{}: the file {what}: a {name} has at most {most} bytes", path.display());
    Failure::new(word, message, exit::USAGE).hint(advice)
}
