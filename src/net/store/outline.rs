//! The hashes of a content's pieces, bound to its name by BLAKE3's own tree.
//!
//! BLAKE3 is a binary tree over chunks of 1 KiB (the BLAKE3 paper, section 2.1). A piece of 1 MiB that begins at a multiple
//! of 1 MiB is a whole subtree, so the hashes of all pieces give the content's name, and each piece can be checked when
//! it comes, whoever sends it and in whichever order.

use super::MAX_BLOB;
use blake3::Hasher;
use blake3::hazmat::{ChainingValue, HasherExt as _, Mode, merge_subtrees_non_root, merge_subtrees_root};
use proto::message::service::Blob;
use proto::{Bytes, Hash};
use std::sync::Arc;

/// The size of a piece in bytes; only the last one may be smaller.
pub(crate) const PIECE: u64 = 1 << 20;
/// Pieces of the largest content.
pub(crate) const MAX_PIECES: u32 = 4_096;
const _: () = assert!(MAX_PIECES as u64 * PIECE == MAX_BLOB);

/// A content with the hashes of its pieces. A value of this type is true: the hashes give the name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outline {
    blob: Blob,
    hashes: Arc<[ChainingValue]>,
}

impl Outline {
    /// What somebody says that the pieces of a content hash to; nothing if they do not give its name.
    #[must_use]
    pub(crate) fn of(blob: Blob, told: &[u8]) -> Option<Self> {
        let count = pieces(blob.size.0)?;
        if count <= 1 {
            let is_true = count == 1 || *blake3::hash(&[]).as_bytes() == blob.hash.0;
            return is_true.then(|| Self { blob, hashes: (0..count).map(|_| blob.hash.0).collect() });
        }
        let (hashes, rest) = told.as_chunks();
        let fits = rest.is_empty() && hashes.len() == usize::try_from(count).ok()?;
        (fits && root(hashes) == Some(blob.hash)).then(|| Self { blob, hashes: hashes.into() })
    }

    /// The hashes, one after the other; nothing for a content of a single piece.
    #[must_use]
    pub(crate) fn told(&self) -> Vec<u8> {
        if self.hashes.len() <= 1 { Vec::new() } else { self.hashes.concat() }
    }

    /// The content.
    #[must_use]
    pub(crate) const fn blob(&self) -> Blob {
        self.blob
    }

    /// How many pieces there are.
    #[must_use]
    pub(crate) fn pieces(&self) -> u32 {
        u32::try_from(self.hashes.len()).unwrap_or(MAX_PIECES)
    }

    /// The size of a piece in bytes; zero if there is no such piece.
    #[must_use]
    pub(crate) fn length(&self, piece: u32) -> u64 {
        self.blob.size.0.saturating_sub(u64::from(piece) * PIECE).min(PIECE)
    }

    /// Whether these bytes are this piece.
    #[must_use]
    pub(crate) fn fits(&self, piece: u32, bytes: &[u8]) -> bool {
        let Some(expected) = usize::try_from(piece).ok().and_then(|piece| self.hashes.get(piece)) else {
            return false;
        };
        if bytes.len() as u64 != self.length(piece) {
            return false;
        }
        let mut hasher = Hasher::new();
        hasher.set_input_offset(u64::from(piece) * PIECE).update(bytes);
        if self.hashes.len() == 1 {
            hasher.finalize().as_bytes() == expected
        } else {
            hasher.finalize_non_root() == *expected
        }
    }
}

/// How many pieces a content of this size has; none if it is too large.
pub(crate) fn pieces(size: u64) -> Option<u32> {
    u32::try_from(size.div_ceil(PIECE)).ok().filter(|count| *count <= MAX_PIECES)
}

/// Hashes a content as it comes: its name and those of its pieces at once.
pub(super) struct Outliner {
    hashes: Vec<ChainingValue>,
    piece: Hasher,
    filled: u64,
    size: u64,
}

impl Outliner {
    pub(super) fn new() -> Self {
        Self { hashes: Vec::new(), piece: Hasher::new(), filled: 0, size: 0 }
    }

    pub(super) fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.filled == PIECE {
                self.close();
            }
            let room = usize::try_from(PIECE - self.filled).unwrap_or(usize::MAX).min(bytes.len());
            let (head, rest) = bytes.split_at(room);
            self.piece.update(head);
            self.filled += room as u64;
            self.size += room as u64;
            bytes = rest;
        }
    }

    /// The content, at most [`MAX_BLOB`] bytes of which were given.
    pub(super) fn finish(mut self) -> Outline {
        let size = Bytes(self.size);
        if self.hashes.is_empty() {
            let hash = *self.piece.finalize().as_bytes();
            let hashes = std::iter::repeat_n(hash, usize::from(self.size > 0)).collect();
            return Outline { blob: Blob { hash: Hash(hash), size }, hashes };
        }
        self.close();
        let hash = root(&self.hashes).unwrap_or(Hash([0; 32]));
        Outline { blob: Blob { hash, size }, hashes: self.hashes.into() }
    }

    fn close(&mut self) {
        self.hashes.push(self.piece.finalize_non_root());
        self.piece = Hasher::new();
        self.piece.set_input_offset(self.hashes.len() as u64 * PIECE);
        self.filled = 0;
    }
}

