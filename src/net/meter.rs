//! How much of the network contents may take: bytes a second in each direction, and transfers at a time.
//!
//! Each direction has a token bucket (Turner, "New directions in communications", IEEE Communications Magazine 24(10),
//! 1986): tokens come at the permitted rate, a quarter of a second's worth of them may be saved up, and who sends takes
//! one for each byte and waits until it is there. Only contents are held back; messages of the protocol are small, and
//! late ones would make a node look dead. What passes is counted.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

/// Most transfers at a time in each direction, whatever the policy says.
pub(super) const MAX_TRANSFERS: usize = 64;
/// The slowest rate in bytes a second: below it a piece would outlast the patience of the other side.
const SLOWEST: u64 = 1 << 10;
/// Parts of a second for which unused tokens are kept, and which one piece takes at most.
const PARTS: u64 = 4;
/// The smallest piece that a content is cut into, in bytes.
const SMALLEST_PIECE: u64 = 1 << 10;

/// What contents may take of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Caps {
    /// Bytes a second that are sent; none: as many as the line carries.
    pub(crate) up: Option<u64>,
    /// Bytes a second that are fetched.
    pub(crate) down: Option<u64>,
    /// Contents that are sent at a time, and as many that are fetched; at least 1, at most 64.
    pub(crate) transfers: usize,
}

impl Caps {
    /// No cap.
    #[cfg(test)]
    pub(crate) const NONE: Self = Self { up: None, down: None, transfers: MAX_TRANSFERS };
}

/// One direction.
#[derive(Debug)]
pub(super) struct Direction {
    bucket: Mutex<Bucket>,
    turns: Mutex<Turns>,
    /// The rate, the limit, or the number of transfers has changed.
    changed: Notify,
    total: AtomicU64,
}

/// The tokens of one direction, as positions in the stream of all bytes that ever pass.
#[derive(Debug)]
struct Bucket {
    rate: Option<u64>,
    /// Up to where bytes have been asked for.
    asked: u128,
    /// Up to where they may pass, as of `at`, in bytes times the microseconds of a second.
    granted: u128,
    at: Instant,
}

#[derive(Debug)]
struct Turns {
    used: usize,
    most: usize,
}

/// A place among the transfers of a direction; it is free when this is dropped.
#[derive(Debug)]
pub(super) struct Turn(Arc<Direction>);

const SECOND: u128 = 1_000_000;

impl Bucket {
    fn new(at: Instant) -> Self {
        Self { rate: None, asked: 0, granted: 0, at }
    }

    /// Lets tokens come until `now`.
    fn fill(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.at).as_micros();
        self.at = now;
        let full = self.rate.map_or(0, |rate| u128::from(rate / PARTS)) * SECOND;
        let come = self.rate.map_or(u128::MAX, |rate| passed.saturating_mul(rate.into()));
        self.granted = self.granted.saturating_add(come).min(self.asked * SECOND + full);
    }

    /// Asks for `bytes` more: the position that has to be granted before they pass.
    fn ask(&mut self, bytes: u64, now: Instant) -> u128 {
        self.fill(now);
        self.asked += u128::from(bytes);
        self.asked
    }

    /// How long until `position` is granted, if it is not.
    fn wait(&mut self, position: u128, now: Instant) -> Option<Duration> {
        self.fill(now);
        let missing = (position * SECOND).saturating_sub(self.granted);
        let rate = u128::from(self.rate?);
        let micros = u64::try_from(missing.div_ceil(rate)).unwrap_or(u64::MAX);
        (missing > 0).then_some(Duration::from_micros(micros))
    }
}

impl Turns {
    const fn take(&mut self) -> bool {
        let is_free = self.used < self.most;
        if is_free {
            self.used += 1;
        }
        is_free
    }
}

impl Direction {
    pub(super) fn new() -> Self {
        Self {
            bucket: Mutex::new(Bucket::new(Instant::now())),
            turns: Mutex::new(Turns { used: 0, most: MAX_TRANSFERS }),
            changed: Notify::new(),
            total: AtomicU64::new(0),
        }
    }

    /// Keeps to another rate and number of transfers from now on; those that wait notice at once.
    pub(super) fn set(&self, rate: Option<u64>, transfers: usize) {
        let mut bucket = self.bucket();
        bucket.fill(Instant::now());
        bucket.rate = rate.map(|rate| rate.max(SLOWEST));
        drop(bucket);
        self.turns().most = transfers.clamp(1, MAX_TRANSFERS);
        self.changed.notify_waiters();
    }

