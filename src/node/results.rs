//! Writes the results of a sub-task where its file says: each file whole or not at all.

use crate::net::store::Store;
use proto::Hash;
use proto::message::service::{Blob, NamedBlob};
use service::End;
use service::task::SubTask;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// Where the files of one sub-task go, relative to the results directory.
#[derive(Clone, Debug)]
pub(crate) struct Destinations {
    outputs: Vec<(String, String)>,
    stdout: Option<String>,
    stderr: Option<String>,
}

impl Destinations {
    pub(crate) fn of(sub_task: &SubTask) -> Self {
        let outputs = sub_task.outputs.iter();
        Self {
            outputs: outputs.map(|output| (output.name.clone(), output.destination.clone())).collect(),
            stdout: sub_task.stdout.clone(),
            stderr: sub_task.stderr.clone(),
        }
    }

    /// Writes what `end` brought into `directory`; returns the files written and what could not be.
    pub(crate) fn write(&self, end: &End, directory: &Path, store: &Store) -> (Vec<String>, Vec<String>) {
        let (mut files, mut problems) = (Vec::new(), Vec::new());
        for (destination, content) in self.contents(end) {
            let path = directory.join(&destination);
            match write_whole(&path, content, store) {
                Ok(()) => files.push(destination),
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
