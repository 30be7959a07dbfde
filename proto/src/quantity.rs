//! Quantities of work, power and storage.

use std::fmt;

/// Normalised cycles: one is one unit of the metered instruction count of a WebAssembly program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cycles(pub u64);

/// Compute power in Mc/s (10⁶ cycles a second).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Capacity(pub u64);

/// A size in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bytes(pub u64);

/// How far the word of a seller can be relied on, in thousandths of its contracts; 1,000 at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reputation(pub u32);

impl Reputation {
    /// The reputation of whom nobody knows.
    pub const UNKNOWN: Self = Self(500);

    /// The reputation after `kept` contracts that were paid and `broken` ones that were not: by Laplace's rule of
    /// succession, so that one contract is no proof, and who is unknown has 500.
    #[must_use]
    pub fn of(kept: u64, broken: u64) -> Self {
        let (kept, broken) = (u128::from(kept) + 1, u128::from(broken) + 1);
        let thousandths = kept * 1_000 / (kept + broken);
        Self(u32::try_from(thousandths).unwrap_or(1_000))
    }
}

impl Cycles {
    /// `n` Mc (10⁶ cycles); saturates.
    #[must_use]
    pub const fn mega(n: u64) -> Self {
        Self(n.saturating_mul(1_000_000))
    }

    /// `n` Gc (10⁹ cycles); saturates.
    #[must_use]
    pub const fn giga(n: u64) -> Self {
        Self(n.saturating_mul(1_000_000_000))
    }
}

impl Capacity {
    /// What this power executes in `span`; saturates. One Mc/s is one cycle per microsecond.
    #[must_use]
    pub const fn during(self, span: crate::Span) -> Cycles {
        Cycles(self.0.saturating_mul(span.0))
    }

    /// How long this power takes for `cycles`, rounded up; `None` for no power.
    #[must_use]
    pub fn span_for(self, cycles: Cycles) -> Option<crate::Span> {
        (self.0 > 0).then(|| crate::Span(cycles.0.div_ceil(self.0)))
    }
}

impl Bytes {
    /// `n` KiB; saturates.
    #[must_use]
    pub const fn kib(n: u64) -> Self {
        Self(n.saturating_mul(1 << 10))
    }

    /// `n` MiB; saturates.
    #[must_use]
    pub const fn mib(n: u64) -> Self {
        Self(n.saturating_mul(1 << 20))
    }

    /// `n` GiB; saturates.
    #[must_use]
    pub const fn gib(n: u64) -> Self {
        Self(n.saturating_mul(1 << 30))
    }
}

impl fmt::Display for Cycles {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < 10_000_000 {
            out.pad(&format!("{} c", self.0))
        } else {
            out.pad(&format!("{}.{:03} Gc", self.0 / 1_000_000_000, self.0 / 1_000_000 % 1_000))
        }
    }
}

impl fmt::Display for Capacity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(&format!("{} Mc/s", self.0))
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenths = |unit: u64| format!("{}.{}", self.0 / unit, self.0 % unit * 10 / unit);
        let text = match self.0 {
            n if n < 1 << 10 => format!("{n} B"),
            n if n < 1 << 20 => format!("{} KiB", tenths(1 << 10)),
            n if n < 1 << 30 => format!("{} MiB", tenths(1 << 20)),
            _ => format!("{} GiB", tenths(1 << 30)),
        };
        out.pad(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reputation_follows_laplace() {
        for (kept, broken, expected) in [
            (0, 0, 500),
            (1, 0, 666),
            (0, 1, 333),
            (98, 0, 990),
            (u64::MAX, 0, 999),
            (u64::MAX, u64::MAX, 500),
        ] {
            assert_eq!(Reputation::of(kept, broken), Reputation(expected), "{kept} {broken}");
        }
        assert_eq!(Reputation::of(0, 0), Reputation::UNKNOWN);
    }
}
