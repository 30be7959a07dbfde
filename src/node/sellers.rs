//! What this node has seen of sellers, over all its runs: one small file that is replaced whenever something changed.

use super::record::rfc3339;
use crate::control::SellerView;
use proto::{PublicKey, Time};
use serde::{Deserialize, Serialize};
use service::{ENOUGH, Experience, Node};
use std::io::Write as _;
use std::path::PathBuf;

/// The most sellers that are read from the file; the node keeps no more.
const MAX_LINES: usize = 4_096;

/// A seller in the file.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Kept {
    seller: String,
    agreed: u32,
    in_row: u32,
    wrong: u32,
    failed: u32,
    late: u32,
    /// Microseconds since the Unix epoch.
    changed: u64,
}

/// The file, and what of it is written.
pub(crate) struct SellersFile {
    path: PathBuf,
    saved: u64,
}

impl SellersFile {
    pub(crate) const fn new(path: PathBuf) -> Self {
        Self { path, saved: 0 }
    }

    /// What former runs have left. A file that cannot be read counts as none; times that are yet to come count as `now`.
    pub(crate) fn read(&self, now: Time) -> Vec<(PublicKey, Experience)> {
        let Ok(text) = std::fs::read_to_string(&self.path) else { return Vec::new() };
        let kept: Vec<Kept> = match serde_json::from_str(&text) {
            Ok(kept) => kept,
            Err(error) => {
                tracing::warn!(%error, path = %self.path.display(), "the record of sellers cannot be read");
                return Vec::new();
            }
        };
        let record = |kept: Kept| {
            let Kept { seller, agreed, in_row, wrong, failed, late, changed } = kept;
            let changed = Time(changed).min(now);
            Some((PublicKey::from_hex(&seller)?, Experience { agreed, in_row, wrong, failed, late, changed }))
        };
        kept.into_iter().take(MAX_LINES).filter_map(record).collect()
    }

    /// Writes what was seen since the last time.
    pub(crate) fn save(&mut self, node: &Node) {
        let version = node.experience_version();
        if version == self.saved {
            return;
        }
        match self.write(node) {
            Ok(()) => self.saved = version,
            Err(error) => tracing::warn!(%error, "the record of sellers could not be written"),
        }
    }

    fn write(&self, node: &Node) -> std::io::Result<()> {
        let kept = |(seller, seen): (PublicKey, Experience)| {
            let Experience { agreed, in_row, wrong, failed, late, changed } = seen;
            Kept { seller: seller.to_hex(), agreed, in_row, wrong, failed, late, changed: changed.0 }
        };
        let kept: Vec<Kept> = node.experience().map(kept).collect();
        let text = serde_json::to_string(&kept).map_err(std::io::Error::other)?;
        let directory = self.path.parent().unwrap_or(std::path::Path::new("."));
        let mut part = tempfile::NamedTempFile::new_in(directory)?;
        part.write_all(text.as_bytes())?;
        part.persist(&self.path).map_err(|error| error.error)?;
        Ok(())
    }
}

/// A seller as commands show it.
pub(crate) fn seller_view(seller: PublicKey, seen: Experience) -> SellerView {
    let Experience { agreed, in_row, wrong, failed, late, changed } = seen;
    let word = if in_row < ENOUGH {
        format!("put to the vote: {in_row} of {ENOUGH} right results in a row")
    } else {
        format!("believed alone where a task allows it, and checked in {ENOUGH} of {in_row} cases")
    };
    SellerView {
        seller: seller.to_hex(),
        agreed,
        in_row,
        wrong,
        failed,
        late,
        changed: rfc3339(changed),
        word,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_cannot_be_read_counts_as_none_and_times_to_come_as_now() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("sellers.json");
        let file = SellersFile::new(path.clone());
        assert_eq!(file.read(Time(5)), []);
        std::fs::write(&path, "{").unwrap();
        assert_eq!(file.read(Time(5)), []);
        let key = proto::KeyPair::from_secret([1; 32]).public();
        let line = |seller: &str| {
            format!(
                r#"{{"seller":"{seller}","agreed":3,"in_row":2,"wrong":1,"failed":0,"late":0,"changed":9}}"#
            )
        };
        std::fs::write(&path, format!("[{},{}]", line(&key.to_hex()), line("x"))).unwrap();
        let seen = Experience { agreed: 3, in_row: 2, wrong: 1, failed: 0, late: 0, changed: Time(5) };
        assert_eq!(file.read(Time(5)), [(key, seen)]);
    }
}
