//! The listings of one market in the order of their asks, in blocks that know what they offer at most.
//!
//! A search walks upwards from the cheapest, skips blocks in which nobody can fit, and in the others looks first at
//! the marks, which lie side by side. So also a search that skips nothing reads two words a listing.

use super::mark::{Mark, SIZES, Sought, Summary};
use super::shelf::Number;
use proto::{Bundle, Capacity, Layers, Rate, Release, Reputation, Span};
use std::ops::Range;

/// Listings in a block at most: a word has a bit for each.
const BLOCK: usize = 64;
/// Two neighbours with fewer become one block.
const SPARSE: usize = 40;

/// Listings for which a full block makes room.
const GROWTH: usize = 8;

/// The order of a book: by ask, of equal asks by the beginnings of keys, and of these by number.
pub(crate) type Place = (Rate, u32, Number);

/// A listing, as far as a search compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) rate: Rate,
    /// The first four bytes of the seller's key.
    pub(crate) head: u32,
    /// The number of the listing.
    pub(crate) number: Number,
    pub(crate) per_core: Capacity,
    /// The longest run.
    pub(crate) longest: Span,
    /// The version of the operating system, and the layers of the sandbox.
    pub(crate) release: Release,
    pub(crate) layers: Layers,
    pub(crate) reputation: Reputation,
    /// What is neither sold nor being asked for.
    pub(crate) free: Bundle,
}

/// A market's book.
#[derive(Debug, Default)]
pub(crate) struct Book {
    blocks: Vec<Block>,
}

#[derive(Debug)]
struct Block {
    rows: Vec<Row>,
    marks: Vec<Mark>,
    summary: Summary,
}

impl Row {
    pub(crate) const fn place(&self) -> Place {
        (self.rate, self.head, self.number)
    }

    fn sizes(&self) -> [u64; SIZES] {
        let Bundle { cores, memory, disk } = self.free;
        let (longest, reputation) = (self.longest.0, self.reputation.0.into());
        [u64::from(cores), self.per_core.0, memory.0, disk.0, longest, reputation, self.release.0]
    }

    fn reaches(&self, sought: &Sought) -> bool {
        sought.layers.without(self.layers).is_empty()
            && self.sizes().iter().zip(&sought.least).all(|(size, least)| size >= least)
    }
}

impl Book {
    pub(crate) fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// The rows, the lowest ask first.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &Row> + Clone {
        self.blocks.iter().flat_map(|block| &block.rows)
    }

    /// The row at `place`, and the word of its platform.
    pub(crate) fn get(&self, place: Place) -> Option<(&Row, u64)> {
        let block = self.blocks.get(self.block_of(place))?;
        let at = block.find(place).ok()?;
        Some((block.rows.get(at)?, block.marks.get(at)?.platform()))
    }

    /// Puts a row in, in place of one at the same place.
    pub(crate) fn put(&mut self, row: Row, platform: u64) {
        let mark = Mark::of(row.sizes(), platform);
        let at = self.block_of(row.place()).min(self.blocks.len().saturating_sub(1));
        let Some(block) = self.blocks.get_mut(at) else {
            return self.blocks.push(Block::of(vec![row], vec![mark]));
        };
        block.put(row, mark);
        if block.rows.len() > BLOCK {
            let upper = block.split();
            self.blocks.insert(at + 1, upper);
        }
    }

    /// Takes the row at `place` out.
    pub(crate) fn remove(&mut self, place: Place) {
        let at = self.block_of(place);
        let Some(block) = self.blocks.get_mut(at) else { return };
        block.remove(place);
        if block.rows.is_empty() {
            self.blocks.remove(at);
        }
        // With the one below, or else with the one above.
        for lower in [at.saturating_sub(1), at] {
            self.join(lower);
        }
    }

    /// Notes what is free.
    pub(crate) fn set_free(&mut self, place: Place, free: Bundle) {
        let at = self.block_of(place);
        if let Some(block) = self.blocks.get_mut(at) {
            block.set_free(place, free);
        }
    }

    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        self.rows_in(self.blocks.len())
    }

    /// How many rows ask for at most `bid`.
    pub(crate) fn count_until(&self, bid: Rate) -> usize {
        self.count(|row| row.rate <= bid)
    }

    /// How many rows ask for less than `rate`, or for `rate` with a key that begins with less than `start`.
    pub(crate) fn count_below(&self, rate: Rate, start: u32) -> usize {
        self.count(|row| (row.rate, row.head) < (rate, start))
    }

    /// Calls `visit` with those of the rows of `range` that meet `sought`, the lowest ask first, until it says that it
    /// is enough.
    pub(crate) fn visit<'a>(
        &'a self,
        sought: &Sought,
        range: Range<usize>,
        mut visit: impl FnMut(&'a Row) -> bool,
    ) {
        let mut end = 0;
        for block in &self.blocks {
            let begin = end;
            end += block.rows.len();
            if end <= range.start {
                continue;
            }
            if begin >= range.end {
                return;
            }
            if block.summary.may_meet(sought) {
                let mut bits = block.candidates(sought);
                while bits != 0 {
                    let at = bits.trailing_zeros() as usize;
                    bits &= bits - 1;
                    let row = block.rows.get(at).filter(|_| range.contains(&(begin + at)));
                    if row.is_some_and(|row| row.reaches(sought) && !visit(row)) {
                        return;
                    }
                }
            }
        }
    }

    /// As [`Book::visit`] with the first `count` rows, the highest ask first.
    pub(crate) fn visit_down<'a>(
        &'a self,
        sought: &Sought,
        count: usize,
        mut visit: impl FnMut(&'a Row) -> bool,
    ) {
        let mut begin = self.len();
        for block in self.blocks.iter().rev() {
            begin -= block.rows.len();
            if begin >= count || !block.summary.may_meet(sought) {
                continue;
            }
            let mut bits = block.candidates(sought);
            while let Some(at) = bits.checked_ilog2() {
                bits ^= 1 << at;
                let row = block.rows.get(at as usize).filter(|_| begin + (at as usize) < count);
                if row.is_some_and(|row| row.reaches(sought) && !visit(row)) {
                    return;
                }
            }
        }
    }

    /// Whether order, blocks and marks agree.
    pub(crate) fn is_sound(&self) -> bool {
        let is_filled = |block: &Block| !block.rows.is_empty() && block.rows.len() <= BLOCK;
        self.blocks.iter().all(|block| is_filled(block) && block.is_marked())
            && self.rows().zip(self.rows().skip(1)).all(|(low, high)| low.place() < high.place())
    }

    /// The block in which `place` is, or belongs; past the end when it lies above all.
    fn block_of(&self, place: Place) -> usize {
        self.blocks.partition_point(|block| block.rows.last().is_some_and(|row| row.place() < place))
    }

    /// How many rows are `low`, which are the first ones.
    fn count(&self, low: impl Fn(&Row) -> bool) -> usize {
        let whole = self.blocks.partition_point(|block| block.rows.last().is_some_and(&low));
        let cut = self.blocks.get(whole).map_or(0, |block| block.rows.partition_point(low));
        self.rows_in(whole) + cut
    }

    fn rows_in(&self, blocks: usize) -> usize {
        self.blocks.iter().take(blocks).map(|block| block.rows.len()).sum()
    }

    fn join(&mut self, lower: usize) {
        let length = |at: usize| self.blocks.get(at).map(|block| block.rows.len());
        let (Some(one), Some(other)) = (length(lower), length(lower + 1)) else { return };
        if one + other < SPARSE {
            let upper = self.blocks.remove(lower + 1);
            if let Some(block) = self.blocks.get_mut(lower) {
                block.rows.extend(upper.rows);
                block.marks.extend(upper.marks);
                block.sum_up();
            }
        }
    }
}

