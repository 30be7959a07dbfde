//! What is made of a content before programs run: the directory of an image, a file that may be executed. Made once on each
//! seller and then shared, since behind the walls nobody can write to it.

use super::kind;
use crate::exec::Execution;
use crate::exec::scratch::Scratch;
use proto::Hash;
use proto::message::service::Outcome;
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Most that are kept of a kind and that no program uses.
const MAX_KEPT: usize = 4;

/// A directory, or why there is none.
type Slot = Arc<OnceLock<Result<Arc<Scratch>, Outcome>>>;

/// Directories by the hash of the content that they were made of. One vanishes when nobody has it any more.
#[derive(Debug, Default)]
pub(super) struct Prepared {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    by_hash: BTreeMap<Hash, (u64, Slot)>,
    /// Counts the uses.
    uses: u64,
}

impl Prepared {
    /// What is made of the content with `hash`: by `make` if it is not there yet. What fails is not kept.
    ///
    /// # Errors
    /// Those of `make`.
    pub(super) fn of(
        &self,
        hash: Hash,
        make: impl FnOnce() -> Result<Scratch, Outcome>,
    ) -> Result<Arc<Scratch>, Outcome> {
        let kept = || self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = kept().take(hash);
        // Who comes meanwhile for the same waits; others do not.
        let made = slot.get_or_init(|| make().map(Arc::new)).clone();
        if made.is_err() {
            kept().by_hash.retain(|_, (_, other)| !Arc::ptr_eq(other, &slot));
        }
        made
    }
}

impl Kept {
    /// The slot of that hash, now the one used last. Makes room by the one that was not used for longest.
    fn take(&mut self, hash: Hash) -> Slot {
        self.uses += 1;
        // Somebody may have tidied the directory for temporary files.
        let is_gone = |slot: &Slot| matches!(slot.get(), Some(Ok(made)) if !made.path().is_dir());
        if self.by_hash.get(&hash).is_some_and(|(_, slot)| is_gone(slot)) {
            self.by_hash.remove(&hash);
        }
        if !self.by_hash.contains_key(&hash) {
            let is_free = |slot: &Slot| match slot.get() {
                Some(Ok(made)) => Arc::strong_count(made) == 1,
                Some(Err(_)) => true,
                None => false,
            };
            let free = self.by_hash.iter().filter(|(_, (_, slot))| is_free(slot));
            let oldest = free.min_by_key(|(_, (last, _))| *last).map(|(hash, _)| *hash);
            if let Some(oldest) = oldest.filter(|_| self.by_hash.len() >= MAX_KEPT) {
                self.by_hash.remove(&oldest);
            }
        }
        let (last, slot) = self.by_hash.entry(hash).or_default();
        *last = self.uses;
        Arc::clone(slot)
    }
}

/// Puts the program where it may be executed, if it is one and has the hash it was named by.
///
/// # Errors
/// The verdict on the execution.
pub(super) fn place(execution: &Execution, target: &Path) -> Result<(), Outcome> {
    let abandoned = |error: io::Error| Outcome::Abandoned(format!("its program cannot be read: {error}"));
    let mut from = File::open(&execution.program).map_err(abandoned)?;
    let mut to =
        OpenOptions::new().write(true).create_new(true).mode(0o755).open(target).map_err(abandoned)?;
    let mut hasher = blake3::Hasher::new();
    let (mut head, mut chunk) = (Vec::new(), vec![0; 1 << 16]);
    loop {
        let read = from.read(&mut chunk).map_err(abandoned)?;
        let Some(bytes) = chunk.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
        head.extend(bytes.iter().take(kind::HEAD.saturating_sub(head.len())));
        hasher.update(bytes);
        to.write_all(bytes).map_err(abandoned)?;
    }
    if Hash(*hasher.finalize().as_bytes()) != execution.program_hash {
        return Err(Outcome::NotFetched("the program does not have the hash it was named by".into()));
    }
    kind::require_native(&head).map_err(Outcome::NotRunnable)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    #[test]
    fn what_is_in_use_or_was_used_last_is_kept_and_made_once() {
        let base = tempfile::tempdir().unwrap();
        let prepared = Prepared::default();
        let get = |n: u8| {
            let mut was_made = false;
            let make = || {
                was_made = true;
                Ok(Scratch::new(base.path()).unwrap())
            };
            let made = prepared.of(Hash([n; 32]), make).unwrap();
            (made, was_made)
        };
        let path = |made: &Arc<Scratch>| PathBuf::from(made.path());
        let (first, was_made) = get(1);
        assert!(was_made);
        for n in 2..=4 {
            assert!(get(n).1);
        }
        assert!(!get(2).1);
        // The third was not used for longest; the first is in use.
        assert!(get(5).1 && !get(1).1 && !get(2).1 && !get(4).1 && get(3).1);
        let second = path(&get(2).0);
        std::fs::remove_dir(&second).unwrap();
        let (again, was_made) = get(2);
        assert!(was_made && path(&again) != second && path(&first).is_dir());
        let failed = || prepared.of(Hash([9; 32]), || Err(Outcome::Cancelled)).map(|_| ());
        assert_eq!((failed(), failed()), (Err(Outcome::Cancelled), Err(Outcome::Cancelled)));
        assert!(get(9).1);
    }
}