/// The name that two or more pieces give.
fn root(hashes: &[ChainingValue]) -> Option<Hash> {
    let (left, right) = halves(hashes)?;
    let root = merge_subtrees_root(&merged(left)?, &merged(right)?, Mode::Hash);
    Some(Hash(*root.as_bytes()))
}

/// The hash of a subtree that is not the whole.
fn merged(hashes: &[ChainingValue]) -> Option<ChainingValue> {
    match hashes {
        [one] => Some(*one),
        _ => {
            let (left, right) = halves(hashes)?;
            Some(merge_subtrees_non_root(&merged(left)?, &merged(right)?, Mode::Hash))
        }
    }
}

/// The left half is the largest power of two that leaves something to the right one.
fn halves(hashes: &[ChainingValue]) -> Option<(&[ChainingValue], &[ChainingValue])> {
    let left = hashes.len().div_ceil(2).next_power_of_two();
    hashes.split_at_checked(left).filter(|(_, right)| !right.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bytes(size: usize) -> Vec<u8> {
        let mut bytes = vec![0; size];
        Hasher::new().finalize_xof().fill(&mut bytes);
        bytes
    }

    fn outline(bytes: &[u8]) -> Outline {
        let mut outliner = Outliner::new();
        bytes.chunks(300_007).for_each(|part| outliner.update(part));
        outliner.finish()
    }

    /// A content of `size` bytes has its name from its pieces, each of which is told from any other bytes.
    fn check(size: usize, expected_pieces: u32) {
        let bytes = bytes(size);
        let made = outline(&bytes);
        let blob = Blob { hash: Hash::of(&bytes), size: Bytes(size as u64) };
        assert_eq!((made.blob(), made.pieces()), (blob, expected_pieces), "{size}");
        let read = Outline::of(blob, &made.told()).unwrap();
        assert_eq!(read, made);
        for (index, piece) in (0..).zip(bytes.chunks(1 << 20)) {
            assert!(read.fits(index, piece), "{size}, {index}");
            let mut other = piece.to_vec();
            other[piece.len() / 2] ^= 1;
            assert!(!read.fits(index, &other) && !read.fits(index, &piece[1..]));
            assert!(!read.fits(index + 1, piece), "{size}, {index}");
        }
    }

    #[test]
    fn pieces_give_the_name_of_the_whole() {
        for (size, pieces) in [(0, 0), (1, 1), (1 << 20, 1), ((1 << 20) + 1, 2), (3 << 20, 3), (5 << 20, 5)] {
            check(size, pieces);
        }
        check((9 << 20) - 1, 9);
    }

    #[test]
    fn hashes_that_do_not_give_the_name_are_refused() {
        let content = bytes(3 << 20);
        let made = outline(&content);
        let (blob, told) = (made.blob(), made.told());
        let mut wrong = told.clone();
        wrong[40] ^= 1;
        let longer = Blob { size: Bytes(blob.size.0 + PIECE), ..blob };
        assert_eq!(Outline::of(blob, &told), Some(made));
        assert_eq!(Outline::of(blob, &wrong), None);
        assert_eq!(Outline::of(blob, &told[..64]), None);
        assert_eq!(Outline::of(blob, &told[..95]), None);
        assert_eq!(Outline::of(longer, &told), None);
        assert_eq!(Outline::of(Blob { size: Bytes(MAX_BLOB + 1), ..blob }, &told), None);
        assert_eq!(Outline::of(Blob { hash: blob.hash, size: Bytes(0) }, &[]), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn every_size_is_hashed_as_blake3_does(size in 0_usize..(6 << 20)) {
            let content = bytes(size);
            prop_assert_eq!(outline(&content).blob().hash, Hash::of(&content));
        }

        #[test]
        fn no_list_of_hashes_breaks_the_reader(told in prop::collection::vec(any::<u8>(), 0..400), size in any::<u64>()) {
            let blob = Blob { hash: Hash([9; 32]), size: Bytes(size) };
            let is_single = (1..=PIECE).contains(&size);
            prop_assert_eq!(Outline::of(blob, &told).is_some(), is_single);
        }
    }
}