impl Block {
    fn of(rows: Vec<Row>, marks: Vec<Mark>) -> Self {
        let mut block = Self { rows, marks, summary: Summary::NOTHING };
        block.sum_up();
        block
    }

    fn find(&self, place: Place) -> Result<usize, usize> {
        self.rows.binary_search_by(|row| row.place().cmp(&place))
    }

    fn put(&mut self, row: Row, mark: Mark) {
        match self.find(row.place()) {
            Ok(at) => {
                let (old_row, old_mark) = (self.rows.get_mut(at), self.marks.get_mut(at));
                if let (Some(old_row), Some(old_mark)) = (old_row, old_mark) {
                    (*old_row, *old_mark) = (row, mark);
                }
                self.sum_up();
            }
            Err(at) => {
                if self.rows.len() == self.rows.capacity() {
                    self.rows.reserve_exact(GROWTH);
                    self.marks.reserve_exact(GROWTH);
                }
                self.rows.insert(at, row);
                self.marks.insert(at, mark);
                self.summary = self.summary.with(row.sizes(), mark.platform());
            }
        }
    }

    fn remove(&mut self, place: Place) {
        if let Ok(at) = self.find(place) {
            self.rows.remove(at);
            self.marks.remove(at);
            self.sum_up();
        }
    }

    fn set_free(&mut self, place: Place, free: Bundle) {
        let Ok(at) = self.find(place) else { return };
        if let (Some(row), Some(mark)) = (self.rows.get_mut(at), self.marks.get_mut(at)) {
            row.free = free;
            *mark = Mark::of(row.sizes(), mark.platform());
        }
        self.sum_up();
    }

    /// Gives the upper half away.
    fn split(&mut self) -> Self {
        let at = self.rows.len() / 2;
        let upper = Self::of(self.rows.split_off(at), self.marks.split_off(at));
        self.rows.shrink_to_fit();
        self.marks.shrink_to_fit();
        self.sum_up();
        upper
    }

    fn summary_of(&self) -> Summary {
        let add = |sum: Summary, (row, mark): (&Row, &Mark)| sum.with(row.sizes(), mark.platform());
        self.rows.iter().zip(&self.marks).fold(Summary::NOTHING, add)
    }

    fn sum_up(&mut self) {
        self.summary = self.summary_of();
    }

    /// A bit for each row that may be what is sought.
    fn candidates(&self, sought: &Sought) -> u64 {
        let bit = |(at, mark): (usize, &Mark)| u64::from(mark.may_meet(sought)) << at;
        self.marks.iter().take(BLOCK).enumerate().map(bit).fold(0, |bits, bit| bits | bit)
    }

    fn is_marked(&self) -> bool {
        let is_same = |(row, mark): (&Row, &Mark)| Mark::of(row.sizes(), mark.platform()) == *mark;
        self.rows.len() == self.marks.len()
            && self.rows.iter().zip(&self.marks).all(is_same)
            && self.summary == self.summary_of()
    }
}
