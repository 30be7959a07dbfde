//! What a listing offers and what is sought, rounded into two words, so that one subtraction rules it out.
//!
//! Sizes stand four in a word, each in 15 bits below a guard bit. A size is rounded down to its ten leading bits,
//! so a mark that is too small tells for sure; one that is large enough has to be looked at exactly.

use super::names::Wanted;
use crate::requirement;
use proto::Bundle;
use proto::message::market::Requirement;

/// The bit above each of the four fields.
const GUARDS: u64 = 0x8000_8000_8000_8000;
/// Bits of a size that are kept below its leading bit.
const KEPT: u32 = 9;
/// Sizes that are compared: cores, power of a core, memory, disk, the longest run, reputation.
pub(crate) const SIZES: usize = 6;

/// Sizes, rounded.
pub(crate) type Rounded = [u64; 2];

/// The mark of a listing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    /// The rounded sizes.
    pub(crate) sizes: Rounded,
    /// The word of the platform.
    pub(crate) platform: u64,
}

/// What many listings have at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Summary {
    /// The largest of each of the sizes, exactly: where all lack little, nobody is looked at.
    most: [u64; SIZES],
    /// Bits that one of the platforms has.
    some: u64,
    /// Bits that all of them have.
    all: u64,
}

/// What is looked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sought {
    /// The slice.
    pub(crate) slice: Bundle,
    /// The sizes, exactly.
    pub(crate) least: [u64; SIZES],
    /// The sizes, rounded.
    sizes: Rounded,
    platform: Wanted,
}

impl Sought {
    /// What [`requirement::fits`] asks of a listing: power from exactly the cores asked for is so much from each of
    /// them.
    pub(crate) fn of(requirement: &Requirement, platform: Wanted) -> Self {
        let slice = requirement::slice(requirement);
        let Bundle { cores, memory, disk } = slice;
        let per_core = requirement.power.0.div_ceil(u64::from(cores.max(1)));
        let Requirement { run_time, reputation, .. } = requirement;
        let least = [u64::from(cores), per_core, memory.0, disk.0, run_time.0, u64::from(reputation.0)];
        Self { slice, least, sizes: rounded(least), platform }
    }
}

/// The sizes in two words.
pub(crate) fn rounded(sizes: [u64; SIZES]) -> Rounded {
    let [cores, per_core, memory, disk, longest, reputation] = sizes;
    let word = |sizes: [u64; 4]| sizes.into_iter().fold(0, |word, size| (word << 16) | level(size));
    [word([cores, per_core, memory, disk]), word([longest, reputation, 0, 0])]
}

/// A size in 15 bits; a larger size never has a smaller level.
fn level(size: u64) -> u64 {
    let Some(above) = size.checked_ilog2().and_then(|leading| leading.checked_sub(KEPT)) else { return size };
    (u64::from(above) << KEPT) + (size >> above)
}

/// The guards of the fields in which `one` is not smaller.
fn reached([one, more]: Rounded, [other, further]: Rounded) -> u64 {
    ((one | GUARDS) - other) & ((more | GUARDS) - further) & GUARDS
}

impl Mark {
    /// Whether a listing with this mark may be what is sought.
    pub(crate) fn may_meet(self, sought: &Sought) -> bool {
        let differs = (self.platform ^ sought.platform.word) & sought.platform.mask;
        (reached(self.sizes, sought.sizes) ^ GUARDS) | differs == 0
    }
}

impl Summary {
    /// Of nobody.
    pub(crate) const NOTHING: Self = Self { most: [0; SIZES], some: 0, all: u64::MAX };

    /// With one more listing.
    pub(crate) fn with(mut self, sizes: [u64; SIZES], platform: u64) -> Self {
        for (most, size) in self.most.iter_mut().zip(sizes) {
            *most = size.max(*most);
        }
        Self { some: self.some | platform, all: self.all & platform, ..self }
    }

    /// Whether one of the listings may meet what is sought.
    pub(crate) fn may_meet(self, sought: &Sought) -> bool {
        let Wanted { word, mask } = sought.platform;
        let missing = (word & mask & !self.some) | (!word & mask & self.all);
        missing == 0 && self.most.iter().zip(&sought.least).all(|(most, least)| most >= least)
    }
}
