//! From the file that an element of a task names to a content in the store (P12): a file of this machine, or a public one
//! of the network by its name or code id, as `sha256` pins it.

use crate::control::Failure;
use crate::net::store::{Pins, Store};
use crate::node::digest;
use crate::node::finder::{Finder, Sought};
use proto::message::service::Blob;
use service::task::{LocalFile, Search, SubTask};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// What is said of one file in all places that name it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Named {
    /// SHA-256 digests that it must have.
    pins: Vec<[u8; 32]>,
    /// It may come from the network.
    is_searched: bool,
}

/// Brings programs and inputs into the store, each file once.
///
/// # Errors
/// A file that is not here and cannot be had, or is other than pinned.
pub(super) async fn import(
    sub_tasks: &[SubTask],
    base: &Path,
    store: &Arc<Store>,
    finder: &Finder,
    pins: &mut Pins,
) -> Result<BTreeMap<String, Blob>, Failure> {
    let mut blobs = BTreeMap::new();
    for (path, named) in all(sub_tasks) {
        let blob = content(&path, &named, base, store, finder).await?;
        pins.add(blob.hash);
        blobs.insert(path, blob);
    }
    Ok(blobs)
}

/// The files of all sub-tasks, by their paths.
fn all(sub_tasks: &[SubTask]) -> BTreeMap<String, Named> {
    let mut all: BTreeMap<String, Named> = BTreeMap::new();
    for sub_task in sub_tasks {
        let files = std::iter::once(&sub_task.program).chain(&sub_task.inputs);
        for LocalFile { path, sha256, search, .. } in files.chain(sub_task.redundancy.files()) {
            let named = all.entry(path.clone()).or_default();
            named.is_searched |= *search == Search::Network;
            named.pins.extend(sha256.filter(|pin| !named.pins.contains(pin)));
        }
        if let Some(path) = &sub_task.stdin {
            all.entry(path.clone()).or_default();
        }
    }
    all
}

async fn content(
    path: &str,
    named: &Named,
    base: &Path,
    store: &Arc<Store>,
    finder: &Finder,
) -> Result<Blob, Failure> {
    let full = base.join(path);
    let sought = Sought::read(path, finder.me()).ok().filter(|_| named.is_searched && !full.exists());
    // A bare name is most likely a file that is missing: only what says who has published it, or what it must hash to, is
    // looked for elsewhere.
    let is_elsewhere = |sought: &Sought| match sought {
        Sought::Content(_) => true,
        Sought::Named { .. } => path.contains('@') || !named.pins.is_empty(),
    };
    if let Some(sought) = sought.filter(is_elsewhere) {
        let found = finder.get(sought, named.pins.first().copied(), &[]).await?;
        tracing::info!(path, hash = %found.blob.hash, "a file of a task was found in the network");
        check(store, &found.blob, named).await?;
        return Ok(found.blob);
    }
    let blob = store.put_file(full.clone()).await.map_err(|error| Failure::no_file(&full, &error))?;
    check(store, &blob, named).await?;
    Ok(blob)
}

/// Checks what is in the store, which does not change any more, against every pin.
async fn check(store: &Store, blob: &Blob, named: &Named) -> Result<(), Failure> {
    for pin in &named.pins {
        let path = store.path(&blob.hash);
        let path = path.ok_or_else(|| Failure::new("not_fetched", "a file has left the store again", 4))?;
        digest::check(&path, *pin).await?;
    }
    Ok(())
}
