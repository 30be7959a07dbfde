//! The distributions that populations are made of, by the streams of [`Dice`].
//!
//! Logarithms, powers and angles come from `libm`, whose digits are the same on every machine.

use crate::dice::Dice;

/// A number from 0 up to but without 1, of 53 random bits.
pub fn unit(dice: &mut Dice) -> f64 {
    const STEPS: u64 = 1 << 53;
    dice.below(STEPS) as f64 / STEPS as f64
}

/// A number above 0 up to and with 1: what a logarithm can be taken of.
fn above_zero(dice: &mut Dice) -> f64 {
    1.0 - unit(dice)
}

/// Whether something happens that has this probability.
pub fn happens(dice: &mut Dice, probability: f64) -> bool {
    unit(dice) < probability
}

/// Evenly from `low` to `high`.
pub fn uniform(dice: &mut Dice, low: f64, high: f64) -> f64 {
    low + (high - low) * unit(dice)
}

/// Exponential with this mean, by its inverse.
pub fn exponential(dice: &mut Dice, mean: f64) -> f64 {
    -mean * libm::log(above_zero(dice))
}

/// Weibull: `P(X > x) = exp(-(x/scale)^shape)`.
pub fn weibull(dice: &mut Dice, shape: f64, scale: f64) -> f64 {
    scale * libm::pow(-libm::log(above_zero(dice)), 1.0 / shape)
}

/// Pareto: `P(X > x) = (least/x)^shape` for x of at least `least`.
pub fn pareto(dice: &mut Dice, shape: f64, least: f64) -> f64 {
    least * libm::pow(above_zero(dice), -1.0 / shape)
}

/// Normal with mean 0 and variance 1 (Box and Muller 1958).
pub fn normal(dice: &mut Dice) -> f64 {
    let radius = libm::sqrt(-2.0 * libm::log(above_zero(dice)));
    radius * libm::cos(std::f64::consts::TAU * unit(dice))
}

/// Lognormal: the logarithm is normal with mean `ln(median)` and standard deviation `sigma`.
pub fn lognormal(dice: &mut Dice, median: f64, sigma: f64) -> f64 {
    median * libm::exp(sigma * normal(dice))
}

/// The share of a standard normal distribution below `z`.
#[must_use]
pub fn normal_share(z: f64) -> f64 {
    libm::erfc(-z / std::f64::consts::SQRT_2) / 2.0
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The mean and the quantiles of 40,000 draws.
    pub(crate) fn drawn(mut draw: impl FnMut(&mut Dice) -> f64) -> (f64, impl Fn(f64) -> f64) {
        const DRAWS: usize = 40_000;
        let mut dice = Dice::new(1, "test", 0);
        let mut all: Vec<f64> = (0..DRAWS).map(|_| draw(&mut dice)).collect();
        let mean = all.iter().sum::<f64>() / DRAWS as f64;
        all.sort_by(f64::total_cmp);
        (mean, move |share: f64| all[(share * DRAWS as f64) as usize])
    }

    pub(crate) fn near(found: f64, expected: f64, tolerance: f64) {
        assert!((found - expected).abs() <= tolerance, "{found} is not {expected} ± {tolerance}");
    }

    #[test]
    fn distributions_have_their_means_and_medians() {
        // Tolerances are four standard deviations of the mean; of medians about as much.
        let check = |name: &str, draw: fn(&mut Dice) -> f64, mean: f64, median: f64, tolerance: f64| {
            let (found, quantile) = drawn(draw);
            assert!((found - mean).abs() < tolerance, "{name}: mean {found}");
            assert!((quantile(0.5) - median).abs() < tolerance, "{name}: median {}", quantile(0.5));
        };
        check("uniform", |dice| uniform(dice, 2.0, 4.0), 3.0, 3.0, 0.02);
        check("exponential", |dice| exponential(dice, 2.0), 2.0, 2.0 * 0.693_147, 0.04);
        check("normal", normal, 0.0, 0.0, 0.025);
        check("lognormal", |dice| lognormal(dice, 2.0, 0.5), 2.0 * 1.133_148, 2.0, 0.03);
        check("pareto", |dice| pareto(dice, 3.0, 2.0), 3.0, 2.0 * 1.259_921, 0.04);
        // The KAD sessions of reference §6.2 in minutes: median 93, mean 247.
        check("weibull", |dice| weibull(dice, 0.615_11, 169.538_5) / 100.0, 2.47, 0.934, 0.09);
    }

    #[test]
    fn the_share_below_a_deviation_is_that_of_the_tables() {
        for (z, share) in [(0.0, 0.5), (1.0, 0.841_344_746), (-1.96, 0.024_997_895), (3.0, 0.998_650_102)] {
            near(normal_share(z), share, 1e-9);
        }
    }
}
