//! What the pool knows of a stream: its queue, when it was last used, and how to have it end.

use super::super::MAX_QUEUE;
use proto::{Message, Peer};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;

/// A message that waits.
#[derive(Debug)]
pub(in super::super) struct Outgoing {
    pub(in super::super) to: Peer,
    pub(in super::super) message: Message,
}

/// A stream, seen from the pool.
#[derive(Clone, Debug)]
pub(in super::super) struct Link {
    pub(in super::super) queue: mpsc::Sender<Outgoing>,
    pub(in super::super) line: Arc<Line>,
}

impl Link {
    /// A link with its queue's other end.
    pub(in super::super) fn new(line: Arc<Line>) -> (Self, mpsc::Receiver<Outgoing>) {
        let (queue, waiting) = mpsc::channel(MAX_QUEUE);
        (Self { queue, line }, waiting)
    }

    /// Whether both are the same link.
    pub(in super::super) fn is(&self, other: &Self) -> bool {
        self.queue.same_channel(&other.queue)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Open,
    /// To end in order.
    Closing,
    /// To end at once.
    Broken,
}

/// A connection's state, shared by its streams.
#[derive(Debug)]
pub(in super::super) struct Line {
    state: watch::Sender<State>,
    started: Instant,
    /// Microseconds after `started`; zero if it was never used.
    last_use: AtomicU64,
}

impl Line {
    pub(in super::super) fn new() -> Arc<Self> {
        let state = watch::Sender::new(State::Open);
        Arc::new(Self { state, started: Instant::now(), last_use: AtomicU64::new(0) })
    }

    /// Something went over it.
    pub(in super::super) fn touch(&self) {
        let now = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.last_use.store(now.max(1), Ordering::Relaxed);
    }

    /// When something last went over it.
    pub(in super::super) fn last_use(&self) -> Instant {
        self.started + Duration::from_micros(self.last_use.load(Ordering::Relaxed))
    }

    /// Who has to end first when there are too many: whoever was never used, and then whoever was silent for the
    /// longest time. Strangers that only open connections so do not displace those that work.
    pub(in super::super) fn rank(&self) -> (bool, Instant) {
        (self.last_use.load(Ordering::Relaxed) > 0, self.last_use())
    }

    /// Whether it has not been told to end.
    pub(in super::super) fn is_open(&self) -> bool {
        *self.state.borrow() == State::Open
    }

    /// Has it end in order.
    pub(in super::super) fn close(&self) {
        self.advance(State::Closing);
    }

    /// Has it end at once.
    pub(in super::super) fn give_up(&self) {
        self.advance(State::Broken);
    }

    /// Whether it was given up.
    pub(in super::super) fn is_broken(&self) -> bool {
        *self.state.borrow() == State::Broken
    }

    fn advance(&self, to: State) {
        self.state.send_if_modified(|state| {
            let is_further = *state < to;
            *state = to.max(*state);
            is_further
        });
    }

    /// Resolves when it has to end.
    pub(in super::super) async fn closing(&self) {
        self.reached(State::Closing).await;
    }

    /// Resolves when it has to end at once.
    pub(in super::super) async fn broken(&self) {
        self.reached(State::Broken).await;
    }

    async fn reached(&self, wanted: State) {
        // The sender lives as long as this future's borrow, so there is no error to wait for.
        let _is_there = self.state.subscribe().wait_for(|state| *state >= wanted).await.is_ok();
    }

    /// Resolves when nothing has gone over it for this long.
    pub(in super::super) async fn idle(&self, limit: Duration) {
        loop {
            let silence = self.last_use().elapsed();
            match limit.checked_sub(silence) {
                Some(rest) if !rest.is_zero() => sleep(rest).await,
                _ => return,
            }
        }
    }
}
