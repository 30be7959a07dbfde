//! The store on a thread of its own: one group of records is made durable while the next is decided.
//!
//! The driver gives groups and takes them back, in order, when they are durable; only then may their answers leave.
//! When there is no room, the driver is told so before new work is lost: as long as a reserve can be given up, what was
//! decided is still kept. When there is none at all, groups come back refused with the ledger as the store has it, and
//! the driver goes back to that: nothing of them has happened. The thread looks for room by itself from then on.

use bank::store::{Store, StoreError, read_until};
use bank::{Record, Replay, ReplayError};
use proto::message::bank::{BankMessage, BankOutcome};
use proto::message::market::RefusedRequest;
use proto::{Peer, PublicKey};
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;
use tokio::sync::mpsc;

/// Groups that wait or are being written.
const GROUPS: usize = 2;
/// How often a full store is asked whether there is room again.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// What was decided together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Group {
    /// To be made durable.
    pub(super) records: Vec<Record>,
    /// To be sent then.
    pub(super) answers: Vec<(Peer, BankMessage)>,
    /// How many records the journal has with these.
    pub(super) next: u64,
}

/// What the store's thread tells.
#[derive(Debug)]
pub(super) enum Done {
    /// It is durable: its answers may leave.
    Durable(Group),
    /// There was no room for it: it has not happened. Its answers are refusals now.
    Refused(Group),
    /// Groups were refused: the ledger is to go back to this one ([`bank::Bank::rewind`]), and [`Writer::rewound`]
    /// says when it has.
    Rewind(Box<Replay>),
    /// Whether there is room for new work.
    Room(bool),
}

/// The way to the store's thread and back.
pub(super) struct Writer {
    orders: SyncSender<Told>,
    done: mpsc::UnboundedReceiver<Result<Done, StoreError>>,
    under_way: usize,
}

/// What the thread is told.
enum Told {
    Commit(Group),
    Rewound,
}

impl Writer {
    /// Starts the thread over the store of `bank`.
    ///
    /// # Errors
    /// A system that gives no thread.
    pub(super) fn start(store: Box<dyn Store>, bank: PublicKey) -> io::Result<Self> {
        // One more than groups, for the word that the ledger has gone back: it never waits.
        let (orders, waiting) = sync_channel(GROUPS + 1);
        let (sender, done) = mpsc::unbounded_channel();
        let work = Work { store, bank, done: sender, is_full: false, is_waiting: false };
        thread::Builder::new().name("store".into()).spawn(move || work.run(&waiting))?;
        Ok(Self { orders, done, under_way: 0 })
    }

    /// Whether another group may be given.
    pub(super) const fn is_free(&self) -> bool {
        self.under_way < GROUPS
    }

    /// Whether nothing is under way.
    pub(super) const fn is_idle(&self) -> bool {
        self.under_way == 0
    }

    /// Gives a group, if [`Writer::is_free`]. One without records keeps its answers behind the records before them.
    pub(super) fn commit(&mut self, group: Group) {
        self.under_way += 1;
        // A thread that has ended has told why.
        let _is_taken = self.orders.send(Told::Commit(group)).is_ok();
    }

    /// The ledger is the one that the store has: groups that come now follow from it.
    pub(super) fn rewound(&mut self) {
        let _is_taken = self.orders.send(Told::Rewound).is_ok();
    }

    /// What is done next, in order. May be dropped and called again.
    ///
    /// # Errors
    /// The store is not to be used any more: the bank has to stop.
    pub(super) async fn done(&mut self) -> Result<Done, StoreError> {
        let ended =
            || StoreError::Failed { what: "write the journal", reason: "the writer has ended".into() };
        let done = self.done.recv().await.ok_or_else(ended)??;
        if matches!(done, Done::Durable(_) | Done::Refused(_)) {
            self.under_way = self.under_way.saturating_sub(1);
        }
        Ok(done)
    }
}

struct Work {
    store: Box<dyn Store>,
    bank: PublicKey,
    done: mpsc::UnboundedSender<Result<Done, StoreError>>,
    /// The driver knows that there is no room for new work.
    is_full: bool,
    /// Groups that come now rest on records that were not kept.
    is_waiting: bool,
}

