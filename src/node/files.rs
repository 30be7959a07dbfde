//! The public files of this node's owner: named, kept, told to the ring, and there again after a restart.

use super::finder::is_name;
use crate::control::{Failure, FileView};
use crate::net::Net;
use crate::net::store::{Pins, Store};
use proto::message::contents::Naming;
use proto::message::service::Blob;
use proto::{Bytes, Hash, KeyPair, Signed};
use serde::{Deserialize, Serialize};
use service::Input;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Files that one node publishes at most: each costs two lookups a renewal.
pub(crate) const MAX_FILES: usize = 256;
/// The file in the node's directory that names them.
const FILE: &str = "published.json";

/// What was published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    hash: String,
    size: u64,
    /// Seconds since 1970; grows with every content under this name.
    serial: u64,
    /// Whether the policy names it, and not its owner by hand.
    #[serde(default)]
    by_policy: bool,
}

pub(crate) struct Files {
    path: PathBuf,
    keys: KeyPair,
    store: Arc<Store>,
    net: Net,
    entries: BTreeMap<String, Entry>,
    pins: BTreeMap<String, Pins>,
    /// What the ring was told last.
    told: Vec<Blob>,
    has_news: bool,
}

impl Entry {
    fn blob(&self) -> Option<Blob> {
        Some(Blob { hash: Hash::from_hex(&self.hash)?, size: Bytes(self.size) })
    }
}

impl Files {
    /// Reads what former runs have published. What is in the store no more is left out.
    pub(crate) fn open(home: &Path, keys: KeyPair, store: Arc<Store>, net: Net) -> Self {
        let path = home.join(FILE);
        let read = std::fs::read_to_string(&path).ok();
        let read: Option<BTreeMap<String, Entry>> = read.and_then(|text| serde_json::from_str(&text).ok());
        let mut files = Self {
            path,
            keys,
            store,
            net,
            entries: BTreeMap::new(),
            pins: BTreeMap::new(),
            told: Vec::new(),
            has_news: false,
        };
        for (name, entry) in read.unwrap_or_default().into_iter().take(MAX_FILES) {
            match entry.blob().filter(|blob| files.store.has(&blob.hash)) {
                Some(blob) => files.take(name, entry, blob),
                None => tracing::warn!(name, "a published file is in the store no more: publish it again"),
            }
        }
        files
    }

    /// Whether a file may be published under this name now.
    ///
    /// # Errors
    /// No proper name, or too many files.
    pub(crate) fn check(&self, name: &str) -> Result<(), Failure> {
        if !is_name(name) {
            let message = format!("`{name}` is no name for a public file");
            let hint = "1 to 128 characters without spaces and @, and not a hash";
            return Err(Failure::new("malformed", message, 2).hint(hint));
        }
        if self.entries.len() >= MAX_FILES && !self.entries.contains_key(name) {
            let message = format!("this node publishes {MAX_FILES} files already");
            return Err(Failure::new("too_many", message, 7).hint("`compup2p file withdraw NAME` ends one"));
        }
        Ok(())
    }

    /// Publishes a content that is in the store.
    ///
    /// # Errors
    /// As [`Files::check`], or the disk.
    pub(crate) fn publish(&mut self, name: &str, blob: Blob, by_policy: bool) -> Result<FileView, Failure> {
        self.check(name)?;
        let (hash, size) = (blob.hash.to_hex(), blob.size.0);
        let known = self.entries.get(name);
        let serial = match known {
            Some(known) if known.hash == hash => known.serial,
            known => seconds_now().max(known.map_or(0, |known| known.serial + 1)),
        };
        let entry = Entry { hash, size, serial, by_policy };
        self.take(name.to_owned(), entry, blob);
        self.save()?;
        self.view(name).ok_or_else(|| Failure::no_public_file(name))
    }

    /// Publishes a name no more. Who has the content already goes on to have it.
    ///
    /// # Errors
    /// No such name, or the disk.
    pub(crate) fn withdraw(&mut self, name: &str) -> Result<FileView, Failure> {
        let view = self.view(name).ok_or_else(|| Failure::no_public_file(name))?;
        let entry = self.entries.remove(name);
        self.pins.remove(name);
        if let Some(blob) = entry.as_ref().and_then(Entry::blob)
            && !self.entries.values().any(|other| other.hash == view.hash)
        {
            self.net.unpublish(&blob.hash);
        }
        self.has_news = true;
        self.save()?;
        Ok(view)
    }

    /// Withdraws what a former policy named and this one does not.
    pub(crate) fn keep_only(&mut self, of_policy: &[String]) {
        let is_gone = |(name, entry): &(&String, &Entry)| entry.by_policy && !of_policy.contains(name);
        let gone: Vec<String> = self.entries.iter().filter(is_gone).map(|(name, _)| name.clone()).collect();
        for name in gone {
            if let Err(failure) = self.withdraw(&name) {
                tracing::warn!(name, "cannot withdraw a public file: {}", failure.message);
            }
        }
    }

    pub(crate) fn all(&self) -> Vec<FileView> {
        self.entries.keys().filter_map(|name| self.view(name)).collect()
    }

    /// What the ring is to be told, if that has changed: names, and all public contents that are here.
    pub(crate) fn news(&mut self) -> Option<Input> {
        let mut contents = self.net.public();
        contents.retain(|blob| self.store.holds(&blob.hash));
        if contents == self.told && !self.has_news {
            return None;
        }
        self.told.clone_from(&contents);
        self.has_news = false;
        let naming = |(name, entry): (&String, &Entry)| {
            let naming = Naming { name: name.clone(), content: entry.blob()?, serial: entry.serial };
            Some(Signed::new(naming, &self.keys))
        };
        let namings = self.entries.iter().filter_map(naming).collect();
        Some(Input::Advertise { contents, namings })
    }

    fn take(&mut self, name: String, entry: Entry, blob: Blob) {
        self.net.publish(blob);
        self.pins.insert(name.clone(), Pins::new(&self.store, [blob.hash]));
        self.entries.insert(name, entry);
        self.has_news = true;
    }

    fn view(&self, name: &str) -> Option<FileView> {
        let entry = self.entries.get(name)?;
        Some(FileView {
            name: Some(name.to_owned()),
            publisher: Some(self.keys.public().to_hex()),
            hash: entry.hash.clone(),
            size: entry.size,
            holders: vec![self.net.address().to_string()],
            path: None,
        })
    }

    fn save(&self) -> Result<(), Failure> {
        let failed = |error: std::io::Error| Failure::disk("write", &self.path, &error);
        let text = serde_json::to_vec_pretty(&self.entries).map_err(Failure::from_display("disk"))?;
        let place = self.path.parent().unwrap_or(Path::new("."));
        let mut draft = tempfile::NamedTempFile::new_in(place).map_err(failed)?;
        draft.write_all(&text).map_err(failed)?;
        draft.as_file().sync_data().map_err(failed)?;
        draft.persist(&self.path).map_err(|error| failed(error.error))?;
        Ok(())
    }
}

fn seconds_now() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |since| since.as_secs())
}
