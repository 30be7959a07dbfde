//! How long something lasts.

use crate::dice::Dice;
use crate::drawn::{gamma, normal, unit};
use proto::Span;

/// The distribution of a stay or an absence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Lengths {
    /// Exponential: what has lasted says nothing of what is left.
    Exponential {
        /// The mean.
        mean: Span,
    },
    /// Weibull; with a shape below 1 who has stayed for long stays longer.
    Weibull {
        /// k.
        shape: f64,
        /// λ.
        scale: Span,
    },
    /// Log-normal.
    LogNormal {
        /// e^μ.
        median: Span,
        /// σ.
        sigma: f64,
    },
}

impl Lengths {
    /// The mean, in seconds.
    #[must_use]
    pub fn mean_s(self) -> f64 {
        match self {
            Self::Exponential { mean } => mean.as_secs_f64(),
            Self::Weibull { shape, scale } => scale.as_secs_f64() * libm::tgamma(1.0 + 1.0 / shape),
            Self::LogNormal { median, sigma } => median.as_secs_f64() * libm::exp(sigma * sigma / 2.0),
        }
    }

    /// All lengths times `factor`.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        let times = |of: Span| span(of.as_secs_f64() * factor);
        match self {
            Self::Exponential { mean } => Self::Exponential { mean: times(mean) },
            Self::Weibull { shape, scale } => Self::Weibull { shape, scale: times(scale) },
            Self::LogNormal { median, sigma } => Self::LogNormal { median: times(median), sigma },
        }
    }

    /// One of them.
    pub(crate) fn draw(self, dice: &mut Dice) -> Span {
        match self {
            Self::Exponential { mean } => dice.exponential(mean),
            Self::Weibull { shape, scale } => {
                span(scale.as_secs_f64() * libm::pow(-libm::log(unit(dice)), 1.0 / shape))
            }
            Self::LogNormal { median, sigma } => span(median.as_secs_f64() * libm::exp(sigma * normal(dice))),
        }
    }

    /// What is left of one at a moment that has nothing to do with it: a Weibull one is λ·G^(1/k) for a gamma number G of
    /// shape 1/k, a log-normal one an even part of one whose median is e^σ² times as long.
    pub(crate) fn residual(self, dice: &mut Dice) -> Span {
        match self {
            Self::Exponential { mean } => dice.exponential(mean),
            Self::Weibull { shape, scale } => {
                span(scale.as_secs_f64() * libm::pow(gamma(1.0 / shape, dice), 1.0 / shape))
            }
            Self::LogNormal { median, sigma } => {
                let whole = median.as_secs_f64() * libm::exp(sigma * sigma + sigma * normal(dice));
                span(whole * unit(dice))
            }
        }
    }
}

/// So many seconds, at least a microsecond.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "limited, and what is too long ends at the limit"
)]
fn span(seconds: f64) -> Span {
    /// Longer than anything lasts: 30,000 years.
    const MOST: f64 = 1e18;
    Span(libm::round(seconds * 1e6).clamp(1.0, MOST) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::churn::Churn;

    const DRAWN: usize = 40_001;

    fn sorted(mut draw: impl FnMut(&mut Dice) -> Span) -> Vec<f64> {
        let mut dice = Dice::new(1, "lengths", 0);
        let mut drawn: Vec<f64> = (0..DRAWN).map(|_| draw(&mut dice).as_secs_f64()).collect();
        drawn.sort_by(f64::total_cmp);
        drawn
    }

    /// The mean and the median of the reference (§6.2), in seconds.
    fn check(lengths: Lengths, mean: f64, median: f64) {
        assert!((lengths.mean_s() / mean - 1.0).abs() < 0.02, "{lengths:?}: {}", lengths.mean_s());
        let found = sorted(|dice| lengths.draw(dice))[DRAWN / 2];
        assert!((found / median - 1.0).abs() < 0.06, "{lengths:?}: {found}");
    }

    #[test]
    fn stays_and_absences_have_the_means_and_medians_of_their_sources() {
        let minutes = |minutes: f64| 60.0 * minutes;
        let hours = |hours: f64| 3_600.0 * hours;
        check(Churn::P2PSIM.stay, 3_600.0, 3_600.0 * std::f64::consts::LN_2);
        check(Churn::OVERSIM.stay, 10_000.0, 2_402.0);
        check(Churn::BITTORRENT.stay, minutes(119.0), minutes(7.25));
        check(Churn::BITTORRENT_2.stay, minutes(163.0), minutes(16.2));
        check(Churn::BITTORRENT_3.stay, minutes(64.5), minutes(22.5));
        check(Churn::BOINC.stay, hours(10.4), hours(1.17));
        check(Churn::BOINC.away, hours(31.8), hours(0.557));
        check(Churn::KAD.stay, minutes(247.0), minutes(93.4));
    }

    /// P(what is left < x) is the integral of P(a whole one > t) up to x over the mean: summed up here, and counted.
    fn check_residual(lengths: Lengths, x: f64) {
        let whole = sorted(|dice| lengths.draw(dice));
        let left = sorted(|dice| lengths.residual(dice));
        let below = left.partition_point(|left| *left < x) as f64 / DRAWN as f64;
        let expected = whole.iter().map(|whole| whole.min(x)).sum::<f64>() / DRAWN as f64 / lengths.mean_s();
        assert!((below - expected).abs() < 0.01, "{lengths:?}: {below} {expected}");
    }

    #[test]
    fn what_is_left_in_equilibrium_follows_from_the_whole() {
        for lengths in
            [Churn::P2PSIM.stay, Churn::OVERSIM.stay, Churn::KAD.stay, Churn::KAD.away, Churn::BOINC.away]
        {
            for share in [0.1, 0.5, 2.0] {
                check_residual(lengths, share * lengths.mean_s());
            }
        }
        check_residual(Lengths::Weibull { shape: 2.0, scale: Span::secs(100) }, 50.0);
    }
}
