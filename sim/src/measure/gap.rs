//! How much a false report gains: the gap to incentive compatibility (reference §5.6).
//!
//! In each auction one seller's report is moved over a grid while everything else stays. Two gaps follow, and they answer
//! two questions. **Before** the others' reports are known, one deviation has to be chosen for all auctions: the gap is the
//! greatest mean gain of a deviation. **Afterwards** the best one is known: the gap is the mean, and the greatest, of the
//! best gain of each auction. The first is what a seller in the market can have; a rule is truthful in dominant strategies
//! where the second is zero.

/// A gain of more than the smallest unit of money.
const NOTICEABLE: f64 = 1.5e-6;

/// The gains of deviations, over many auctions.
#[derive(Clone, Debug)]
pub struct Gap {
    /// The sum of gains of each deviation.
    sums: Vec<f64>,
    auctions: f64,
    best: f64,
    most: f64,
    gaining: f64,
}

impl Gap {
    /// No auction yet, and so many deviations in the grid.
    #[must_use]
    pub fn new(deviations: usize) -> Self {
        Self { sums: vec![0.0; deviations], auctions: 0.0, best: 0.0, most: 0.0, gaining: 0.0 }
    }

    /// One more auction: what each deviation earns more than the report itself, in
    /// the grid's order and in credits per Gc.
    pub fn note(&mut self, gains: impl IntoIterator<Item = f64>) {
        let mut best = 0.0_f64;
        for (sum, gain) in self.sums.iter_mut().zip(gains) {
            *sum += gain;
            best = best.max(gain);
        }
        self.auctions += 1.0;
        self.best += best;
        self.most = self.most.max(best);
        if best > NOTICEABLE {
            self.gaining += 1.0;
        }
    }

    /// The greatest mean gain of one deviation, at least zero (who does not deviate): the gap before the others are known.
    #[must_use]
    pub fn before(&self) -> Option<f64> {
        let best = self.sums.iter().copied().fold(0.0, f64::max);
        super::ratio(best, self.auctions)
    }

    /// Which deviation of the grid has the greatest mean gain; none where none has one.
    #[must_use]
    pub fn best_deviation(&self) -> Option<usize> {
        let best = self.sums.iter().copied().fold(0.0, f64::max);
        (best > 0.0).then(|| self.sums.iter().position(|sum| *sum >= best))?
    }

    /// The mean of the best gain of each auction: the gap once the others are known.
    #[must_use]
    pub fn afterwards(&self) -> Option<f64> {
        super::ratio(self.best, self.auctions)
    }

    /// The greatest gain of any deviation in any auction.
    #[must_use]
    pub const fn most(&self) -> f64 {
        self.most
    }

    /// The share of auctions in which some deviation gains more than a micro-credit.
    #[must_use]
    pub fn gaining(&self) -> Option<f64> {
        super::ratio(self.gaining, self.auctions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gap_before_is_that_of_one_deviation_and_the_gap_afterwards_that_of_the_best() {
        let mut gap = Gap::new(2);
        gap.note([3.0, -1.0]);
        gap.note([-2.0, 1.0]);
        gap.note([0.000_001, -1.0]);
        assert!((gap.before().unwrap() - 1.000_001 / 3.0).abs() < 1e-12);
        assert_eq!(gap.best_deviation(), Some(0));
        assert!((gap.afterwards().unwrap() - 4.000_001 / 3.0).abs() < 1e-12);
        assert_eq!((gap.most(), gap.gaining()), (3.0, Some(2.0 / 3.0)));
    }

    #[test]
    fn where_nothing_gains_the_gap_is_zero_and_no_deviation_is_best() {
        let mut gap = Gap::new(1);
        assert_eq!(gap.before(), None);
        gap.note([-1.0]);
        assert_eq!((gap.before(), gap.best_deviation(), gap.afterwards()), (Some(0.0), None, Some(0.0)));
    }
}
