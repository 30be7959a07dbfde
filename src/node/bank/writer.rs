//! The store on a thread of its own: one group of records is made durable while the next is decided.

use bank::Record;
use bank::store::{Store, StoreError};
use proto::Peer;
use proto::message::bank::BankMessage;
use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use tokio::sync::mpsc;

/// Groups that wait or are being written.
const GROUPS: usize = 2;

/// What was decided together.
#[derive(Debug)]
pub(super) struct Group {
    /// To be made durable.
    pub(super) records: Vec<Record>,
    /// To be sent then.
    pub(super) answers: Vec<(Peer, BankMessage)>,
    /// How many records the journal has with these.
    pub(super) next: u64,
}

/// The way to the store's thread and back.
pub(super) struct Writer {
    groups: SyncSender<Group>,
    durable: mpsc::UnboundedReceiver<Result<Group, StoreError>>,
    under_way: usize,
}

impl Writer {
    /// Starts the thread.
    pub(super) fn start(store: Box<dyn Store>) -> io::Result<Self> {
        let (groups, waiting) = sync_channel(GROUPS);
        let (done, durable) = mpsc::unbounded_channel();
        thread::Builder::new().name("store".into()).spawn(move || work(store, &waiting, &done))?;
        Ok(Self { groups, durable, under_way: 0 })
    }

    /// Whether another group may be given.
    pub(super) const fn is_free(&self) -> bool {
        self.under_way < GROUPS
    }

    /// Gives a group: answers without records keep their place behind the records before them.
    pub(super) fn commit(&mut self, group: Group) {
        self.under_way += 1;
        // A thread that has ended has told why.
        let _is_taken = self.groups.send(group).is_ok();
    }

    /// The next group that is durable, in order.
    pub(super) async fn durable(&mut self) -> Result<Group, StoreError> {
        let ended =
            || StoreError::Failed { what: "write the journal", reason: "the writer has ended".into() };
        let group = self.durable.recv().await.ok_or_else(ended)??;
        self.under_way = self.under_way.saturating_sub(1);
        Ok(group)
    }

    /// Whether nothing is under way.
    pub(super) const fn is_idle(&self) -> bool {
        self.under_way == 0
    }
}

fn work(
    mut store: Box<dyn Store>,
    groups: &Receiver<Group>,
    done: &mpsc::UnboundedSender<Result<Group, StoreError>>,
) {
    while let Ok(group) = groups.recv() {
        let committed = if group.records.is_empty() { Ok(()) } else { store.commit(&group.records) };
        let is_over = committed.is_err();
        if done.send(committed.map(|()| group)).is_err() || is_over {
            return;
        }
    }
}
