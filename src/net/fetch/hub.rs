//! One content that is being fetched, as all of its sources see it.

use super::Gather;
use super::choice::Table;
use crate::net::store::{Access, Arrival, Outline, Pieces, Store, StoreError};
use proto::message::contents::Pass;
use proto::message::service::Blob;
use proto::{Hash, Peer, PublicKey, Signed};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use tokio::sync::{Notify, OnceCell, watch};
use tokio::time::Instant;

/// Nodes that are tried for one content in all.
const MAX_TRIED: usize = 32;
/// How often each of them is, other than the first one.
const MAX_TRIES: u8 = 3;
/// Faults of sources that are told.
const MAX_FAULTS: usize = 4;

/// How a source ended, if not by the end of the whole.
#[derive(Debug)]
pub(super) enum Ended {
    /// Another attempt may do better.
    Cut(String),
    /// It does not have it.
    Absent,
    /// It sent other bytes.
    Wrong,
    /// Our own store refuses.
    Store(StoreError),
}

impl From<StoreError> for Ended {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::WrongContent { .. } => Self::Wrong,
            error => Self::Store(error),
        }
    }
}

/// A content on its way.
#[derive(Debug)]
pub(crate) struct Hub {
    blob: Blob,
    access: Access,
    arrival: OnceCell<Arc<Arrival>>,
    state: Mutex<State>,
    /// Something changed that may let a source ask for more.
    pub(super) changed: Notify,
    /// Bytes that came, whether or not their pieces were complete.
    bytes: watch::Sender<u64>,
    is_public: AtomicBool,
    rolls: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    table: Table,
    /// Who has not been tried.
    waiting: Vec<Peer>,
    /// How often each was.
    tried: BTreeMap<PublicKey, u8>,
    faults: Vec<String>,
    pass: Option<Signed<Pass>>,
}

impl Hub {
    pub(super) fn new(gather: &Gather) -> Arc<Self> {
        let hub = Self {
            blob: gather.blob,
            access: gather.access.clone(),
            arrival: OnceCell::new(),
            state: Mutex::default(),
            changed: Notify::new(),
            bytes: watch::Sender::new(0),
            is_public: AtomicBool::new(false),
            rolls: AtomicU64::new(getrandom::u64().unwrap_or(0)),
        };
        hub.add([gather.from]);
        hub.introduce(gather.others.iter().copied());
        Arc::new(hub)
    }

    pub(crate) const fn blob(&self) -> Blob {
        self.blob
    }

    /// Who is shown what is here of it.
    pub(crate) const fn access(&self) -> &Access {
        &self.access
    }

    /// What is here of it; nothing before a source has told the hashes of the pieces.
    pub(crate) fn arrival(&self) -> Option<Arc<Arrival>> {
        self.arrival.get().cloned()
    }

    /// Waits until there is an arrival.
    pub(crate) async fn arrived(&self) -> Arc<Arrival> {
        loop {
            let changed = self.changed.notified();
            if let Some(arrival) = self.arrival() {
                return arrival;
            }
            changed.await;
        }
    }

    pub(crate) fn is_public(&self) -> bool {
        self.is_public.load(Ordering::Relaxed)
    }

    pub(super) fn set_public(&self) {
        self.is_public.store(true, Ordering::Relaxed);
    }

    /// The pass of the content's owner, for others that have it.
    pub(super) fn pass(&self) -> Option<Signed<Pass>> {
        self.state().pass.clone()
    }

    pub(super) fn set_pass(&self, pass: Signed<Pass>) {
        self.state().pass = Some(pass);
    }

    /// Opens the partial file by what the first source tells of the pieces.
    pub(super) async fn open(&self, store: &Arc<Store>, told: &[u8]) -> Result<Arc<Arrival>, Ended> {
        if let Some(arrival) = self.arrival() {
            return Ok(arrival);
        }
        let outline = Outline::of(self.blob, told).ok_or(Ended::Wrong)?;
        let opened = self.arrival.get_or_try_init(|| async { store.arrival(outline).await }).await;
        let arrival = Arc::clone(opened.map_err(Ended::from)?);
        self.changed.notify_waiters();
        // It may be complete.
        self.came(0);
        Ok(arrival)
    }

    pub(super) fn is_complete(&self) -> bool {
        self.arrival.get().is_some_and(|arrival| arrival.is_complete())
    }

    pub(super) fn have(&self) -> u32 {
        self.arrival.get().map_or(0, |arrival| arrival.have().count())
    }

    pub(super) async fn finish(&self) -> Result<(), StoreError> {
        let access = if self.is_public() { Access::Everybody } else { self.access.clone() };
        match self.arrival.get() {
            Some(arrival) => arrival.finish(access).await,
            None => Err(StoreError::Absent { hash: self.blob.hash }),
        }
    }

    /// Adds sources, also such that were tried before.
    pub(super) fn add(&self, peers: impl IntoIterator<Item = Peer>) {
        self.state().waiting.extend(peers);
    }

