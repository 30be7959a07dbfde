//! Randomness with a seed: whole numbers only, so that one seed gives one world on every machine.

use proto::Span;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A stream of random numbers.
#[derive(Clone, Debug)]
pub struct Dice(ChaCha8Rng);

/// The 32 bytes that stand for `seed` in one use of it: each purpose and number has its own stream.
#[must_use]
pub(crate) fn derive(seed: u64, purpose: &str, number: u64) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes()).update(&number.to_le_bytes()).update(purpose.as_bytes());
    *hasher.finalize().as_bytes()
}

impl Dice {
    /// The stream of `purpose`.
    #[must_use]
    pub(crate) fn new(seed: u64, purpose: &str, number: u64) -> Self {
        Self(ChaCha8Rng::from_seed(derive(seed, purpose, number)))
    }

    /// A number below `bound`, by multiplication (the bias is below `bound` / 2^64); 0 for a bound of 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        let product = u128::from(self.0.next_u64()) * u128::from(bound);
        u64::try_from(product >> 64).unwrap_or(0)
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low.saturating_add(self.below(high.saturating_sub(low).saturating_add(1)))
    }

    /// Whether something happens that happens `per_mille` times in a thousand.
    pub(crate) fn is_hit(&mut self, per_mille: u32) -> bool {
        per_mille > 0 && self.below(1_000) < u64::from(per_mille)
    }

    /// An exponentially distributed duration, by von Neumann's method of comparing uniform numbers (1951): exact
    /// and without logarithms, whose last digits differ between machines.
    pub(crate) fn exponential(&mut self, mean: Span) -> Span {
        let mut whole = 0_u64;
        loop {
            let first = self.0.next_u64();
            let (mut last, mut length) = (first, 1_u32);
            loop {
                let next = self.0.next_u64();
                if next >= last {
                    break;
                }
                (last, length) = (next, length + 1);
            }
            if length % 2 == 1 {
                let part = (u128::from(first) * u128::from(mean.0)) >> 64;
                return Span(mean.0.saturating_mul(whole).saturating_add(u64::try_from(part).unwrap_or(0)));
            }
            whole += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exponential_duration_has_its_mean_and_its_tail() {
        let mut dice = Dice::new(1, "test", 0);
        let drawn: Vec<u64> = (0..20_000).map(|_| dice.exponential(Span(1_000)).0).collect();
        let mean = drawn.iter().sum::<u64>() / 20_000;
        let tail = drawn.iter().filter(|span| **span > 3_000).count();
        // The mean is 1000 ± 7 (one standard deviation); e^-3 of 20,000 are 996 ± 31.
        assert!((970..1_030).contains(&mean), "{mean}");
        assert!((850..1_150).contains(&tail), "{tail}");
    }

    #[test]
    fn purposes_have_streams_of_their_own() {
        assert_ne!(derive(1, "net", 0), derive(1, "net", 1));
        assert_ne!(derive(1, "net", 0), derive(1, "key", 0));
        assert_ne!(derive(1, "net", 0), derive(2, "net", 0));
        let numbers = |seed| {
            let mut dice = Dice::new(seed, "test", 0);
            [dice.between(3, 9), dice.below(1 << 40), dice.between(5, 5)]
        };
        assert_eq!(numbers(7), numbers(7));
        assert_eq!(numbers(7)[2], 5);
    }

    #[test]
    fn what_never_happens_never_happens_and_what_always_happens_always_does() {
        let mut dice = Dice::new(1, "test", 0);
        assert!((0..1_000).all(|_| !dice.is_hit(0) && dice.is_hit(1_000)));
        assert_eq!(dice.below(0), 0);
    }
}
