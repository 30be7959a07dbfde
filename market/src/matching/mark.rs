//! What a listing offers and what is sought, rounded into two words, so that two subtractions rule it out.
//!
//! Four sizes stand in the first word, each in 15 bits below a guard bit. A size is rounded down to its ten leading
//! bits, so a mark that is too small tells for sure; one that is large enough has to be looked at exactly. In the second
//! word stand the longest run, rounded too, the reputation, each below a guard, and the word of the platform.

use super::names::{WORD_BITS, Wanted};
use crate::requirement;
use proto::message::market::Requirement;
use proto::{Bundle, Layers};

/// Sizes that are compared: cores, power of a core, memory, disk, the longest run, reputation, and the version of the
/// operating system, for which a mark has no room: only blocks and rows tell it.
pub(crate) const SIZES: usize = 7;
/// Bits of a size that are kept below its leading bit.
const KEPT: u32 = 9;
/// The bit above each of the four fields of the first word.
const GUARDS: u64 = 0x8000_8000_8000_8000;
/// The bits of the platform in the second word.
const PLATFORM: u64 = (1 << WORD_BITS) - 1;
/// The bits of a reputation, which is 1,000 at most.
const REPUTATION_BITS: u32 = 10;
const REPUTATION: u64 = (1 << REPUTATION_BITS) - 1;
/// Where the longest run stands: above the guard of the reputation.
const RUN_AT: u32 = WORD_BITS + REPUTATION_BITS + 1;
/// The bits above reputation and longest run.
const MORE_GUARDS: u64 = (1 << (WORD_BITS + REPUTATION_BITS)) | (1 << (u64::BITS - 1));

/// The mark of a listing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    sizes: u64,
    more: u64,
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
    /// The layers that have to stand; rows tell them.
    pub(crate) layers: Layers,
    /// The sizes, rounded; no platform.
    mark: Mark,
    platform: Wanted,
}

impl Sought {
    /// What [`requirement::fits`] asks of a listing: power from exactly the cores asked for is so much from each of
    /// them.
    pub(crate) fn of(requirement: &Requirement, platform: Wanted) -> Self {
        let slice = requirement::slice(requirement);
        let Bundle { cores, memory, disk } = slice;
        let per_core = requirement.power.0.div_ceil(u64::from(cores.max(1)));
        let Requirement { run_time, reputation, release, layers, .. } = requirement;
        let (run_time, reputation) = (run_time.0, u64::from(reputation.0));
        let least = [u64::from(cores), per_core, memory.0, disk.0, run_time, reputation, release.0];
        Self { slice, least, layers: *layers, mark: Mark::of(least, 0), platform }
    }
}

/// A size in 15 bits; a larger size never has a smaller level.
fn level(size: u64) -> u64 {
    let Some(above) = size.checked_ilog2().and_then(|leading| leading.checked_sub(KEPT)) else { return size };
    (u64::from(above) << KEPT) + (size >> above)
}

impl Mark {
    /// The mark of what has these sizes and whose platform has this word.
    pub(crate) fn of(sizes: [u64; SIZES], platform: u64) -> Self {
        let [cores, per_core, memory, disk, longest, reputation, _] = sizes;
        let four = [cores, per_core, memory, disk];
        let sizes = four.into_iter().fold(0, |word, size| (word << 16) | level(size));
        let more = (level(longest) << RUN_AT) | (reputation.min(REPUTATION) << WORD_BITS) | platform;
        Self { sizes, more }
    }

    /// The word of the platform.
    pub(crate) const fn platform(self) -> u64 {
        self.more & PLATFORM
    }

    /// Whether a listing with this mark may be what is sought.
    pub(crate) const fn may_meet(self, sought: &Sought) -> bool {
        // A guard that is gone was borrowed by a field that is too small.
        let sizes = ((self.sizes | GUARDS) - sought.mark.sizes) & GUARDS;
        let more = ((self.more | MORE_GUARDS) - sought.mark.more) & MORE_GUARDS;
        let differs = (self.more ^ sought.platform.word) & sought.platform.mask;
        (sizes ^ GUARDS) | (more ^ MORE_GUARDS) | differs == 0
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