    /// Adds sources that were not tried before.
    pub(super) fn introduce(&self, peers: impl IntoIterator<Item = Peer>) {
        let mut state = self.state();
        for peer in peers {
            let is_known =
                state.tried.contains_key(&peer.key) || state.waiting.iter().any(|p| p.key == peer.key);
            if !is_known && state.tried.len() + state.waiting.len() < MAX_TRIED {
                state.waiting.push(peer);
            }
        }
        drop(state);
        // Whoever waits for bytes looks for new sources as well.
        self.bytes.send_modify(|_| {});
    }

    /// A source that was cut is tried again, a few times.
    pub(super) fn again(&self, peer: Peer) {
        let mut state = self.state();
        if state.tried.get(&peer.key).is_some_and(|times| *times < MAX_TRIES) {
            state.waiting.push(peer);
        }
    }

    /// The next source to try.
    pub(super) fn next_source(&self, active: &[Peer]) -> Option<Peer> {
        let mut state = self.state();
        let is_free = |peer: &Peer| !active.iter().any(|other| other.key == peer.key);
        let index = state.waiting.iter().position(is_free)?;
        let peer = state.waiting.remove(index);
        *state.tried.entry(peer.key).or_default() += 1;
        Some(peer)
    }

    pub(super) fn fault(&self, peer: Peer, what: &str) {
        let mut state = self.state();
        if state.faults.len() >= MAX_FAULTS {
            state.faults.remove(0);
        }
        state.faults.push(format!("{peer} {what}"));
    }

    /// A reason, with what was wrong with other sources.
    pub(super) fn with_faults(&self, reason: String) -> String {
        let state = self.state();
        let others: Vec<&str> =
            state.faults.iter().map(String::as_str).filter(|fault| !fault.ends_with(&reason)).collect();
        if others.is_empty() { reason } else { format!("{reason} ({})", others.join("; ")) }
    }

    /// Bytes came.
    pub(super) fn came(&self, bytes: u64) {
        self.bytes.send_modify(|all| *all = all.saturating_add(bytes));
    }

    pub(super) fn watch(&self) -> watch::Receiver<u64> {
        self.bytes.subscribe()
    }

    /// What to ask a source for that offers `offered` and was asked for `own`; it counts as asked for.
    pub(super) fn choose(&self, arrival: &Arrival, offered: &Pieces, own: &[u32]) -> Option<u32> {
        let roll = self.rolls.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed) >> 16;
        let (have, now) = (arrival.have(), Instant::now());
        let mut state = self.state();
        let piece = state.table.choose(&have, offered, own, roll, now)?;
        state.table.ask(piece, now);
        Some(piece)
    }

    /// A source is not waited for any more with these pieces.
    pub(super) fn free(&self, pieces: &[u32]) {
        self.state().table.free(pieces);
        self.changed.notify_waiters();
    }

    /// A source offers something else than before.
    pub(super) fn offer(&self, before: &Pieces, now: &Pieces, of: u32) {
        self.state().table.offer(before, now, of);
    }

    /// Whether more than one source offers a piece.
    pub(super) fn is_offered_by_others(&self, piece: u32) -> bool {
        self.state().table.offers.get(&piece).is_some_and(|offers| *offers > 1)
    }

    /// Whether it is fetched for a contract, and so for somebody else than the owner of this machine.
    pub(crate) const fn is_for_others(&self) -> bool {
        matches!(self.access, Access::Passed(_))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Which contents are being fetched, so that none is fetched twice at once, and others can have what is here of them.
#[derive(Debug, Default)]
pub(crate) struct Fetching {
    turns: Mutex<BTreeMap<Hash, Weak<tokio::sync::Mutex<()>>>>,
    hubs: Mutex<BTreeMap<Hash, Arc<Hub>>>,
}

/// A hub that others can see as long as this lives.
pub(super) struct Shown<'a> {
    fetching: &'a Fetching,
    hash: Hash,
}

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        self.fetching.hubs().remove(&self.hash);
    }
}

impl Fetching {
    pub(super) fn turn(&self, hash: Hash) -> Arc<tokio::sync::Mutex<()>> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        turns.retain(|_, turn| turn.strong_count() > 0);
        turns.get(&hash).and_then(Weak::upgrade).unwrap_or_else(|| {
            let turn = Arc::default();
            turns.insert(hash, Arc::downgrade(&turn));
            turn
        })
    }

    pub(super) fn enter(&self, hub: &Arc<Hub>) -> Shown<'_> {
        let hash = hub.blob.hash;
        self.hubs().insert(hash, Arc::clone(hub));
        Shown { fetching: self, hash }
    }

    /// A content that is being fetched.
    pub(crate) fn hub(&self, hash: &Hash) -> Option<Arc<Hub>> {
        self.hubs().get(hash).cloned()
    }

    /// More who have a content, if it is being fetched.
    pub(super) fn introduce(&self, hash: &Hash, peers: impl IntoIterator<Item = Peer>) {
        if let Some(hub) = self.hub(hash) {
            hub.introduce(peers);
        }
    }

    fn hubs(&self) -> MutexGuard<'_, BTreeMap<Hash, Arc<Hub>>> {
        self.hubs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
