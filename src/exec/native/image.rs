//! Images of containers as directories: unpacked once on each seller and then shared ([`super::prepared`]).
//!
//! An image is an archive (tar, also compressed by gzip or zstd) of a root file system, of an OCI layout, or as
//! `docker save` writes it. It came by its hash, so that what is in it was named by the buyer; it is nevertheless a
//! stranger's archive, and nothing of it may land outside its directory.

mod layers;
mod mounts;
mod unpack;

use super::super::scratch::Scratch;
use proto::Hash;
use proto::message::service::Outcome;
use std::fs::File;
use std::path::Path;

/// The directory of the image in `archive`, below `base`.
///
/// # Errors
/// Why it cannot be one, as the verdict on the execution.
pub(super) fn unpacked(base: &Path, archive: &Path, hash: Hash) -> Result<Scratch, Outcome> {
    unpack(base, archive, hash).map_err(Outcome::NotRunnable)
}

fn unpack(base: &Path, archive: &Path, hash: Hash) -> Result<Scratch, String> {
    let words = |error: std::io::Error| format!("the image cannot be unpacked: {error}");
    let mut hasher = blake3::Hasher::new();
    let file = File::open(archive).map_err(words)?;
    hasher.update_reader(file).map_err(words)?;
    if Hash(*hasher.finalize().as_bytes()) != hash {
        return Err("the image does not have the hash it was named by".into());
    }
    let outer = Scratch::new(base).map_err(words)?;
    let mut room = unpack::Room::default();
    unpack::archive(
        File::open(archive).map_err(words)?,
        outer.path(),
        &mut room,
        unpack::Whiteouts::AreFiles,
    )
    .map_err(words)?;
    let root = match layers::of(outer.path())? {
        None => outer,
        Some(layers) => {
            let root = Scratch::new(base).map_err(words)?;
            for layer in layers {
                let layer = File::open(layer).map_err(words)?;
                unpack::archive(layer, root.path(), &mut room, unpack::Whiteouts::Remove).map_err(words)?;
            }
            root
        }
    };
    mounts::make(root.path()).map_err(words)?;
    Ok(root)
}
