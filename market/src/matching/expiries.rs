//! When listings end, the first first.

use super::Number;
use proto::Time;
use std::collections::BTreeSet;

/// The ends of listings.
#[derive(Debug, Default)]
pub(crate) struct Expiries {
    /// Twelve bytes each: the halves of the time, the upper first, and the number.
    ends: BTreeSet<[u32; 3]>,
}

impl Expiries {
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// When the first listing ends.
    pub(crate) fn next(&self) -> Option<Time> {
        let [high, low, _] = *self.ends.first()?;
        Some(Time(u64::from(high) << u32::BITS | u64::from(low)))
    }

    pub(crate) fn contains(&self, expires: Time, number: Number) -> bool {
        self.ends.contains(&end(expires, number))
    }

    pub(crate) fn insert(&mut self, expires: Time, number: Number) {
        self.ends.insert(end(expires, number));
    }

    pub(crate) fn remove(&mut self, expires: Time, number: Number) {
        self.ends.remove(&end(expires, number));
    }

    /// Takes out one that has ended at `now`.
    pub(crate) fn pop_ended(&mut self, now: Time) -> Option<Number> {
        self.next().filter(|next| *next <= now)?;
        let [.., number] = self.ends.pop_first()?;
        Some(number)
    }

    /// Forgets when a listing ends: a bug.
    #[cfg(test)]
    pub(crate) fn forget(&mut self, number: Number) {
        self.ends.retain(|[.., of]| *of != number);
    }
}

fn end(expires: Time, number: Number) -> [u32; 3] {
    let half = |half: u64| u32::try_from(half).unwrap_or(u32::MAX);
    [half(expires.0 >> u32::BITS), half(expires.0 & u64::from(u32::MAX)), number]
}
