//! A set of the pieces of one content.

use super::outline::MAX_PIECES;

/// Which pieces of a content somebody has; each is one bit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pieces {
    bits: Vec<u8>,
    of: u32,
    count: u32,
}

impl Pieces {
    /// None of `of` pieces.
    #[must_use]
    pub(crate) fn none(of: u32) -> Self {
        let of = of.min(MAX_PIECES);
        Self { bits: vec![0; bytes_for(of)], of, count: 0 }
    }

    /// All of `of` pieces.
    #[must_use]
    pub(crate) fn all(of: u32) -> Self {
        let mut all = Self::none(of);
        (0..all.of).for_each(|piece| all.insert(piece));
        all
    }

    /// Reads what somebody says; bits beyond the last piece, and bytes that are missing, count as absent.
    #[must_use]
    pub(crate) fn read(of: u32, told: &[u8]) -> Self {
        let mut read = Self::none(of);
        let has = |piece: u32| told.get(byte(piece)).is_some_and(|byte| byte & mask(piece) != 0);
        (0..read.of).filter(|piece| has(*piece)).for_each(|piece| read.insert(piece));
        read
    }

    /// The bits, piece 0 first, as the lowest bit of the first byte.
    #[must_use]
    pub(crate) fn bits(&self) -> Vec<u8> {
        self.bits.clone()
    }

    pub(crate) fn insert(&mut self, piece: u32) {
        if piece < self.of
            && let Some(byte) = self.bits.get_mut(byte(piece))
            && *byte & mask(piece) == 0
        {
            *byte |= mask(piece);
            self.count += 1;
        }
    }

    #[must_use]
    pub(crate) fn has(&self, piece: u32) -> bool {
        piece < self.of && self.bits.get(byte(piece)).is_some_and(|byte| byte & mask(piece) != 0)
    }

    /// How many there are.
    #[must_use]
    pub(crate) const fn count(&self) -> u32 {
        self.count
    }

    #[must_use]
    pub(crate) const fn is_complete(&self) -> bool {
        self.count == self.of
    }

    /// Those that are absent.
    pub(crate) fn missing(&self) -> impl Iterator<Item = u32> + '_ {
        (0..self.of).filter(|piece| !self.has(*piece))
    }
}

const fn byte(piece: u32) -> usize {
    (piece / 8) as usize
}

const fn mask(piece: u32) -> u8 {
    1 << (piece % 8)
}

const fn bytes_for(of: u32) -> usize {
    of.div_ceil(8) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_said_is_read_back(of in 0_u32..200, some in prop::collection::vec(0_u32..200, 0..50)) {
            let mut pieces = Pieces::none(of);
            some.iter().for_each(|piece| pieces.insert(*piece));
            let there = (0..of).filter(|piece| some.contains(piece)).count();
            prop_assert_eq!(pieces.count() as usize, there);
            prop_assert_eq!(pieces.missing().count(), of as usize - there);
            prop_assert_eq!(&Pieces::read(of, &pieces.bits()), &pieces);
        }
    }

    #[test]
    fn what_lies_beyond_the_end_is_absent() {
        assert_eq!(Pieces::read(3, &[0xFF, 0xFF]), Pieces::all(3));
        assert_eq!(Pieces::read(9, &[0xFF]).missing().collect::<Vec<_>>(), [8]);
        assert!(Pieces::none(0).is_complete() && Pieces::read(u32::MAX, &[]).missing().count() == 4_096);
    }
}
