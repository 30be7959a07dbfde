//! What is in the store: sizes, ages and pins, and what has to go when room is needed.
//!
//! Files are moved in and removed while the shelf is locked, so that its picture and the directory agree.

use super::{StoreError, discard, full_name, io_error};
use proto::id::unhex;
use proto::message::service::Blob;
use proto::{Hash, PublicKey};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// To how many one content that is kept back can be shown.
const MAX_SHOWN: usize = 1_024;
/// The mode of a file that is shown to everybody, of one that is shown under its owner's pass, and of one that is kept back.
const OPEN: u32 = 0o444;
const PASSED: u32 = 0o440;
const KEPT_BACK: u32 = 0o400;

/// Who is sent a content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Whoever names its hash.
    Everybody,
    /// The owners of the content, and whoever has the pass of one of them.
    Passed(BTreeSet<PublicKey>),
    /// These.
    Only(BTreeSet<PublicKey>),
}

impl Access {
    pub(super) const fn nobody() -> Self {
        Self::Only(BTreeSet::new())
    }

    const fn mode(&self) -> u32 {
        match self {
            Self::Everybody => OPEN,
            Self::Passed(_) => PASSED,
            Self::Only(_) => KEPT_BACK,
        }
    }

    fn of_mode(mode: u32) -> Self {
        match mode & 0o777 {
            KEPT_BACK => Self::nobody(),
            PASSED => Self::Passed(BTreeSet::new()),
            _ => Self::Everybody,
        }
    }
}

/// The picture of the directory.
#[derive(Debug)]
pub(super) struct Shelf {
    directory: PathBuf,
    pub(super) quota: u64,
    used: u64,
    /// Grows with every use; the smallest is the longest unused.
    ticks: u64,
    objects: BTreeMap<Hash, Object>,
    by_age: BTreeMap<u64, Hash>,
    partials: BTreeMap<Hash, Partial>,
    pins: BTreeMap<Hash, u32>,
}

#[derive(Debug)]
struct Object {
    size: u64,
    tick: u64,
    access: Access,
}

#[derive(Debug)]
struct Partial {
    size: u64,
    is_open: bool,
}

impl Shelf {
    pub(super) fn new(directory: &Path, quota: u64) -> Self {
        let (used, ticks) = (0, 0);
        let (objects, by_age) = (BTreeMap::new(), BTreeMap::new());
        let (partials, pins) = (BTreeMap::new(), BTreeMap::new());
        Self { directory: directory.into(), quota, used, ticks, objects, by_age, partials, pins }
    }

    /// Takes up what an earlier process has left; the age of an object is its file's.
    pub(super) fn scan(&mut self) -> io::Result<()> {
        let mut found = Vec::new();
        for shelf in fs::read_dir(self.directory.join("objects"))? {
            let shelf = shelf?;
            if !shelf.file_type()?.is_dir() {
                continue;
            }
            for entry in fs::read_dir(shelf.path())? {
                let entry = entry?;
                let name =
                    [shelf.file_name(), entry.file_name()].map(|part| part.to_string_lossy().into_owned());
                if let Some(hash) = unhex(&name.concat()) {
                    let metadata = entry.metadata()?;
                    let age = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
                    found.push((age, Hash(hash), metadata.len(), metadata.permissions().mode()));
                }
            }
        }
        found.sort_unstable();
        for (_, hash, size, mode) in found {
            self.insert(hash, size, Access::of_mode(mode));
        }
        for entry in fs::read_dir(self.directory.join("partial"))? {
            let entry = entry?;
            if let Some(hash) = unhex(&entry.file_name().to_string_lossy()) {
                // A file with holes takes no more of the disk than what was written.
                let metadata = entry.metadata()?;
                let size = metadata.len().min(metadata.blocks().saturating_mul(512));
                self.used += size;
                self.partials.insert(Hash(hash), Partial { size, is_open: false });
            }
        }
        if self.make_room(0).is_err() {
            tracing::warn!(
                used = self.used,
                quota = self.quota,
                "the content store is larger than its quota"
            );
        }
        Ok(())
    }

    pub(super) const fn used(&self) -> u64 {
        self.used
    }

