//! Snapshots of the ledger, made beside the bank: by a thread that reads the journal from the last one on.
//!
//! The bank does not wait for it and its ledger is not touched. A snapshot that fails is no harm: the journal has it all,
//! and the next start takes longer.

use super::writer::rebuild_until;
use bank::store::{Store, StoreError};
use proto::PublicKey;
use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

/// After so many records a snapshot is made: as many are replayed at a start, at most, which takes about a second.
pub(super) const EVERY: u64 = 1_000_000;

/// The way to the thread.
pub(super) struct Keeper {
    orders: SyncSender<u64>,
    thread: JoinHandle<()>,
    /// How many records the last one has that was made or ordered.
    last: u64,
}

impl Keeper {
    /// Starts the thread. `store` reads beside the one that writes; `last` is how many records its newest snapshot has.
    ///
    /// # Errors
    /// A system that gives no thread.
    pub(super) fn start(store: Box<dyn Store>, bank: PublicKey, last: u64) -> io::Result<Self> {
        let (orders, waiting) = sync_channel(1);
        let thread = thread::Builder::new().name("snapshots".into());
        let thread = thread.spawn(move || work(store, bank, &waiting))?;
        Ok(Self { orders, thread, last })
    }

    /// So many records are durable.
    pub(super) fn note(&mut self, records: u64) {
        // One that is being made is not waited for: the next is ordered with the next group.
        if records.saturating_sub(self.last) >= EVERY && self.orders.try_send(records).is_ok() {
            self.last = records;
        }
    }

    /// Makes a last one of so many records, if there are new ones, and waits for it.
    pub(super) fn finish(self, records: u64) {
        if records > self.last {
            let _is_taken = self.orders.send(records).is_ok();
        }
        drop(self.orders);
        if self.thread.join().is_err() {
            tracing::warn!("no last snapshot was made");
        }
    }
}

fn work(mut store: Box<dyn Store>, bank: PublicKey, orders: &Receiver<u64>) {
    while let Ok(records) = orders.recv() {
        match make(&mut *store, bank, records) {
            Ok(()) => tracing::debug!(records, "snapshot"),
            Err(error) => tracing::warn!(%error, "a snapshot could not be made: the next start takes longer"),
        }
    }
}

fn make(store: &mut dyn Store, bank: PublicKey, records: u64) -> Result<(), StoreError> {
    let replay = rebuild_until(store, bank, records)?;
    store.keep_snapshot(records, &replay.snapshot())
}
