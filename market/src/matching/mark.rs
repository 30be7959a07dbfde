//! What a listing offers, rounded into two words, so that one subtraction rules it out.
//!
//! Four sizes stand in one word, each in 15 bits below a guard bit. A size is rounded down to its ten leading bits,
//! so a mark that is too small tells for sure; one that is large enough has to be looked at exactly.

use super::names::Wanted;

/// The bit above each of the four fields.
const GUARDS: u64 = 0x8000_8000_8000_8000;
/// Bits of a size that are kept below its leading bit.
const KEPT: u32 = 9;

/// The mark of a listing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    /// The rounded sizes.
    pub(crate) sizes: u64,
    /// The word of the platform.
    pub(crate) platform: u64,
}

/// What many marks have at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Summary {
    /// Field by field the largest.
    sizes: u64,
    /// Bits that one of the platforms has.
    some: u64,
    /// Bits that all of them have.
    all: u64,
}

/// What is looked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sought {
    pub(crate) sizes: u64,
    pub(crate) platform: Wanted,
}

/// Four sizes in one word.
pub(crate) fn sizes(sizes: [u64; 4]) -> u64 {
    sizes.into_iter().fold(0, |word, size| (word << 16) | level(size))
}

/// A size in 15 bits; a larger size never has a smaller level.
fn level(size: u64) -> u64 {
    let Some(above) = size.checked_ilog2().and_then(|leading| leading.checked_sub(KEPT)) else { return size };
    (u64::from(above) << KEPT) + (size >> above)
}

/// The guards of the fields in which `one` is not smaller.
fn reached(one: u64, other: u64) -> u64 {
    ((one | GUARDS) - other) & GUARDS
}

impl Mark {
    /// Whether a listing with this mark may be what is sought.
    pub(crate) fn may_meet(self, sought: &Sought) -> bool {
        let differs = (self.platform ^ sought.platform.word) & sought.platform.mask;
        (reached(self.sizes, sought.sizes) ^ GUARDS) | differs == 0
    }
}

impl Summary {
    /// Of no mark at all.
    pub(crate) const NOTHING: Self = Self { sizes: 0, some: 0, all: u64::MAX };

    /// With one more mark.
    pub(crate) fn with(self, mark: Mark) -> Self {
        let larger = reached(self.sizes, mark.sizes);
        // Fifteen bits below each guard.
        let fields = larger - (larger >> 15);
        Self {
            sizes: (self.sizes & fields) | (mark.sizes & !fields),
            some: self.some | mark.platform,
            all: self.all & mark.platform,
        }
    }

    /// Whether one of the marks may meet what is sought.
    pub(crate) fn may_meet(self, sought: &Sought) -> bool {
        let Wanted { word, mask } = sought.platform;
        let missing = (word & mask & !self.some) | (!word & mask & self.all);
        (reached(self.sizes, sought.sizes) ^ GUARDS) | missing == 0
    }
}
