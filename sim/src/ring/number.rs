//! Nodes by number: four bytes each, the place on the circle computed from them.

use chord::Handle;
use proto::RingId;

/// A node of a simulated ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Number(pub(crate) u32);

impl Handle for Number {
    fn id(&self) -> RingId {
        // The first 64 bits are well mixed and nobody else's; what follows them only has to be there.
        let word = self.prefix();
        let [a0, a1, a2, a3, a4, a5, a6, a7] = word.to_be_bytes();
        let [b0, b1, b2, b3, b4, b5, b6, b7] = word.rotate_left(40).to_be_bytes();
        let [c0, c1, c2, c3, ..] = word.rotate_left(16).to_be_bytes();
        RingId([a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7, c0, c1, c2, c3])
    }
}

impl Number {
    /// The first 64 bits of the place on the circle: enough to sort by.
    pub(crate) const fn prefix(self) -> u64 {
        mix(self.0 as u64)
    }
}

/// SplitMix64's output function (Steele, Lea, Flood 2014): one to one, so no two nodes share their first 64 bits.
pub(crate) const fn mix(word: u64) -> u64 {
    let word = word.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}
