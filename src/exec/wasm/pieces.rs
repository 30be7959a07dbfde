//! The linear memory in pieces: what of it is zero, and what has changed since a snapshot that holds all of it.

use proto::Hash;

/// The size of a piece: what most machines protect memory by, so that few bytes that change leave few pieces changed.
pub(super) const PIECE: usize = 4_096;

/// The pieces of a memory at one moment, each by its hash; none for one of zeros, which needs no place anywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pieces(Vec<Option<Hash>>);

impl Pieces {
    /// Those of `memory`.
    pub(super) fn of(memory: &[u8]) -> Self {
        Self(memory.chunks(PIECE).map(|piece| (!is_zero(piece)).then(|| Hash::of(piece))).collect())
    }

    /// The numbers of those that are not zero.
    pub(super) fn present(&self) -> Vec<u32> {
        self.numbers(|_, piece| piece.is_some())
    }

    /// The numbers of those that are others than in `before`, where what lay beyond its end was zero.
    pub(super) fn changed_since(&self, before: &Self) -> Vec<u32> {
        self.numbers(|index, piece| before.0.get(index).copied().flatten() != *piece)
    }

    fn numbers(&self, is_meant: impl Fn(usize, &Option<Hash>) -> bool) -> Vec<u32> {
        let meant =
            (0_u32..).zip(self.0.iter().enumerate()).filter(|(_, (index, piece))| is_meant(*index, piece));
        meant.map(|(number, _)| number).collect()
    }
}

pub(super) fn is_zero(bytes: &[u8]) -> bool {
    let (words, rest) = bytes.as_chunks::<16>();
    words.iter().all(|word| u128::from_ne_bytes(*word) == 0) && rest.iter().all(|byte| *byte == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A memory of so many pieces, each filled with one byte.
    fn memory(bytes: &[u8]) -> Vec<u8> {
        bytes.iter().flat_map(|byte| [*byte; PIECE]).collect()
    }

    #[test]
    fn what_is_not_zero_is_present_and_what_differs_has_changed() {
        for (before, after, present, changed) in [
            (&[][..], &[][..], &[][..], &[][..]),
            (&[1, 0, 2], &[1, 0, 2], &[0, 2], &[]),
            (&[1, 0, 2], &[1, 3, 0], &[0, 1], &[1, 2]),
            // A memory that has grown: what is zero there was so before.
            (&[1], &[2, 0, 3], &[0, 2], &[0, 2]),
        ] {
            let [before, after] = [before, after].map(|bytes| Pieces::of(&memory(bytes)));
            assert_eq!((after.present(), after.changed_since(&before)), (present.to_vec(), changed.to_vec()));
        }
        let mut one = memory(&[0, 0]);
        one[2 * PIECE - 1] = 1;
        assert_eq!(Pieces::of(&one).present(), [1]);
    }
}
