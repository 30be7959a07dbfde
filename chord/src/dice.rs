//! The node's random choices: jitter, and where the numbers of its questions start.

/// SplitMix64 (Steele, Lea, Flood 2014): eight bytes of state, so that a simulator of millions of nodes can afford
/// one for each. It can be guessed by who sees enough of it; nothing rests on that, since an answer counts only
/// from the node that was asked, over a channel that proves who it is.
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: [u8; 32]) -> Self {
        let words = seed.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word));
        Self(words.fold(0, |mixed, word| mix(mixed ^ word)))
    }

    /// The next 64 random bits.
    pub(crate) const fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0)
    }
}

const fn mix(word: u64) -> u64 {
    let word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}
