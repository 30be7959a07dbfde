//! Writes the results of sub-tasks where their file says: each file whole or not at all.

use crate::net::store::{Pins, Store};
use proto::Hash;
use proto::message::service::{Blob, NamedBlob};
use serde::{Deserialize, Serialize};
use service::End;
use service::task::SubTask;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where the files of one sub-task go, relative to the results directory.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Destinations {
    outputs: Vec<(String, String)>,
    stdout: Option<String>,
    stderr: Option<String>,
}

/// Results that are to be written; what is needed for it stays in the store. Takes long for large files.
pub(crate) struct Write {
    task: u64,
    directory: PathBuf,
    ends: Vec<(u32, End)>,
    destinations: Arc<Vec<Destinations>>,
    store: Arc<Store>,
    _pins: Pins,
    /// Whether the user asked for them once more.
    is_again: bool,
}

/// What became of it.
pub(crate) struct Written {
    pub(super) task: u64,
    /// The files of each sub-task, by its index.
    pub(super) files: Vec<(usize, Vec<String>)>,
    pub(super) problems: Vec<String>,
    pub(super) is_again: bool,
}

impl Written {
    /// The task it belongs to.
    pub(crate) const fn task(&self) -> u64 {
        self.task
    }
}

impl Write {
    pub(super) fn new(
        task: u64,
        directory: PathBuf,
        ends: Vec<(u32, End)>,
        destinations: Arc<Vec<Destinations>>,
        store: &Arc<Store>,
    ) -> Self {
        let outputs = ends.iter().flat_map(|(_, end)| end.outputs.iter().map(|output| output.blob));
        let streams = ends.iter().flat_map(|(_, end)| end.stdout.into_iter().chain(end.stderr));
        let pins = Pins::new(store, outputs.chain(streams).map(|blob| blob.hash));
        Self { task, directory, ends, destinations, store: Arc::clone(store), _pins: pins, is_again: false }
    }

    /// The same, because the user asks for it once more.
    pub(super) fn again(self) -> Self {
        Self { is_again: true, ..self }
    }

    /// Writes all of it.
    pub(crate) fn run(self) -> Written {
        let (mut files, mut problems) = (Vec::new(), Vec::new());
        for (index, end) in &self.ends {
            let index = usize::try_from(*index).unwrap_or(usize::MAX);
            let Some(destinations) = self.destinations.get(index) else { continue };
            let (written, failed) = destinations.write(end, &self.directory, &self.store);
            files.push((index, written));
            problems.extend(failed);
        }
        Written { task: self.task, files, problems, is_again: self.is_again }
    }
}

impl Destinations {
    pub(super) fn of(sub_task: &SubTask) -> Self {
        let outputs = sub_task.outputs.iter();
        Self {
            outputs: outputs.map(|output| (output.name.clone(), output.destination.clone())).collect(),
            stdout: sub_task.stdout.clone(),
            stderr: sub_task.stderr.clone(),
        }
    }

    /// Whether anything is to be written for `end`.
    pub(super) fn has_content(&self, end: &End) -> bool {
        !self.contents(end).is_empty()
    }

    /// Writes what `end` brought into `directory`; returns the files written and what could not be.
    fn write(&self, end: &End, directory: &Path, store: &Store) -> (Vec<String>, Vec<String>) {
        let (mut files, mut problems) = (Vec::new(), Vec::new());
        for (destination, content) in self.contents(end) {
            let path = directory.join(&destination);
            match write_whole(&path, content, store) {
                Ok(()) => files.push(destination),
                // It was written before, in a former run perhaps.
                Err(error) if error.kind() == io::ErrorKind::NotFound && is_there(&path, content) => {
                    files.push(destination);
                }
                Err(error) => problems.push(format!("{} could not be written: {error}", path.display())),
            }
        }
        (files, problems)
    }

    /// Every file with its content. A declared stream that stayed empty is an empty file.
    fn contents(&self, end: &End) -> Vec<(String, Option<Blob>)> {
        let is_complete = end.verdict == service::event::Verdict::Succeeded;
        let content = |name: &str| end.outputs.iter().find(|output: &&NamedBlob| output.name == name);
        let outputs = self.outputs.iter().filter_map(|(name, destination)| {
            content(name).map(|output| (destination.clone(), Some(output.blob)))
        });
        let stream = |destination: &Option<String>, blob: Option<Blob>| {
            destination
                .clone()
                .filter(|_| is_complete || blob.is_some())
                .map(|destination| (destination, blob))
        };
        outputs.chain(stream(&self.stdout, end.stdout)).chain(stream(&self.stderr, end.stderr)).collect()
    }
}

/// Whether a file of this size is there.
fn is_there(path: &Path, content: Option<Blob>) -> bool {
    let size = content.map_or(0, |blob| blob.size.0);
    std::fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() == size)
}

/// Writes a content beside its destination and renames it, so that no reader sees half of it.
fn write_whole(path: &Path, content: Option<Blob>, store: &Store) -> io::Result<()> {
    let directory = path.parent().unwrap_or_else(|| Path::new("."));
    std::fs::create_dir_all(directory)?;
    let mut part = tempfile::NamedTempFile::new_in(directory)?;
    if let Some(blob) = content {
        let mut source = File::open(path_in(store, &blob.hash)?)?;
        io::copy(&mut source, part.as_file_mut())?;
    }
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    part.as_file().set_permissions(permissions)?;
    part.persist(path).map_err(|error| error.error)?;
    Ok(())
}

fn path_in(store: &Store, hash: &Hash) -> io::Result<PathBuf> {
    let gone = || io::Error::new(io::ErrorKind::NotFound, "its content is not in the node's store any more");
    store.path(hash).ok_or_else(gone)
}
