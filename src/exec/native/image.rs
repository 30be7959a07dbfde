//! Images of containers as directories: unpacked once on each seller and then shared, because nobody can write to them.
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
use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Most images kept unpacked that no program runs in.
const MAX_IMAGES: usize = 4;

/// An unpacked image, or why it cannot be one.
type Unpacked = Arc<OnceLock<Result<Image, String>>>;

/// The directory of an image; it vanishes when nobody has it any more.
#[derive(Clone, Debug)]
pub(super) struct Image {
    root: Arc<Scratch>,
}

impl Image {
    /// Its root directory.
    pub(super) fn path(&self) -> &Path {
        self.root.path()
    }
}

/// The unpacked images, by the hash of their archive.
#[derive(Debug, Default)]
pub(super) struct Images {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    by_hash: BTreeMap<Hash, (u64, Unpacked)>,
    /// Counts the uses.
    uses: u64,
}

impl Images {
    /// The image in `archive`, unpacked below `base` if it is not yet.
    pub(super) fn unpacked(&self, base: &Path, archive: &Path, hash: Hash) -> Result<Image, Outcome> {
        let slot = self.kept.lock().unwrap_or_else(PoisonError::into_inner).take(hash);
        // Who comes meanwhile for the same image waits; others do not.
        slot.get_or_init(|| unpack(base, archive, hash)).clone().map_err(Outcome::NotRunnable)
    }
}

impl Kept {
    /// The slot of that hash, now the one used last. Makes room by the one that was not used for longest.
    fn take(&mut self, hash: Hash) -> Unpacked {
        self.uses += 1;
        if !self.by_hash.contains_key(&hash) {
            let is_free = |slot: &Unpacked| match slot.get() {
                Some(Ok(image)) => Arc::strong_count(&image.root) == 1,
                Some(Err(_)) => true,
                None => false,
            };
            let free = self.by_hash.iter().filter(|(_, (_, slot))| is_free(slot));
            let oldest = free.min_by_key(|(_, (last, _))| *last).map(|(hash, _)| *hash);
            if let Some(oldest) = oldest.filter(|_| self.by_hash.len() >= MAX_IMAGES) {
                self.by_hash.remove(&oldest);
            }
        }
        let (last, slot) = self.by_hash.entry(hash).or_default();
        *last = self.uses;
        Arc::clone(slot)
    }
}

fn unpack(base: &Path, archive: &Path, hash: Hash) -> Result<Image, String> {
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
    Ok(Image { root: Arc::new(root) })
}
