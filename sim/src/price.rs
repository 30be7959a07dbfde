//! Between the whole micro-credits that the pricing rules reckon in and the figures of an experiment, in credits.

use proto::Rate;

/// Micro-credits of a credit.
const MICRO: f64 = 1e6;

/// `credits` per Gc as a rate: the nearest micro-credit; zero for what is negative or not a number, and the largest rate
/// for what exceeds it.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates at both ends, as it is written above"
)]
pub fn rate(credits: f64) -> Rate {
    Rate(libm::round(credits * MICRO) as u64)
}

/// A rate in credits per Gc; exact up to 2^53 micro-credits.
#[must_use]
pub fn credits(rate: Rate) -> f64 {
    rate.0 as f64 / MICRO
}

/// What `one` has over `other`, in credits per Gc: negative where it has less.
#[must_use]
pub fn difference(one: Rate, other: Rate) -> f64 {
    (i128::from(one.0) - i128::from(other.0)) as f64 / MICRO
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_become_the_nearest_micro_credit_and_stay_within_a_rate() {
        for (figure, expected) in [
            (0.0, 0),
            (1.0, 1_000_000),
            (0.000_000_4, 0),
            (0.000_000_6, 1),
            (-3.0, 0),
            (f64::NAN, 0),
            (1e30, u64::MAX),
        ] {
            assert_eq!(rate(figure), Rate(expected), "{figure}");
        }
        assert_eq!(credits(Rate(1_500_000)), 1.5);
        assert_eq!(difference(Rate(1), Rate(3)), -0.000_002);
    }
}
