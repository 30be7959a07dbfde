//! What every program finds on every seller: the same variables, the same clock, the same random numbers.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use wasmtime_wasi::{HostMonotonicClock, HostWallClock};

/// The variables that every program gets; those of its sub-task come over them.
pub(crate) const FIXED: [(&str, &str); 6] = [
    ("COMPUP2P_NCPUS", "1"),
    ("HOME", "/"),
    ("LC_ALL", "C.UTF-8"),
    ("SOURCE_DATE_EPOCH", "1767225600"),
    ("TMPDIR", "/"),
    ("TZ", "UTC"),
];

/// The moment at which every program starts, and the times of all files: 2026-01-01T00:00:00Z, in seconds since
/// the Unix epoch. The same as `SOURCE_DATE_EPOCH`.
pub(crate) const START: u64 = 1_767_225_600;

/// How far one look at a clock moves it, so that who waits for a moment sees it come.
const TICK: Duration = Duration::from_micros(1);

/// Variables in the order of their names; `own` wins.
pub(super) fn variables(own: &[(String, String)]) -> BTreeMap<&str, &str> {
    let own = own.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    FIXED.into_iter().chain(own).collect()
}

/// Random numbers: one stream of ChaCha8, the same for every program. They are fit for Monte-Carlo and hash
/// tables, not for secrets.
pub(super) fn randomness() -> ChaCha8Rng {
    ChaCha8Rng::from_seed([0; 32])
}

/// Virtual time, in nanoseconds since the start of the program: it moves by a microsecond with each look and by
/// the whole length of each sleep, and not otherwise.
#[derive(Clone, Debug, Default)]
pub(super) struct VirtualClock {
    elapsed: Arc<AtomicU64>,
}

impl VirtualClock {
    /// Time without moving it, in nanoseconds since the start.
    pub(super) fn elapsed(&self) -> u64 {
        self.elapsed.load(Ordering::Relaxed)
    }

    /// Time on the wall clock, in nanoseconds since the Unix epoch, without moving it.
    pub(super) fn wall(&self) -> u64 {
        (START * 1_000_000_000).saturating_add(self.elapsed())
    }

    /// Moves to `elapsed`, never back. Wall clock numbers of 64 bits end in 2554; so does this time.
    pub(super) fn advance_to(&self, elapsed: u64) {
        self.elapsed
            .store(self.elapsed().max(elapsed).min(u64::MAX - START * 1_000_000_000), Ordering::Relaxed);
    }

    fn look(&self) -> u64 {
        let tick = u64::try_from(TICK.as_nanos()).unwrap_or(0);
        self.advance_to(self.elapsed().saturating_add(tick));
        self.elapsed()
    }
}

impl HostMonotonicClock for VirtualClock {
    fn resolution(&self) -> u64 {
        u64::try_from(TICK.as_nanos()).unwrap_or(0)
    }

    fn now(&self) -> u64 {
        self.look()
    }
}

impl HostWallClock for VirtualClock {
    fn resolution(&self) -> Duration {
        TICK
    }

    fn now(&self) -> Duration {
        Duration::from_secs(START).saturating_add(Duration::from_nanos(self.look()))
    }
}
