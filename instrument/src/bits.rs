//! Sets of small numbers.

/// A set of numbers below a bound that is given once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bits(Vec<u64>);

impl Bits {
    /// The empty set of numbers below `bound`.
    pub(crate) fn new(bound: usize) -> Self {
        Self(vec![0; bound.div_ceil(64)])
    }

    /// Words that an operation on the whole set touches.
    pub(crate) fn words(&self) -> u64 {
        self.0.len() as u64
    }

    /// Puts a number in; one over the bound is left out.
    pub(crate) fn insert(&mut self, number: u32) {
        if let Some(word) = self.0.get_mut(number as usize / 64) {
            *word |= 1 << (number % 64);
        }
    }

    /// Takes a number out.
    pub(crate) fn remove(&mut self, number: u32) {
        if let Some(word) = self.0.get_mut(number as usize / 64) {
            *word &= !(1 << (number % 64));
        }
    }

    /// Puts a number in or takes it out.
    pub(crate) fn put(&mut self, number: u32, inside: bool) {
        if inside {
            self.insert(number);
        } else {
            self.remove(number);
        }
    }

    /// Whether a number is in the set.
    pub(crate) fn contains(&self, number: u32) -> bool {
        self.0.get(number as usize / 64).is_some_and(|word| word >> (number % 64) & 1 == 1)
    }

    /// Takes everything out.
    pub(crate) fn clear(&mut self) {
        self.0.fill(0);
    }

    /// Puts in what another set holds; says whether that was new.
    pub(crate) fn join(&mut self, other: &Self) -> bool {
        let mut new = false;
        for (word, theirs) in self.0.iter_mut().zip(&other.0) {
            new |= *theirs & !*word != 0;
            *word |= theirs;
        }
        new
    }

    /// Becomes equal to another set of the same bound.
    pub(crate) fn copy(&mut self, other: &Self) {
        self.0.clear();
        self.0.extend_from_slice(&other.0);
    }

    /// Its members, ascending.
    pub(crate) fn members(&self) -> impl Iterator<Item = u32> + '_ {
        (0u32..).zip(&self.0).flat_map(|(place, word)| {
            (0..64).filter(move |bit| word >> bit & 1 == 1).map(move |bit| place * 64 + bit)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Bits;

    #[test]
    fn a_set_holds_what_was_put_in_and_tells_what_is_new() {
        let (mut set, mut other) = (Bits::new(130), Bits::new(130));
        for number in [0, 63, 64, 129] {
            set.insert(number);
        }
        other.insert(63);
        assert!(!set.join(&other));
        other.insert(100);
        assert!(set.join(&other));
        set.remove(0);
        set.insert(1000);
        assert_eq!(set.members().collect::<Vec<_>>(), [63, 64, 100, 129]);
        assert!(set.contains(129) && !set.contains(0) && !set.contains(1000));
    }
}
