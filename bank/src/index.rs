//! From a key to the number of its row.
//!
//! A table of buckets of eight places, 64 bytes each. A key may lie in two of them, which follow from its tag, and goes
//! where there is more room; so the table is filled to three quarters before it doubles, and a look costs two
//! cache lines. Others choose the keys, and the hash is known to everybody: whoever grinds keys for the same two buckets
//! only gets them into the sorted `overflow`, where a look costs a logarithm. Nobody can make it slower than
//! that, so there is no secret in it and nothing is drawn.
//!
//! The order in the table is never looked at: what is iterated are the rows.

use proto::{CommandId, PublicKey};
use std::collections::BTreeMap;

/// Places of a bucket.
const PLACES: usize = 8;

/// What is looked up.
pub(crate) trait Key: Copy + Ord {
    /// 32 bits that spread well for keys that are random or counted up.
    fn tag(&self) -> u32;
}

/// One bucket. A place is `tag ‖ row + 1`, or 0 when it is free; the free ones are the last.
type Bucket = [u64; PLACES];

/// The numbers of rows by key.
#[derive(Clone, Debug)]
pub(crate) struct Index<K> {
    buckets: Vec<Bucket>,
    count: usize,
    overflow: BTreeMap<K, u32>,
}

impl<K> Default for Index<K> {
    fn default() -> Self {
        Self { buckets: vec![[0; PLACES]], count: 0, overflow: BTreeMap::new() }
    }
}

impl<K: Key> Index<K> {
    /// The row of `key`; `is_key` says whether a row is of it.
    pub(crate) fn find(&self, key: K, is_key: impl Fn(u32) -> bool) -> Option<u32> {
        let tag = key.tag();
        let [first, second] = self.homes(tag);
        for home in [first, second] {
            for place in self.buckets.get(home)? {
                let (its_tag, row) = parts(*place);
                if its_tag == tag && row.is_some_and(&is_key) {
                    return row;
                }
            }
        }
        if self.overflow.is_empty() { None } else { self.overflow.get(&key).copied() }
    }

    /// Adds a key that is not there. `key_of` gives the keys of the rows that are.
    pub(crate) fn add(&mut self, key: K, row: u32, key_of: impl Fn(u32) -> Option<K>) {
        if (self.count + 1) * 4 > self.buckets.len() * PLACES * 3 {
            self.grow(key_of);
        }
        self.count += 1;
        if !self.settle(key.tag(), row) {
            self.overflow.insert(key, row);
        }
    }

    /// Removes a key with its row.
    pub(crate) fn remove(&mut self, key: K, row: u32) {
        let wanted = place(key.tag(), row);
        for home in self.homes(key.tag()) {
            let Some(bucket) = self.buckets.get_mut(home) else { continue };
            let Some(at) = bucket.iter().position(|place| *place == wanted) else { continue };
            let last = load(bucket) - 1;
            bucket.swap(at, last);
            if let Some(place) = bucket.get_mut(last) {
                *place = 0;
            }
            self.count -= 1;
            return;
        }
        if self.overflow.remove(&key).is_some() {
            self.count -= 1;
        }
    }

    /// The two buckets of a tag: its low bits, and those of its product with an odd number.
    fn homes(&self, tag: u32) -> [usize; 2] {
        let mask = self.buckets.len() - 1;
        let (one, other) = (tag, tag.wrapping_mul(0x9e37_79b1).rotate_left(15) ^ 0x5bd1_e995);
        [one, other].map(|bits| usize::try_from(bits).unwrap_or(0) & mask)
    }

    /// Puts a row into the emptier of its buckets; `false` if both are full.
    fn settle(&mut self, tag: u32, row: u32) -> bool {
        let homes = self.homes(tag).map(|home| (self.buckets.get(home).map_or(PLACES, load), home));
        let [(load, home), (other_load, other)] = homes;
        let (load, home) = if other_load < load { (other_load, other) } else { (load, home) };
        let free = self.buckets.get_mut(home).and_then(|bucket| bucket.get_mut(load));
        let Some(free) = free else { return false };
        *free = place(tag, row);
        true
    }

