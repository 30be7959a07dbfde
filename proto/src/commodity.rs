//! Commodities and their markets: geometric classes of idle compute power, powers of two of memory and disk.
//!
//! Compute power is sold in classes of ratio 2^(1/4): class k holds the values from 2^(k/4) to below
//! 2^((k+1)/4) Mc/s. Memory and disk are sold in powers of two of bytes. In the single overlay scheme
//! (CompuP2P paper, IV-A1) the capacity itself is the key; it is scaled over the whole circle here, because
//! raw values would all fall to one node.

use crate::id::RingId;
use crate::quantity::Capacity;
use std::fmt;

/// What kind of idle resource is sold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Commodity {
    /// Idle compute power, in Mc/s.
    Compute,
    /// Memory, in bytes.
    Memory,
    /// Disk, in bytes.
    Disk,
}

/// A market: one class of one commodity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Market {
    /// What is sold.
    pub commodity: Commodity,
    /// The class, below [`Commodity::classes`].
    pub class: u32,
}

impl Commodity {
    /// The number of classes: 96 of compute power (below 2^24 Mc/s), 64 of memory and of disk.
    #[must_use]
    pub const fn classes(self) -> u32 {
        match self {
            Self::Compute => 96,
            Self::Memory | Self::Disk => 64,
        }
    }

    /// The name, as it is hashed and shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Compute => "compute",
            Self::Memory => "memory",
            Self::Disk => "disk",
        }
    }
}

impl Market {
    /// The market of compute power whose class holds `capacity`; the last one for anything larger.
    #[must_use]
    pub fn of_capacity(capacity: Capacity) -> Self {
        let commodity = Commodity::Compute;
        Self { commodity, class: quarter_octave(capacity.0).min(commodity.classes() - 1) }
    }

    /// The next larger market of this commodity, if there is one.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        let class = self.class.checked_add(1).filter(|&class| class < self.commodity.classes())?;
        Some(Self { class, ..self })
    }

    /// The key of this market in the single overlay scheme: the class scaled over the circle, and turned by
    /// the hash of the commodity's name so that the commodities do not lie on top of each other.
    #[must_use]
    pub fn key(self) -> RingId {
        let part = (u128::MAX / u128::from(self.commodity.classes())) * u128::from(self.class);
        let mut scaled = [0; 20];
        for (to, from) in scaled.iter_mut().zip(part.to_be_bytes()) {
            *to = from;
        }
        RingId::hash(self.commodity.name().as_bytes()).plus(RingId(scaled))
    }
}

/// ⌊4·log₂ value⌋, exactly: the octave, then quarters by comparing fourth powers.
fn quarter_octave(value: u64) -> u32 {
    if value == 0 {
        return 0;
    }
    // Beyond 32 bits the low bits cannot change a quarter that any market has (the last class ends at 2^24).
    let value = value.min(u64::from(u32::MAX));
    let octave = value.ilog2();
    let fourth = u128::from(value).pow(4);
    let quarters = (1..4).filter(|quarter| fourth >= 1_u128 << (4 * octave + quarter)).count();
    4 * octave + u32::try_from(quarters).unwrap_or(0)
}

impl fmt::Display for Market {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.commodity.name(), self.class)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_follow_the_ratio_of_a_quarter_octave() {
        for (capacity, class) in [
            (0, 0),
            (1, 0),
            (2, 4),
            (3, 6),
            (4, 8),
            (1000, 39),
            (1024, 40),
            (1217, 40),
            (1218, 41),
            (2048, 44),
            (u64::MAX, 95),
        ] {
            assert_eq!(Market::of_capacity(Capacity(capacity)).class, class, "{capacity}");
        }
    }

    #[test]
    fn keys_of_growing_classes_go_round_the_circle_once() {
        let keys: Vec<RingId> =
            (0..96).map(|class| Market { commodity: Commodity::Compute, class }.key()).collect();
        let descents = keys.windows(2).filter(|pair| pair[0] >= pair[1]).count();
        assert!(descents <= 1, "{descents}");
    }
}
