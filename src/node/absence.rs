//! An announced absence: the node has left the network, its process waits and still hears its owner. A process that is
//! started again meanwhile stays away as well.

use super::control::Call;
use super::driver::Driver;
use super::governance;
use super::told::{Outside, Told};
use crate::control::{Departure, Reply, Request, Sharing, SharingView};
use jiff::Timestamp;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::path::Path;
use std::time::Duration;
use tokio::sync::mpsc;

/// How often the clock on the wall is looked at: it may be set, and machines sleep.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// The name of the file in a node's directory with the time (RFC 3339) until which it is away. There is none otherwise.
const FILE: &str = "away";
/// The longest such file in bytes.
const MAX_FILE: u64 = 64;

/// How an absence ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Absence {
    /// The node comes back.
    Over,
    /// The owner has the node leave for good: the process ends.
    Ends,
    /// The process is told to end, as by a signal.
    Stopped,
}

/// Writes an absence down.
///
/// # Errors
/// What the file system refuses.
pub(super) fn begin(home: &Path, until: Timestamp) -> io::Result<()> {
    let mut new = tempfile::NamedTempFile::new_in(home)?;
    write!(new, "{until}")?;
    new.as_file().sync_all()?;
    new.persist(home.join(FILE))?;
    Ok(())
}

/// The absence is over: nothing is written down.
pub(super) fn end(home: &Path) {
    match std::fs::remove_file(home.join(FILE)) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            tracing::warn!(%error, "an absence that is over could not be removed from the disk");
        }
        _ => {}
    }
}

/// Until when the node in `home` is away, by what a former process has written down; none if that is over.
///
/// # Errors
/// If it cannot be read: an owner who has announced an absence must not find the node at work.
pub(super) fn announced(home: &Path, now: Timestamp) -> io::Result<Option<Timestamp>> {
    let file = home.join(FILE);
    let mut text = String::new();
    match std::fs::File::open(&file) {
        Ok(opened) => opened.take(MAX_FILE).read_to_string(&mut text)?,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let until: Timestamp = text.trim().parse().map_err(|error| {
        let message = format!("{} is not as it was written: {error}", file.display());
        io::Error::new(ErrorKind::InvalidData, message)
    })?;
    Ok(Some(until).filter(|until| *until > now))
}

/// Waits until it is `until`, or the owner wants the node back or gone.
pub(super) async fn wait(
    until: Timestamp,
    calls: &mut mpsc::Receiver<Call>,
    outside: &mut Outside,
) -> Absence {
    tracing::info!("away until {}", governance::local(until));
    loop {
        let left = Duration::try_from(until.duration_since(Timestamp::now())).unwrap_or(Duration::ZERO);
        if left.is_zero() {
            return Absence::Over;
        }
        tokio::select! {
            () = tokio::time::sleep(left.min(LOOK_EVERY)) => {}
            told = outside.next() => {
                // A policy that was changed is read when the node comes back.
                if told == Told::End {
                    return Absence::Stopped;
                }
            }
            Some(Call { request, question }) = calls.recv() => match request {
                Request::Leave(Departure::Now | Departure::Done) => {
                    question.answer(Reply::Left);
                    return Absence::Ends;
                }
                Request::Resume => {
                    question.answer(Reply::Sharing(Box::new(back(until))));
                    return Absence::Over;
                }
                _ => question.answer(Reply::Error(Driver::away(until))),
            },
        }
    }
}

/// What the owner is told that wants the node back.
fn back(until: Timestamp) -> SharingView {
    SharingView {
        state: Sharing::Closed,
        since: Some(governance::utc(Timestamp::now())),
        until: None,
        reasons: vec![format!("enters the network again, before {}", governance::local(until))],
        notes: Vec::new(),
        throttle_pct: 100,
        working: 0,
        at: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absence_is_known_until_it_is_over_or_taken_back() {
        let home = tempfile::tempdir().unwrap();
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let (until, before) = (at("2026-11-22T20:00:00Z"), at("2026-11-22T19:59:59Z"));
        assert_eq!(announced(home.path(), before).unwrap(), None);
        begin(home.path(), until).unwrap();
        assert_eq!(announced(home.path(), before).unwrap(), Some(until));
        assert_eq!(announced(home.path(), until).unwrap(), None, "it is over");
        end(home.path());
        assert_eq!(announced(home.path(), before).unwrap(), None, "it was taken back");
        end(home.path());
    }

    #[test]
    fn what_is_no_time_is_not_taken_for_no_absence() {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join(FILE), "tomorrow").unwrap();
        let error = announced(home.path(), Timestamp::UNIX_EPOCH).unwrap_err().to_string();
        assert!(error.contains("away is not as it was written"), "{error}");
    }
}