    /// Counts `bytes`, and waits until they may pass.
    pub(super) async fn pass(&self, bytes: u64) {
        self.total.fetch_add(bytes, Ordering::Relaxed);
        let position = self.bucket().ask(bytes, Instant::now());
        loop {
            let changed = self.changed.notified();
            let Some(wait) = self.bucket().wait(position, Instant::now()) else { return };
            tokio::select! {
                () = sleep(wait) => {}
                () = changed => {}
            }
        }
    }

    /// Waits for a place among the transfers.
    pub(super) async fn turn(self: &Arc<Self>) -> Turn {
        loop {
            let changed = self.changed.notified();
            if self.turns().take() {
                return Turn(Arc::clone(self));
            }
            changed.await;
        }
    }

    /// The largest piece to be sent at once, in bytes, `most` at most.
    pub(super) fn piece(&self, most: usize) -> usize {
        let rate = self.bucket().rate;
        let piece = rate.map_or(u64::MAX, |rate| (rate / PARTS).max(SMALLEST_PIECE));
        usize::try_from(piece).unwrap_or(usize::MAX).min(most)
    }

    /// The rate that is kept to.
    pub(super) fn rate(&self) -> Option<u64> {
        self.bucket().rate
    }

    /// All bytes of contents that have passed.
    pub(super) fn total(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }

    fn bucket(&self) -> MutexGuard<'_, Bucket> {
        self.bucket.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn turns(&self) -> MutexGuard<'_, Turns> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut turns = self.0.turns();
        turns.used = turns.used.saturating_sub(1);
        drop(turns);
        self.0.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIB: u64 = 1 << 10;

    /// A bucket of so many KiB a second that was empty of requests for a while.
    fn bucket(rate: u64) -> (Bucket, Instant) {
        let start = Instant::now();
        let mut bucket = Bucket::new(start);
        bucket.rate = Some(rate * KIB);
        (bucket, start + Duration::from_secs(3600))
    }

    #[test]
    fn bytes_wait_for_their_tokens_and_a_quarter_second_is_saved() {
        let (mut bucket, now) = bucket(100);
        let first = bucket.ask(25 * KIB, now);
        assert_eq!(bucket.wait(first, now), None);
        let second = bucket.ask(50 * KIB, now);
        assert_eq!(bucket.wait(second, now), Some(Duration::from_millis(500)));
        // Another that asks meanwhile stands behind.
        let third = bucket.ask(10 * KIB, now + Duration::from_millis(200));
        assert_eq!(bucket.wait(second, now + Duration::from_millis(200)), Some(Duration::from_millis(300)));
        assert_eq!(bucket.wait(third, now + Duration::from_millis(500)), Some(Duration::from_millis(100)));
        assert_eq!(bucket.wait(second, now + Duration::from_millis(500)), None);
    }

    #[test]
    fn another_rate_counts_from_its_moment_on_and_none_lets_everything_pass() {
        let (mut bucket, now) = bucket(100);
        let position = bucket.ask(125 * KIB, now);
        let later = now + Duration::from_millis(500);
        bucket.fill(later);
        bucket.rate = Some(1_000 * KIB);
        assert_eq!(bucket.wait(position, later), Some(Duration::from_millis(50)));
        bucket.rate = None;
        assert_eq!(bucket.wait(position, later), None);
    }

    #[test]
    fn pieces_take_no_longer_than_a_quarter_of_a_second() {
        let direction = Direction::new();
        for (rate, expected) in
            [(None, 1 << 20), (Some(1 << 20), 1 << 18), (Some(1), 1 << 10), (Some(u64::MAX), 1 << 20)]
        {
            direction.set(rate, 1);
            assert_eq!(direction.piece(1 << 20), expected, "{rate:?}");
        }
    }

    #[tokio::test]
    async fn no_more_transfers_than_allowed_have_their_turn() {
        let direction = Arc::new(Direction::new());
        direction.set(None, 1);
        let first = direction.turn().await;
        let mut waiting = at_once(direction.turn());
        assert!(waiting.is_none());
        direction.set(None, 2);
        waiting = at_once(direction.turn());
        assert!(waiting.is_some());
        drop(first);
        assert!(at_once(direction.turn()).is_some());
        assert!(direction.turns().used == 1);
    }

    /// What a future gives at its first poll.
    fn at_once<T>(future: impl Future<Output = T>) -> Option<T> {
        let mut future = std::pin::pin!(future);
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        match future.as_mut().poll(&mut context) {
            std::task::Poll::Ready(value) => Some(value),
            std::task::Poll::Pending => None,
        }
    }
}
