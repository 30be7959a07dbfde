//! Standard output and error of a program.

use super::control::Stop;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a program has printed, up to a limit. Whoever has a clone can look at it while the program runs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tap {
    kept: Arc<Mutex<Kept>>,
}

#[derive(Debug, Default)]
struct Kept {
    bytes: Vec<u8>,
    limit: u64,
}

impl Tap {
    /// Begins anew, with what was printed before a snapshot was taken.
    pub(super) fn begin(&self, bytes: Vec<u8>, limit: u64) {
        *self.kept() = Kept { bytes, limit };
    }

    /// Keeps more.
    ///
    /// # Errors
    /// If that is more than the limit: then it is filled up, and the program has to end.
    pub(super) fn print(&self, bytes: &[u8]) -> Result<(), Stop> {
        let mut kept = self.kept();
        let room = usize::try_from(kept.limit).unwrap_or(usize::MAX).saturating_sub(kept.bytes.len());
        kept.bytes.extend(bytes.iter().take(room));
        if bytes.len() > room { Err(Stop::Output) } else { Ok(()) }
    }

    /// What was printed from byte `from` on, at most `most` bytes.
    #[must_use]
    pub(crate) fn tail(&self, from: u64, most: usize) -> Vec<u8> {
        let kept = self.kept();
        let rest = usize::try_from(from).ok().and_then(|from| kept.bytes.get(from..));
        rest.unwrap_or_default().iter().take(most).copied().collect()
    }

    /// All that was printed; what is asked later begins with nothing.
    pub(super) fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.kept().bytes)
    }

    /// All that was printed, for a snapshot.
    pub(super) fn copy(&self) -> Vec<u8> {
        self.kept().bytes.clone()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_seen_from_any_byte_up_to_the_limit() {
        let tap = Tap::default();
        tap.begin(b"ab".to_vec(), 5);
        assert_eq!(tap.print(b"cd"), Ok(()));
        assert_eq!((tap.tail(1, 2), tap.tail(4, 9), tap.tail(5, 9)), (b"bc".to_vec(), vec![], vec![]));
        assert_eq!(tap.print(b"ef"), Err(Stop::Output));
        assert_eq!(tap.take(), b"abcde");
    }
}
