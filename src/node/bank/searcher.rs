//! Questions about the past, answered beside the bank by a thread that reads the journal.

use crate::net::Net;
use bank::store::Store;
use bank::{Query, Search};
use proto::message::Message;
use proto::message::bank::{BankMessage, ReceiptQuery, StatementQuery};
use proto::message::market::RefusedRequest;
use proto::{KeyPair, Refusal, RefusalCode};
use std::io;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;

/// Questions that wait.
const WAITING: usize = 256;

/// The way to the thread.
pub(super) struct Searcher {
    questions: SyncSender<Search>,
}

impl Searcher {
    /// Starts the thread of the bank with `keys`. `store` reads beside the one that writes.
    ///
    /// # Errors
    /// A system that gives no thread.
    pub(super) fn start(store: Box<dyn Store>, keys: KeyPair, net: Net) -> io::Result<Self> {
        let (questions, waiting) = sync_channel(WAITING);
        thread::Builder::new().name("searches".into()).spawn(move || work(store, &keys, &net, &waiting))?;
        Ok(Self { questions })
    }

    /// Asks a question.
    ///
    /// # Errors
    /// Too many questions wait: it is not answered.
    pub(super) fn ask(&self, search: Search) -> Result<(), Search> {
        self.questions.try_send(search).map_err(|error| match error {
            TrySendError::Full(search) | TrySendError::Disconnected(search) => search,
        })
    }
}

fn work(mut store: Box<dyn Store>, keys: &KeyPair, net: &Net, questions: &Receiver<Search>) {
    while let Ok(search) = questions.recv() {
        let answer = bank::answer(&search, &mut *store, keys);
        net.send(search.from, Message::Bank(answer));
    }
}

/// What somebody hears whose question could not wait.
pub(super) fn busy(search: &Search) -> BankMessage {
    let (Query::Statement(StatementQuery { request, .. }) | Query::Receipt(ReceiptQuery { request, .. })) =
        search.query;
    let message = format!("{WAITING} questions about the past wait already");
    let refusal = Refusal::new(RefusalCode::Busy, message, "ask again in a few seconds");
    BankMessage::Refused(RefusedRequest { request, refusal })
}