impl Work {
    fn run(mut self, orders: &Receiver<Told>) {
        loop {
            let order = if self.is_full {
                match orders.recv_timeout(LOOK_AGAIN) {
                    Ok(order) => Some(order),
                    Err(RecvTimeoutError::Timeout) => None,
                    Err(RecvTimeoutError::Disconnected) => return,
                }
            } else {
                match orders.recv() {
                    Ok(order) => Some(order),
                    Err(_) => return,
                }
            };
            let done = match order {
                Some(Told::Commit(group)) => self.commit(group),
                Some(Told::Rewound) => {
                    self.is_waiting = false;
                    Ok(())
                }
                None => Ok(()),
            };
            if let Err(error) = done.and_then(|()| self.look_for_room()) {
                let _is_heard = self.done.send(Err(error)).is_ok();
                return;
            }
        }
    }

    fn commit(&mut self, group: Group) -> Result<(), StoreError> {
        if self.is_waiting {
            self.tell(Done::Refused(refused(group)));
            return Ok(());
        }
        let committed = if group.records.is_empty() { Ok(()) } else { self.store.commit(&group.records) };
        match committed {
            Ok(()) => self.tell(Done::Durable(group)),
            Err(StoreError::Full { .. }) => {
                self.is_waiting = true;
                let replay = rebuild(&mut *self.store, self.bank)?;
                self.set_full(true);
                self.tell(Done::Rewind(Box::new(replay)));
                self.tell(Done::Refused(refused(group)));
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// A store with room says so at no cost.
    fn look_for_room(&mut self) -> Result<(), StoreError> {
        match self.store.make_room() {
            Ok(()) => self.set_full(false),
            Err(StoreError::Full { .. }) => self.set_full(true),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn set_full(&mut self, is_full: bool) {
        if self.is_full != is_full {
            self.is_full = is_full;
            self.tell(Done::Room(!is_full));
        }
    }

    fn tell(&self, done: Done) {
        // A driver that has ended does not need to know.
        let _is_heard = self.done.send(Ok(done)).is_ok();
    }
}

/// The ledger as the store has it: from the newest snapshot that is whole, or from the first record.
///
/// # Errors
/// A store that cannot be read, and records that are no ledger of `bank`.
pub(super) fn rebuild(store: &mut dyn Store, bank: PublicKey) -> Result<Replay, StoreError> {
    rebuild_until(store, bank, u64::MAX)
}

/// The same after so many records, or all if there are fewer.
///
/// # Errors
/// As [`rebuild`].
pub(super) fn rebuild_until(
    store: &mut dyn Store,
    bank: PublicKey,
    records: u64,
) -> Result<Replay, StoreError> {
    let snapshot = store.snapshot()?.and_then(|snapshot| Replay::from_snapshot(bank, &snapshot).ok());
    let replay = snapshot.filter(|replay| replay.next() <= records);
    follow(store, replay.unwrap_or_else(|| Replay::new(bank)), records)
}

/// The same from the first record on, whatever snapshots say.
///
/// # Errors
/// As [`rebuild`].
pub(super) fn fold(store: &mut dyn Store, bank: PublicKey, records: u64) -> Result<Replay, StoreError> {
    follow(store, Replay::new(bank), records)
}

fn follow(store: &mut dyn Store, mut replay: Replay, records: u64) -> Result<Replay, StoreError> {
    let from = replay.next();
    let wrong = |error: ReplayError| StoreError::Foreign { reason: error.to_string() };
    read_until(store, from, records, &mut |_, body| replay.follow_encoded(body).map_err(wrong))?;
    Ok(replay)
}

/// The group with refusals for answers. What was to be told of records beside them has not happened.
fn refused(group: Group) -> Group {
    let refusal = bank::disk_full();
    let answers = group.answers.into_iter().filter_map(|(to, message)| match message {
        BankMessage::Reply(mut reply) => {
            reply.outcome = BankOutcome::Refused(refusal.clone());
            Some((to, BankMessage::Reply(reply)))
        }
        BankMessage::BalanceReply(reply) => {
            let refused = RefusedRequest { request: reply.request, refusal: refusal.clone() };
            Some((to, BankMessage::Refused(refused)))
        }
        BankMessage::Claimed(_) | BankMessage::Appointed(_) | BankMessage::Ended(_) => None,
        other => Some((to, other)),
    });
    Group { records: Vec::new(), answers: answers.collect(), next: group.next }
}
