//! Questions about the past, answered beside the bank by a thread that reads the journal.

use bank::Search;
use bank::store::Store;
use proto::message::bank::BankMessage;
use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

/// Questions that wait.
const WAITING: usize = 256;

/// The way to the thread.
pub(super) struct Searcher {
    questions: SyncSender<Search>,
}

impl Searcher {
    /// Starts the thread. `store` reads beside the one that writes; `answer` looks a question up in it and sends what
    /// it finds.
    ///
    /// # Errors
    /// A system that gives no thread.
    pub(super) fn start(
        store: Box<dyn Store>,
        answer: impl FnMut(Search, &mut dyn Store) + Send + 'static,
    ) -> io::Result<Self> {
        let (questions, waiting) = sync_channel(WAITING);
        thread::Builder::new().name("searches".into()).spawn(move || work(store, answer, &waiting))?;
        Ok(Self { questions })
    }

    /// Asks a question.
    ///
    /// # Errors
    /// Too many questions wait: it is not answered.
    pub(super) fn ask(&self, search: Search) -> Result<(), Search> {
        self.questions.try_send(search).map_err(|error| match error {
            std::sync::mpsc::TrySendError::Full(search)
            | std::sync::mpsc::TrySendError::Disconnected(search) => search,
        })
    }
}

fn work(mut store: Box<dyn Store>, mut answer: impl FnMut(Search, &mut dyn Store), questions: &Receiver<Search>) {
    while let Ok(search) = questions.recv() {
        answer(search, &mut *store);
    }
}
