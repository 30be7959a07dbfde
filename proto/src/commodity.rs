//! Commodities and their markets: geometric classes of idle compute power, powers of two of memory and disk.
//!
//! Compute power is sold in classes of ratio 2^(1/4): class k holds the values from 2^(k/4) to below
//! 2^((k+1)/4) Mc/s. Memory and disk are sold in powers of two of bytes. In the single overlay scheme
//! (CompuP2P paper, IV-A1) the capacity itself is the key; it is scaled over the whole circle here, because
//! raw values would all fall to one node.

use crate::id::RingId;
use crate::quantity::{Bytes, Capacity};
use std::fmt;

/// What kind of idle resource is sold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Commodity {
    /// Idle compute power, in Mc/s.
    #[default]
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

/// What a slice of a machine takes of it, or what of it is free. Each commodity is a part of it; a slice that is sold
/// in one market takes its share of the others too, so that nothing is sold twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Bundle {
    /// Cores.
    pub cores: u32,
    /// Memory.
    pub memory: Bytes,
    /// Disk.
    pub disk: Bytes,
}

impl Bundle {
    /// Whether `self` holds all of `other`.
    #[must_use]
    pub const fn holds(self, other: Self) -> bool {
        self.cores >= other.cores && self.memory.0 >= other.memory.0 && self.disk.0 >= other.disk.0
    }

    /// Both together; saturates.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            cores: self.cores.saturating_add(other.cores),
            memory: Bytes(self.memory.0.saturating_add(other.memory.0)),
            disk: Bytes(self.disk.0.saturating_add(other.disk.0)),
        }
    }

    /// What is left of `self` without `other`; nothing where `other` has more.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self {
            cores: self.cores.saturating_sub(other.cores),
            memory: Bytes(self.memory.0.saturating_sub(other.memory.0)),
            disk: Bytes(self.disk.0.saturating_sub(other.disk.0)),
        }
    }

    /// How much of `commodity` it is, in its unit, when a core executes `per_core`; saturates.
    #[must_use]
    pub const fn amount_of(self, commodity: Commodity, per_core: Capacity) -> u64 {
        match commodity {
            Commodity::Compute => per_core.0.saturating_mul(self.cores as u64),
            Commodity::Memory => self.memory.0,
            Commodity::Disk => self.disk.0,
        }
    }
}

impl Commodity {
    /// All commodities.
    pub const ALL: [Self; 3] = [Self::Compute, Self::Memory, Self::Disk];

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
        Self::of(Commodity::Compute, capacity.0)
    }

    /// The market whose class holds `amount` of `commodity`, in Mc/s or in bytes; the last one for anything larger.
    #[must_use]
    pub fn of(commodity: Commodity, amount: u64) -> Self {
        let class = match commodity {
            Commodity::Compute => quarter_octave(amount),
            Commodity::Memory | Commodity::Disk => amount.max(1).ilog2(),
        };
        Self { commodity, class: class.min(commodity.classes() - 1) }
    }

    /// The least amount of the commodity in this market, in Mc/s or in bytes; nothing below it has a higher class.
    #[must_use]
    pub fn least(self) -> u64 {
        match self.commodity {
            Commodity::Compute => {
                let (mut low, mut high) = (0_u64, u64::from(u32::MAX));
                while low < high {
                    let middle = low.midpoint(high);
                    if Self::of(self.commodity, middle).class < self.class {
                        low = middle + 1
                    } else {
                        high = middle
                    }
                }
                low
            }
            Commodity::Memory | Commodity::Disk if self.class == 0 => 0,
            Commodity::Memory | Commodity::Disk => 1_u64.checked_shl(self.class).unwrap_or(u64::MAX),
        }
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
        let scaled = RingId::fraction(self.class, self.commodity.classes());
        RingId::hash(self.commodity.name().as_bytes()).plus(scaled)
    }

    /// Where this market begins in the ring of its commodity's markets (CMID; CompuP2P paper, IV-A2): the class scaled over
    /// the circle. All that follows up to the next market's is its own, so that each node that runs it has its own point.
    #[must_use]
    pub fn cmid(self) -> RingId {
        cmid(self.class, self.commodity.classes())
    }
}

/// Where class `class` of `classes` begins in the ring of markets. Two classes differ in the first four bytes as long as
/// there are fewer than 2^32.
#[must_use]
pub fn cmid(class: u32, classes: u32) -> RingId {
    let RingId(mut point) = RingId::fraction(class, classes);
    for byte in point.iter_mut().skip(4) {
        *byte = 0;
    }
    RingId(point)
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
    fn storage_is_sold_in_powers_of_two() {
        for (bytes, class) in
            [(0, 0), (1, 0), (2, 1), (3, 1), (1 << 30, 30), ((1 << 31) - 1, 30), (u64::MAX, 63)]
        {
            for commodity in [Commodity::Memory, Commodity::Disk] {
                assert_eq!(Market::of(commodity, bytes), Market { commodity, class }, "{bytes}");
            }
        }
    }

    #[test]
    fn a_market_begins_with_the_least_amount_of_its_class() {
        for commodity in Commodity::ALL {
            for class in 1..commodity.classes() {
                let least = Market { commodity, class }.least();
                // Small integers leave some quarters of an octave without a value.
                assert!(Market::of(commodity, least).class >= class, "{commodity:?} {class}");
                assert!(Market::of(commodity, least - 1).class < class, "{commodity:?} {class}");
            }
            assert_eq!(Market { commodity, class: 0 }.least(), 0);
        }
    }

    #[test]
    fn bundles_add_up() {
        let of = |cores, memory, disk| Bundle { cores, memory: Bytes(memory), disk: Bytes(disk) };
        let (small, large) = (of(1, 5, 0), of(4, 6, 7));
        assert!(large.holds(small) && !small.holds(large) && !large.holds(of(1, 7, 0)));
        assert_eq!((large.plus(small), large.minus(small)), (of(5, 11, 7), of(3, 1, 7)));
        assert_eq!((small.minus(large), of(u32::MAX, 0, 0).plus(small)), (of(0, 0, 0), of(u32::MAX, 5, 0)));
        let amounts = Commodity::ALL.map(|commodity| large.amount_of(commodity, Capacity(1_000)));
        assert_eq!(amounts, [4_000, 6, 7]);
    }

    #[test]
    fn keys_of_growing_classes_go_round_the_circle_once() {
        let keys: Vec<RingId> =
            (0..96).map(|class| Market { commodity: Commodity::Compute, class }.key()).collect();
        let descents = keys.windows(2).filter(|pair| pair[0] >= pair[1]).count();
        assert!(descents <= 1, "{descents}");
    }

    #[test]
    fn the_points_of_a_ring_of_markets_grow_with_the_class_and_begin_at_zero() {
        for (classes, commodity) in [(96, Commodity::Compute), (64, Commodity::Disk)] {
            let points: Vec<RingId> = (0..classes).map(|class| Market { commodity, class }.cmid()).collect();
            assert!(points.windows(2).all(|pair| pair[0] < pair[1]));
            assert_eq!(points[0], RingId::default());
        }
        assert!((0..1_000).map(|class| cmid(class, 1_000)).is_sorted());
    }
}
