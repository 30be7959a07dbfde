//! Contents, fetched in verified pieces from whoever has them: the one who was named, and others to whom that one
//! introduces us.
//!
//! Each piece is checked when it comes and written only then; whoever sends other bytes is left alone from then on and
//! named, and so is who lets a piece wait for long while others have it. What came is kept when a fetch fails, and the
//! next one goes on there. While a content comes, its pieces are already given to others that may have it (`serve`).

mod choice;
mod hub;
mod source;

pub(super) use hub::{Fetching, Hub};

use super::Inner;
use super::store::{Access, StoreError};
use hub::Ended;
use proto::message::service::Blob;
use proto::{Hash, Peer};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

/// Sources of one content that are asked at a time.
const MAX_SOURCES: usize = 8;
/// Sources beyond the first one of every content, of all contents together: each takes up to 3 MiB of memory.
pub(super) const MAX_EXTRA: usize = 64;
/// Attempts in a row that bring nothing.
const MAX_ATTEMPTS: u32 = 4;
/// The pause before the second attempt; it doubles with each further one.
const RETRY_PAUSE: Duration = Duration::from_millis(250);
/// How long the fetching of a content may take, besides the time for its size.
const LEAST: Duration = Duration::from_secs(120);
/// Bytes a second below which fetching is given up: a peer that trickles must not hold a contract for ever.
const SLOWEST: u64 = service::SLOWEST_STAGING;
/// How often it is looked whether it takes too long.
const TICK: Duration = Duration::from_secs(1);
/// How long sources that are there may bring nothing at all.
const STALL: Duration = Duration::from_secs(60);

/// Why a content was not fetched.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    /// The peer does not have it.
    #[error("{from} does not have the content {hash}")]
    Absent {
        /// Who was asked.
        from: Peer,
        /// For what.
        hash: Hash,
    },
    /// The peer has sent other bytes than the name stands for.
    #[error("{from} sent other bytes than the content {hash} stands for; they were thrown away")]
    WrongContent {
        /// Who was asked.
        from: Peer,
        /// For what.
        hash: Hash,
    },
    /// No attempt brought all of it.
    #[error(
        "the content {hash} could not be fetched from {from}: {reason}; what has arrived is kept for the next try"
    )]
    Cut {
        /// Who was asked.
        from: Peer,
        /// For what.
        hash: Hash,
        /// How the last attempt ended.
        reason: String,
    },
    /// The store refuses.
    #[error(transparent)]
    Store(StoreError),
}

/// What is to be fetched.
#[derive(Clone, Debug)]
pub(crate) struct Gather {
    /// The content.
    pub(crate) blob: Blob,
    /// Who has it; the first one is the owner, where it has one.
    pub(crate) from: Peer,
    /// Others that are said to have it.
    pub(crate) others: Vec<Peer>,
    /// Who is shown it when it is here, and what has come of it before.
    pub(crate) access: Access,
}

impl Gather {
    /// A content that is shown to whoever names it.
    #[must_use]
    pub(crate) const fn open(from: Peer, blob: Blob) -> Self {
        Self { blob, from, others: Vec::new(), access: Access::Everybody }
    }
}

impl Inner {
    pub(super) async fn gather(self: &Arc<Self>, gather: Gather) -> Result<(), FetchError> {
        let hash = gather.blob.hash;
        self.fetching.introduce(&hash, std::iter::once(gather.from).chain(gather.others.iter().copied()));
        let turn = self.fetching.turn(hash);
        let _turn = turn.lock().await;
        if self.store.has(&hash) {
            return self.store.widen(&hash, &gather.access).map_err(FetchError::Store);
        }
        let _place = self.down.turn().await;
        let hub = Hub::new(&gather);
        let _shown = self.fetching.enter(&hub);
        let all = async {
            self.bring(&hub, &gather).await?;
            hub.finish().await.map_err(FetchError::Store)
        };
        let done = all.await;
        if let (Ok(()), true) = (&done, hub.is_public()) {
            self.note_public(gather.blob);
        }
        done
    }