    pub(super) fn object_path(&self, hash: &Hash) -> PathBuf {
        let name = full_name(hash);
        let (head, tail) = name.split_at_checked(2).unwrap_or_default();
        self.directory.join("objects").join(head).join(tail)
    }

    pub(super) fn partial_path(&self, hash: &Hash) -> PathBuf {
        self.directory.join("partial").join(full_name(hash))
    }

    /// The size of an object, which is now the most recently used.
    pub(super) fn use_object(&mut self, hash: &Hash) -> Option<u64> {
        let object = self.objects.get_mut(hash)?;
        self.ticks += 1;
        self.by_age.remove(&object.tick);
        self.by_age.insert(self.ticks, *hash);
        object.tick = self.ticks;
        Some(object.size)
    }

    pub(super) fn count(&self) -> usize {
        self.objects.len()
    }

    pub(super) fn holds(&self, hash: &Hash) -> bool {
        self.objects.contains_key(hash)
    }

    pub(super) fn pin(&mut self, hash: Hash) {
        let pins = self.pins.entry(hash).or_default();
        *pins = pins.saturating_add(1);
    }

    pub(super) fn unpin(&mut self, hash: &Hash) {
        if let Some(pins) = self.pins.get_mut(hash) {
            *pins = pins.saturating_sub(1);
            if *pins == 0 {
                self.pins.remove(hash);
            }
        }
    }

    /// Drops an object from the picture, not from the directory.
    pub(super) fn forget(&mut self, hash: &Hash) {
        if let Some(object) = self.objects.remove(hash) {
            self.by_age.remove(&object.tick);
            self.used = self.used.saturating_sub(object.size);
        }
    }

    /// Whether a content of this size could ever be kept.
    pub(super) const fn check_size(&self, size: u64) -> Result<(), StoreError> {
        if size > self.quota {
            return Err(StoreError::Full { needed: size, used: self.used, quota: self.quota });
        }
        Ok(())
    }

    /// Whether whoever holds `key`, and a pass of `owner`, is shown an object.
    pub(super) fn is_shown(&self, hash: &Hash, key: PublicKey, owner: Option<PublicKey>) -> bool {
        self.objects.get(hash).is_some_and(|object| match &object.access {
            Access::Everybody => true,
            Access::Passed(owners) => {
                owners.contains(&key) || owner.is_some_and(|owner| owners.contains(&owner))
            }
            Access::Only(keys) => keys.contains(&key),
        })
    }

    /// Shows an object that is kept back to one more; the first of too many is forgotten.
    pub(super) fn show(&mut self, hash: &Hash, key: PublicKey) {
        if let Some(Object { access: Access::Only(keys) | Access::Passed(keys), .. }) =
            self.objects.get_mut(hash)
        {
            if keys.len() >= MAX_SHOWN && !keys.contains(&key) {
                keys.pop_first();
            }
            keys.insert(key);
        }
    }

    /// Moves a complete file to its place. What is here already and shown stays so; what was kept back and comes from
    /// somebody who may show it is kept back no more.
    pub(super) fn admit(&mut self, file: &Path, blob: Blob, access: Access) -> Result<(), StoreError> {
        if self.use_object(&blob.hash).is_some() {
            discard(file);
            return self.widen(&blob.hash, &access);
        }
        self.make_room(blob.size.0)?;
        self.place(file, blob, access)
    }

    /// Whether an object is shown to whoever names it.
    pub(super) fn is_open(&self, hash: &Hash) -> bool {
        self.objects.get(hash).is_some_and(|object| object.access == Access::Everybody)
    }

    /// An object that is here comes once more: who was to have it then may have it as well. What an execution has left
    /// is shown to nobody more because somebody names it.
    pub(super) fn widen(&mut self, hash: &Hash, access: &Access) -> Result<(), StoreError> {
        let is_passed = |object: &Object| matches!(object.access, Access::Passed(_));
        match access {
            Access::Everybody => self.open(hash)?,
            Access::Passed(owners) if self.objects.get(hash).is_some_and(is_passed) => {
                owners.iter().for_each(|owner| self.show(hash, *owner));
            }
            Access::Passed(_) | Access::Only(_) => {}
        }
        Ok(())
    }

