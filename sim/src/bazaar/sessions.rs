//! How long hosts stay and stay away.

use crate::dice::Dice;
use proto::Span;

/// One, as the exponential numbers below are counted.
const ONE: u64 = 1 << 20;
/// The largest [`Sessions::shape`].
const MAX_SHAPE: u32 = 4;

/// A Weibull distribution whose shape parameter k is one over a whole number, for sessions and for absences alike.
///
/// A Weibull number with k = 1/n is λ·Eⁿ for an exponential E, and what is left of it at a random moment is λ·Gⁿ for
/// the sum G of n exponentials: both are drawn exactly, without logarithms, so that a seed gives one run everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sessions {
    /// n: 1 is the exponential distribution, 2 has k = 1/2, 3 has k = 1/3. At most 4 count.
    pub shape: u32,
    /// The mean.
    pub mean: Span,
}

impl Sessions {
    /// p2psim's: exponential, one hour in the mean (reference §6.2).
    pub const P2PSIM: Self = Self { shape: 1, mean: Span::secs(3_600) };
    /// OverSim's and R-Kademlia's: Weibull with k = 0.5 and a mean of 10,000 s (reference §6.2).
    pub const OVERSIM: Self = Self { shape: 2, mean: Span::secs(10_000) };
    /// `BitTorrent`'s, after Stutzbach and Rejaie (2006): k = 0.34, λ = 21.3 min (reference §6.2); here k = 1/3, so
    /// that the mean is 128 min instead of 119.
    pub const BITTORRENT: Self = Self { shape: 3, mean: Span::secs(7_668) };

    /// The length of a session, or of an absence.
    pub(crate) fn draw(self, dice: &mut Dice) -> Span {
        let drawn = dice.exponential(Span(ONE)).0;
        self.scaled(drawn)
    }

    /// What is left of one at a moment that has nothing to do with it.
    pub(crate) fn residual(self, dice: &mut Dice) -> Span {
        let drawn =
            (0..self.power()).fold(0, |sum: u64, _| sum.saturating_add(dice.exponential(Span(ONE)).0));
        self.scaled(drawn)
    }

    fn power(self) -> u32 {
        self.shape.clamp(1, MAX_SHAPE)
    }

    /// λ times `drawn` to the power n, where λ is the mean over n!.
    fn scaled(self, drawn: u64) -> Span {
        let scale = self.mean.0 / (1..=u64::from(self.power())).product::<u64>();
        let times = |sum: u128, _| sum.saturating_mul(u128::from(drawn)) / u128::from(ONE);
        let micros = (0..self.power()).fold(u128::from(scale), times);
        Span(u64::try_from(micros).unwrap_or(u64::MAX).max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Means over 40,000 numbers, in seconds: of what is drawn, of what is left; and how many in a thousand are
    /// shorter than half the mean.
    fn check(sessions: Sessions, mean: u64, left: u64, short: u64) {
        let mut dice = Dice::new(1, "test", 0);
        let drawn: Vec<u64> = (0..40_000).map(|_| sessions.draw(&mut dice).0 / 1_000_000).collect();
        let sum: u64 = (0..40_000).map(|_| sessions.residual(&mut dice).0 / 1_000_000).sum();
        let is_near = |found: u64, wanted: u64| found.abs_diff(wanted) * 20 <= wanted;
        assert!(is_near(drawn.iter().sum::<u64>() / 40_000, mean), "{sessions:?}");
        assert!(is_near(sum / 40_000, left), "{sessions:?}: {}", sum / 40_000);
        let shorter = drawn.iter().filter(|span| **span < mean / 2).count() as u64 / 40;
        assert!(is_near(shorter, short), "{sessions:?}: {shorter}");
    }

    #[test]
    fn sessions_have_their_mean_and_their_tail_and_what_is_left_of_them_too() {
        // P(X < mean/2) is 1 - exp(-(n!/2)^(1/n)); the mean of what is left is E[X²] / 2 E[X] = mean · (2n)! / 2 (n!)².
        check(Sessions::P2PSIM, 3_600, 3_600, 393);
        check(Sessions::OVERSIM, 10_000, 30_000, 632);
        check(Sessions { shape: 9, mean: Span(0) }, 0, 0, 0);
    }

    #[test]
    fn a_heavy_tail_has_its_quantiles() {
        let mut dice = Dice::new(1, "test", 0);
        let mut drawn: Vec<u64> = (0..20_001).map(|_| Sessions::BITTORRENT.draw(&mut dice).0).collect();
        drawn.sort_unstable();
        // λ·(ln 2)³ with λ = 21.3 min: 7.1 min.
        let median = drawn[10_000] / 1_000_000;
        assert!((400..452).contains(&median), "{median}");
    }
}
