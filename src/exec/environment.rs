//! What every program finds on every seller: the same variables, the same clock, the same random numbers.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use std::collections::BTreeMap;

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

/// How far one look at a clock moves it, in nanoseconds.
pub(super) const TICK: u64 = 1_000;

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

/// The same stream from its word number `used` on.
pub(super) fn randomness_from(used: u64) -> ChaCha8Rng {
    let mut stream = randomness();
    stream.set_word_pos(u128::from(used));
    stream
}

/// How many words of a stream were used.
pub(super) fn used(stream: &ChaCha8Rng) -> u64 {
    u64::try_from(stream.get_word_pos()).unwrap_or(u64::MAX)
}

/// Virtual time, in nanoseconds since the start of the program: it moves by a microsecond with each look and by
/// the whole length of each sleep, and not otherwise.
#[derive(Clone, Debug, Default)]
pub(super) struct VirtualClock {
    elapsed: u64,
}

impl VirtualClock {
    /// A clock that stands there.
    pub(super) fn at(elapsed: u64) -> Self {
        let mut clock = Self::default();
        clock.advance_to(elapsed);
        clock
    }

    /// Time without moving it, in nanoseconds since the start.
    pub(super) const fn elapsed(&self) -> u64 {
        self.elapsed
    }

    /// Time on the wall clock, in nanoseconds since the Unix epoch, without moving it.
    pub(super) const fn wall(&self) -> u64 {
        (START * 1_000_000_000).saturating_add(self.elapsed)
    }

    /// Moves to `elapsed`, never back. Wall clock numbers of 64 bits end in 2554; so does this time.
    pub(super) fn advance_to(&mut self, elapsed: u64) {
        self.elapsed = self.elapsed.max(elapsed).min(u64::MAX - START * 1_000_000_000);
    }

    /// A look moves it, so that who waits for a moment sees it come.
    pub(super) fn look(&mut self) {
        self.advance_to(self.elapsed.saturating_add(TICK));
    }
}