    fn open(&mut self, hash: &Hash) -> Result<(), StoreError> {
        let path = self.object_path(hash);
        let Some(object) = self.objects.get_mut(hash) else { return Ok(()) };
        if object.access != Access::Everybody {
            object.access = Access::Everybody;
            fs::set_permissions(&path, Permissions::from_mode(OPEN)).map_err(io_error(&path))?;
        }
        Ok(())
    }

    /// Removes the longest unused until `needed` more bytes fit; nothing, if that would not be enough.
    fn make_room(&mut self, needed: u64) -> Result<(), StoreError> {
        let error = StoreError::Full { needed, used: self.used, quota: self.quota };
        let wanted = self.used.saturating_add(needed).saturating_sub(self.quota);
        let mut freed = 0_u64;
        let (mut partials, mut objects) = (Vec::new(), Vec::new());
        for (hash, partial) in self.partials.iter().filter(|(_, partial)| !partial.is_open) {
            if freed >= wanted {
                break;
            }
            freed += partial.size;
            partials.push(*hash);
        }
        for hash in self.by_age.values().filter(|hash| !self.pins.contains_key(hash)) {
            if freed >= wanted {
                break;
            }
            freed += self.objects.get(hash).map_or(0, |object| object.size);
            objects.push(*hash);
        }
        if freed < wanted {
            return Err(error);
        }
        for hash in partials {
            self.remove_partial(&hash);
        }
        for hash in objects {
            discard(&self.object_path(&hash));
            self.forget(&hash);
        }
        Ok(())
    }

    fn place(&mut self, file: &Path, blob: Blob, access: Access) -> Result<(), StoreError> {
        let path = self.object_path(&blob.hash);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(io_error(parent))?;
        }
        fs::set_permissions(file, Permissions::from_mode(access.mode())).map_err(io_error(file))?;
        fs::rename(file, &path).map_err(io_error(&path))?;
        self.insert(blob.hash, blob.size.0, access);
        Ok(())
    }

    fn insert(&mut self, hash: Hash, size: u64, access: Access) {
        self.ticks += 1;
        self.used += size;
        self.by_age.insert(self.ticks, hash);
        self.objects.insert(hash, Object { size, tick: self.ticks, access });
    }

    /// Claims the partial file of a content for one writer.
    pub(super) fn open_partial(&mut self, hash: Hash) -> Result<(), StoreError> {
        let partial = self.partials.entry(hash).or_insert(Partial { size: 0, is_open: false });
        if partial.is_open {
            return Err(StoreError::Busy { hash });
        }
        partial.is_open = true;
        Ok(())
    }

    /// The writer has gone; the file stays for the next one, unless there is nothing in it.
    pub(super) fn close_partial(&mut self, hash: &Hash) {
        if let Some(partial) = self.partials.get_mut(hash) {
            partial.is_open = false;
            if partial.size == 0 {
                self.remove_partial(hash);
            }
        }
    }

    /// Room for `more` bytes in a partial file.
    pub(super) fn grow_partial(&mut self, hash: &Hash, more: u64) -> Result<(), StoreError> {
        self.make_room(more)?;
        if let Some(partial) = self.partials.get_mut(hash) {
            partial.size += more;
            self.used += more;
        }
        Ok(())
    }

    /// What was really found in a partial file.
    pub(super) fn set_partial_size(&mut self, hash: &Hash, size: u64) {
        if let Some(partial) = self.partials.get_mut(hash) {
            self.used = self.used.saturating_sub(partial.size) + size;
            partial.size = size;
        }
    }

    /// Drops what a writer has written; its claim stays until it goes.
    pub(super) fn empty_partial(&mut self, hash: &Hash) {
        discard(&self.partial_path(hash));
        self.set_partial_size(hash, 0);
    }

    fn remove_partial(&mut self, hash: &Hash) {
        self.empty_partial(hash);
        self.partials.remove(hash);
    }

    /// A partial file is complete and becomes an object.
    pub(super) fn finish_partial(&mut self, blob: Blob, access: Access) -> Result<(), StoreError> {
        if self.use_object(&blob.hash).is_some() {
            self.empty_partial(&blob.hash);
            return self.widen(&blob.hash, &access);
        }
        let path = self.partial_path(&blob.hash);
        self.set_partial_size(&blob.hash, 0);
        self.place(&path, blob, access)
    }
}
