//! Rows by number: what is added keeps its number, and what is removed leaves its number to the next.
//!
//! The rows lie in pieces, so that a million more of them are never moved, and no room is kept for a second million.

/// Rows of one piece.
const PIECE: usize = 4_096;

/// Rows, each with a number of its own.
#[derive(Clone, Debug)]
pub(crate) struct Slab<T> {
    pieces: Vec<Vec<T>>,
    /// Numbers that are free, the last one first to go.
    free: Vec<u32>,
    /// The first number that was never given.
    end: u32,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { pieces: Vec::new(), free: Vec::new(), end: 0 }
    }
}

impl<T> Slab<T> {
    /// Adds a row and gives its number; `None` when there are 2^32 - 2 already.
    pub(crate) fn add(&mut self, row: T) -> Option<u32> {
        if let Some(number) = self.free.pop() {
            *self.at_mut(number)? = row;
            return Some(number);
        }
        let number = self.end;
        self.end = number.checked_add(1).filter(|end| *end < u32::MAX)?;
        match self.pieces.last_mut() {
            Some(piece) if piece.len() < PIECE => piece.push(row),
            _ => {
                let mut piece = Vec::with_capacity(PIECE);
                piece.push(row);
                self.pieces.push(piece);
            }
        }
        Some(number)
    }

    /// The row of this number may be overwritten. Its content stays until then.
    pub(crate) fn free(&mut self, number: u32) {
        self.free.push(number);
    }

    /// The row of this number.
    pub(crate) fn at(&self, number: u32) -> Option<&T> {
        let (piece, place) = place(number);
        self.pieces.get(piece)?.get(place)
    }

    /// The row of this number, to be changed.
    pub(crate) fn at_mut(&mut self, number: u32) -> Option<&mut T> {
        let (piece, place) = place(number);
        self.pieces.get_mut(piece)?.get_mut(place)
    }

    /// All rows by number, with those that are free.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        (0..).zip(self.pieces.iter().flatten())
    }

    /// How many there are, without those that are free.
    pub(crate) fn count(&self) -> usize {
        usize::try_from(self.end).unwrap_or(usize::MAX) - self.free.len()
    }
}

fn place(number: u32) -> (usize, usize) {
    let number = usize::try_from(number).unwrap_or(usize::MAX);
    (number / PIECE, number % PIECE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_keeps_its_number_and_a_free_number_is_given_again() {
        let mut slab = Slab::default();
        let numbers: Vec<u32> = (0..10_000_u32).filter_map(|row| slab.add(row)).collect();
        assert_eq!(numbers, (0..10_000).collect::<Vec<u32>>());
        slab.free(4_096);
        slab.free(7);
        assert_eq!(slab.count(), 9_998);
        assert_eq!([slab.add(70), slab.add(40_960), slab.add(1)], [Some(7), Some(4_096), Some(10_000)]);
        let found = [0, 7, 4_095, 4_096, 10_000, 10_001].map(|number| slab.at(number).copied());
        assert_eq!(found, [Some(0), Some(70), Some(4_095), Some(40_960), Some(1), None]);
        assert_eq!(slab.iter().map(|(_, row)| u64::from(*row)).sum::<u64>(), 50_031_928);
    }
}
