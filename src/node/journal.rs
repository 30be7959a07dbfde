//! The journal of this node on disk: a thread writes and syncs what the core has to say, many notes with one sync, and
//! tells how far it is.

use super::bank::Directory;
use crate::control::Failure;
use service::Note;
use service::journal::log::Log;
use std::fs::File;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use tokio::sync::mpsc::UnboundedSender;

/// The directory of the journal in a node's home.
const DIRECTORY: &str = "journal";
/// Notes that are written with one sync, at most.
const MAX_GROUP: usize = 4_096;

/// What the thread is told.
enum Job {
    /// Make this durable.
    Append(Box<Note>),
    /// Put this in the place of all that is there.
    Replace(Vec<Note>),
}

/// What the thread tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// So much of what was given in this run is durable.
    Durable(u64),
    /// The file has grown, and should be written anew.
    HasGrown,
}

/// The driver's end of the journal. When it is dropped, what was given to it is on disk.
pub(crate) struct Journal {
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    given: u64,
}

impl Journal {
    /// Opens the journal in `home`, and reads what former runs have left.
    ///
    /// # Errors
    /// A file that cannot be read or written, or is damaged.
    pub(crate) fn open(home: &Path, told: UnboundedSender<Told>) -> Result<(Self, Vec<Note>), Failure> {
        let path = home.join(DIRECTORY);
        let disk = |error: std::io::Error| Failure::disk("use the journal in", &path, &error);
        super::start::make_home(&path).map_err(disk)?;
        let lock = File::create(path.join("lock")).map_err(disk)?;
        lock.lock().map_err(disk)?;
        let opened = Log::open(Directory::new(path.clone(), Some(lock)));
        let (log, notes) = opened.map_err(|error| {
            let hint = format!("without {} the node starts, and forgets its open contracts", path.display());
            Failure::new("journal", error.to_string(), 1).hint(hint)
        })?;
        if log.cut() > 0 {
            tracing::info!(bytes = log.cut(), "a write that the end of the last run cut short was taken out");
        }
        let (jobs, receiver) = channel();
        let thread = std::thread::Builder::new().name("journal".into());
        let thread = thread.spawn(move || write(log, &receiver, &told)).map_err(disk)?;
        Ok((Self { jobs: Some(jobs), thread: Some(thread), given: 0 }, notes))
    }

    /// Writes a note down; the number at which it is durable.
    pub(crate) fn append(&mut self, note: Box<Note>) -> u64 {
        self.give(Job::Append(note))
    }

    /// Puts what all notes come to in their place; the number at which that is durable.
    pub(crate) fn replace(&mut self, notes: Vec<Note>) -> u64 {
        self.give(Job::Replace(notes))
    }

    fn give(&mut self, job: Job) -> u64 {
        if let Some(jobs) = &self.jobs {
            // The thread takes jobs as long as there is a sender.
            let _ = jobs.send(job);
        }
        self.given += 1;
        self.given
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // What it was given is written before it ends.
            let _ = thread.join();
        }
    }
}

/// Writes what comes, as much as there is with one sync. Once the disk fails, nothing is written any more and the node
/// goes on: its contracts are worth more than its memory of them.
fn write(mut log: Log<Directory>, jobs: &Receiver<Job>, told: &UnboundedSender<Told>) {
    let (mut durable, mut is_broken, mut has_told) = (0_u64, false, false);
    let mut next = jobs.recv().ok();
    while let Some(job) = next.take() {
        let mut notes = Vec::new();
        let written = match job {
            Job::Replace(all) => {
                (durable, has_told) = (durable + 1, false);
                if is_broken { Ok(()) } else { log.replace(&all) }
            }
            Job::Append(first) => {
                notes.push(*first);
                while notes.len() < MAX_GROUP {
                    match jobs.try_recv() {
                        Ok(Job::Append(note)) => notes.push(*note),
                        Ok(other) => {
                            next = Some(other);
                            break;
                        }
                        Err(_) => break,
                    }
                }
                durable += u64::try_from(notes.len()).unwrap_or(u64::MAX);
                if is_broken { Ok(()) } else { log.append(&notes) }
            }
        };
        if let Err(error) = written {
            is_broken = true;
            tracing::error!("{error}; the node goes on, and a restart will know nothing of what follows");
        }
        // The driver may have ended meanwhile; then nobody waits for this.
        let _ = told.send(Told::Durable(durable));
        if log.has_grown() && !has_told && !is_broken {
            has_told = true;
            let _ = told.send(Told::HasGrown);
        }
        if next.is_none() {
            next = jobs.recv().ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::{CommandId, Time};
    use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

    fn note(number: u8) -> Note {
        Note::Closed { contract: CommandId([number; 16]), until: Time(number.into()) }
    }

    fn open(home: &Path) -> (Journal, Vec<Note>, UnboundedReceiver<Told>) {
        let (told, heard) = unbounded_channel();
        let (journal, notes) = Journal::open(home, told).unwrap();
        (journal, notes, heard)
    }

    #[test]
    fn what_is_told_to_be_durable_is_there_in_the_next_run() {
        let home = tempfile::tempdir().unwrap();
        let (mut journal, notes, mut heard) = open(home.path());
        assert_eq!(notes, []);
        let last = (1..=100).map(|number| journal.append(Box::new(note(number)))).last();
        assert_eq!(last, Some(100));
        while heard.blocking_recv() != Some(Told::Durable(100)) {}
        let copy = tempfile::tempdir().unwrap();
        std::fs::create_dir(copy.path().join(DIRECTORY)).unwrap();
        std::fs::copy(home.path().join("journal/notes"), copy.path().join("journal/notes")).unwrap();
        let (_, notes, _) = open(copy.path());
        assert_eq!(notes, (1..=100).map(note).collect::<Vec<_>>());
        assert_eq!((journal.replace(vec![note(7)]), journal.append(Box::new(note(8)))), (101, 102));
        while heard.blocking_recv() != Some(Told::Durable(102)) {}
        drop(journal);
        assert_eq!(open(home.path()).1, [note(7), note(8)]);
    }

    #[test]
    fn a_file_of_another_kind_is_told_with_what_to_do() {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join(DIRECTORY)).unwrap();
        std::fs::write(home.path().join("journal/notes"), "something else").unwrap();
        let (told, _) = unbounded_channel();
        let failure = Journal::open(home.path(), told).err().unwrap();
        assert_eq!(failure.message, "the journal of the node does not begin as one of this version does");
        assert!(failure.hint.contains("journal") && failure.hint.contains("forgets"), "{failure:?}");
    }
}
