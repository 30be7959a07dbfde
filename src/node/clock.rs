//! The clock of a driver: microseconds since the Unix epoch, never backwards.

use proto::Time;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Reads the wall clock once and counts on from there, so that a clock that is set does not reach the cores.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    epoch: Duration,
    start: Instant,
}

impl Clock {
    pub(crate) fn start() -> Self {
        let epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { epoch, start: Instant::now() }
    }

    pub(crate) fn now(&self) -> Time {
        let now = self.epoch + self.start.elapsed();
        Time(u64::try_from(now.as_micros()).unwrap_or(u64::MAX))
    }

    /// The moment of this process's monotonic clock that corresponds to `time`.
    pub(crate) fn instant(&self, time: Time) -> Instant {
        let since_start = Duration::from_micros(time.0).saturating_sub(self.epoch);
        self.start + since_start
    }
}
