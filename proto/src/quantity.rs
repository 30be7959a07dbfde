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