    /// Has sources bring pieces until all are here.
    async fn bring(self: &Arc<Self>, hub: &Arc<Hub>, gather: &Gather) -> Result<(), FetchError> {
        let mut sources: JoinSet<(Peer, Ended)> = JoinSet::new();
        let mut active: Vec<Peer> = Vec::new();
        let mut retries = Retries::new(gather.from);
        let mut bytes = hub.watch();
        let (mut last, mut come, mut since) = (0, 0, Instant::now());
        // The owner's cap may be what makes it slow. Time in which the owner lets nothing come does not count.
        let slowest = self.down.rate().map_or(SLOWEST, |rate| rate.min(SLOWEST)).max(1);
        let within = LEAST + Duration::from_secs(gather.blob.size.0 / slowest);
        let mut until = Instant::now() + within;
        loop {
            self.start_sources(hub, gather.from, &mut sources, &mut active);
            if hub.is_complete() {
                return Ok(());
            }
            if active.is_empty() && retries.pause.is_none() {
                return Err(retries.error(hub, gather));
            }
            tokio::select! {
                Some(ended) = sources.join_next() => {
                    let Ok((peer, ended)) = ended else { continue };
                    active.retain(|other| *other != peer);
                    if let Some(error) = retries.note(self, hub, peer, ended) {
                        return Err(FetchError::Store(error));
                    }
                }
                () = pause(retries.pause) => {
                    retries.pause = None;
                    hub.add([gather.from]);
                }
                _ = bytes.changed() => {
                    let now = *bytes.borrow_and_update();
                    if now > come {
                        (come, since) = (now, Instant::now());
                    }
                }
                () = sleep(TICK) => {
                    if hub.is_for_others() && self.is_suspended() {
                        since += TICK;
                        until += TICK;
                    }
                }
            }
            let late = match (since.elapsed() >= STALL, Instant::now() >= until) {
                (true, _) => Some(format!("nothing came for {} s", STALL.as_secs())),
                (_, true) => Some(format!("it did not come within {within:?}")),
                _ => None,
            };
            if let Some(reason) = late {
                let (from, hash) = (gather.from, gather.blob.hash);
                return Err(FetchError::Cut { from, hash, reason: hub.with_faults(reason) });
            }
            let have = hub.have();
            if have > last {
                last = have;
                retries.tries = 0;
            }
        }
    }
}

impl Inner {
    /// Has as many sources bring pieces as may be.
    fn start_sources(
        self: &Arc<Self>,
        hub: &Arc<Hub>,
        first: Peer,
        sources: &mut JoinSet<(Peer, Ended)>,
        active: &mut Vec<Peer>,
    ) {
        while active.len() < MAX_SOURCES
            && let Some(peer) = hub.next_source(active)
        {
            let extra = if peer == first { None } else { Some(Arc::clone(&self.extra).try_acquire_owned()) };
            let Ok(extra) = extra.transpose() else {
                // It is tried when there is room.
                hub.add([peer]);
                return;
            };
            active.push(peer);
            let (net, hub) = (Arc::clone(self), Arc::clone(hub));
            sources.spawn(async move {
                let ended = source::run(&net, &hub, peer).await;
                drop(extra);
                (peer, ended)
            });
        }
    }
}

async fn pause(until: Option<Instant>) {
    match until {
        Some(until) => tokio::time::sleep_until(until).await,
        None => std::future::pending().await,
    }
}

/// What became of the one that was named; those that were introduced are not tried again.
struct Retries {
    first: Peer,
    tries: u32,
    pause: Option<Instant>,
    /// How the last attempt with the first one ended.
    error: Option<Ended>,
}

impl Retries {
    const fn new(first: Peer) -> Self {
        Self { first, tries: 0, pause: None, error: None }
    }

    /// A source has ended. Only what the store refuses ends the whole at once.
    fn note(&mut self, net: &Inner, hub: &Hub, peer: Peer, ended: Ended) -> Option<StoreError> {
        let hash = hub.blob().hash;
        tracing::debug!(from = %peer, %hash, have = hub.have(), ?ended, "a source of a content has ended");
        match &ended {
            Ended::Store(_) => {}
            Ended::Wrong => {
                tracing::warn!(from = %peer, %hash, "this node sent other bytes than the content stands for");
                hub.fault(peer, "sent other bytes than the content stands for");
            }
            Ended::Absent => hub.fault(peer, "does not have it"),
            Ended::Cut(reason) => hub.fault(peer, reason),
        }
        if let Ended::Store(error) = ended {
            return Some(error);
        }
        if peer != self.first {
            if matches!(ended, Ended::Cut(_)) {
                hub.again(peer);
            }
            return None;
        }
        if matches!(ended, Ended::Cut(_)) && !net.is_closing() {
            self.tries += 1;
            if self.tries < MAX_ATTEMPTS {
                self.pause = Some(Instant::now() + RETRY_PAUSE * (1 << (self.tries - 1)));
            }
        }
        self.error = Some(ended);
        None
    }

    fn error(&mut self, hub: &Hub, gather: &Gather) -> FetchError {
        let (from, hash) = (gather.from, gather.blob.hash);
        match self.error.take() {
            Some(Ended::Absent) => FetchError::Absent { from, hash },
            Some(Ended::Wrong) => FetchError::WrongContent { from, hash },
            Some(Ended::Store(error)) => FetchError::Store(error),
            Some(Ended::Cut(reason)) => FetchError::Cut { from, hash, reason: hub.with_faults(reason) },
            None => FetchError::Cut { from, hash, reason: "nobody was left to ask".into() },
        }
    }
}