    fn grow(&mut self, key_of: impl Fn(u32) -> Option<K>) {
        let doubled = vec![[0; PLACES]; self.buckets.len() * 2];
        let former = std::mem::replace(&mut self.buckets, doubled);
        for (tag, row) in former.into_iter().flatten().map(parts) {
            let Some(row) = row else { continue };
            if !self.settle(tag, row) {
                self.overflow.extend(key_of(row).map(|key| (key, row)));
            }
        }
        for (key, row) in std::mem::take(&mut self.overflow) {
            if !self.settle(key.tag(), row) {
                self.overflow.insert(key, row);
            }
        }
    }
}

impl Key for PublicKey {
    fn tag(&self) -> u32 {
        let [one, two, three, four] = numbers(&self.0);
        mix(one ^ three, two ^ four)
    }
}

impl Key for CommandId {
    fn tag(&self) -> u32 {
        let [one, two] = numbers(&self.0);
        mix(one, two)
    }
}

fn numbers<const N: usize>(bytes: &[u8]) -> [u64; N] {
    let mut numbers = [0; N];
    for (number, bytes) in numbers.iter_mut().zip(bytes.as_chunks().0) {
        *number = u64::from_le_bytes(*bytes);
    }
    numbers
}

/// The middle of a 128-bit product, in which every bit of both sides counts.
fn mix(one: u64, two: u64) -> u32 {
    let product =
        u128::from(one ^ 0x2d35_8dcc_aa6c_78a5) * u128::from(two.rotate_left(32) ^ 0x8bb8_4b93_962e_acc9);
    let [low, high] = [product, product >> 64].map(|half| half & u128::from(u64::MAX));
    let folded = (low ^ high).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    u32::try_from(folded & u128::from(u32::MAX)).unwrap_or(0)
}

fn place(tag: u32, row: u32) -> u64 {
    u64::from(tag) << 32 | (u64::from(row) + 1)
}

fn parts(place: u64) -> (u32, Option<u32>) {
    let low = |bits: u64| u32::try_from(bits & u64::from(u32::MAX)).unwrap_or(0);
    (low(place >> 32), low(place).checked_sub(1))
}

fn load(bucket: &Bucket) -> usize {
    bucket.iter().position(|place| *place == 0).unwrap_or(PLACES)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Every key has the same tag, or every other key.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
    struct Ground(u32);

    impl Key for Ground {
        fn tag(&self) -> u32 {
            if self.0.is_multiple_of(3) { 7 } else { self.0.wrapping_mul(0x85eb_ca6b) }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn an_index_is_a_map_whatever_the_keys(acts in prop::collection::vec((0_u32..400, any::<bool>()), 1..900)) {
            let (mut index, mut map) = (Index::default(), BTreeMap::new());
            for (key, is_adding) in acts {
                let found = index.find(Ground(key), |row| row == key + 1);
                prop_assert_eq!(found, map.get(&key).copied());
                match found {
                    None if is_adding => {
                        index.add(Ground(key), key + 1, |row| row.checked_sub(1).map(Ground));
                        map.insert(key, key + 1);
                    }
                    Some(row) if !is_adding => {
                        index.remove(Ground(key), row);
                        map.remove(&key);
                    }
                    _ => {}
                }
                prop_assert_eq!(index.count, map.len());
            }
        }
    }

    #[test]
    fn ids_that_are_counted_up_hardly_overflow() {
        let mut index: Index<CommandId> = Index::default();
        let id = |number: u32| CommandId(u128::from(number).to_be_bytes());
        for number in 0..100_000 {
            index.add(id(number), number, |row| Some(id(row)));
        }
        let found = (0..100_000).filter(|number| index.find(id(*number), |row| row == *number).is_some());
        assert_eq!(found.count(), 100_000);
        assert!(index.overflow.len() < 1_000, "{} of 100000", index.overflow.len());
    }
}
