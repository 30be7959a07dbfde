//! Buyers that have slices reserved and do not come for them: a seller reserves nothing more for them for a while.

use proto::{PublicKey, Span, Time};
use std::collections::BTreeMap;

/// For how long a buyer is turned away after its first lapse; doubled with every lapse after that time.
const FIRST_REFUSAL: Span = Span::secs(15);
/// Doublings at most: sixteen minutes.
const MAX_DOUBLINGS: u32 = 6;
/// Buyers that are remembered; who was turned away until the earliest is forgotten first.
const MAX_REMEMBERED: usize = 256;

/// Lapses by buyer.
#[derive(Debug, Default)]
pub(crate) struct Trust {
    lapses: BTreeMap<PublicKey, Lapses>,
}

#[derive(Clone, Copy, Debug)]
struct Lapses {
    count: u32,
    until: Time,
}

impl Trust {
    /// Whether nothing is reserved for `buyer` at the moment.
    pub(crate) fn turns_away(&self, buyer: PublicKey, now: Time) -> bool {
        self.lapses.get(&buyer).is_some_and(|lapses| now < lapses.until)
    }

    /// A reservation of `buyer` has ended without an offer. Those that end while it is turned away anyway, since they
    /// were made together, count as one.
    pub(crate) fn lapsed(&mut self, buyer: PublicKey, now: Time) {
        if self.turns_away(buyer, now) {
            return;
        }
        if self.lapses.len() >= MAX_REMEMBERED && !self.lapses.contains_key(&buyer) {
            let first = self.lapses.iter().min_by_key(|(_, lapses)| lapses.until).map(|(buyer, _)| *buyer);
            first.and_then(|first| self.lapses.remove(&first));
        }
        let lapses = self.lapses.entry(buyer).or_insert(Lapses { count: 0, until: now });
        lapses.until = now.after(FIRST_REFUSAL.times(1 << lapses.count.min(MAX_DOUBLINGS)));
        lapses.count = lapses.count.saturating_add(1);
    }

    /// `buyer` has come: all is forgotten.
    pub(crate) fn came(&mut self, buyer: PublicKey) {
        self.lapses.remove(&buyer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUYER: PublicKey = PublicKey([1; 32]);

    /// After lapses at these seconds: whether the buyer is turned away at others.
    fn check(lapses: &[u64], expected: &[(u64, bool)]) -> Trust {
        let mut trust = Trust::default();
        lapses.iter().for_each(|at| trust.lapsed(BUYER, Time(at * 1_000_000)));
        for (at, turns_away) in expected {
            assert_eq!(trust.turns_away(BUYER, Time(at * 1_000_000)), *turns_away, "{lapses:?} {at}");
        }
        trust
    }

    #[test]
    fn who_does_not_come_is_turned_away_for_longer_every_time_until_it_comes() {
        check(&[], &[(0, false)]);
        check(&[10, 11, 12], &[(24, true), (25, false)]);
        check(&[10, 30], &[(59, true), (60, false)]);
        let mut trust = check(&[10, 30, 70], &[(129, true), (130, false)]);
        trust.came(BUYER);
        assert!(!trust.turns_away(BUYER, Time(70_000_001)));
        trust.lapsed(BUYER, Time(80_000_000));
        assert!(!trust.turns_away(BUYER, Time(95_000_000)));
    }

    #[test]
    fn a_bounded_number_of_buyers_is_remembered() {
        let mut trust = Trust::default();
        for number in 0..300_u64 {
            let mut key = [2; 32];
            key[..8].copy_from_slice(&number.to_le_bytes());
            trust.lapsed(PublicKey(key), Time(number));
        }
        assert_eq!(trust.lapses.len(), MAX_REMEMBERED);
        trust.lapsed(BUYER, Time(400));
        assert!(trust.turns_away(BUYER, Time(401)));
    }
}
