//! Means with their confidence.

use statrs::distribution::{ContinuousCDF as _, StudentsT};

/// The confidence of all intervals.
pub const CONFIDENCE: f64 = 0.95;
/// Quantiles are rounded to so many digits: what they are computed with may differ between machines in the last ones.
const DIGITS: usize = 9;

/// A mean and how well it is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// How many values.
    pub count: u32,
    /// Their mean.
    pub mean: f64,
    /// Half the width of the confidence interval by Student's t; 0 where all values are the same, and none for a
    /// single value, of which nothing is known.
    pub half_width: Option<f64>,
}

impl Interval {
    /// The mean of `values` with [`CONFIDENCE`]; none where there are none.
    #[must_use]
    pub fn of(values: &[f64]) -> Option<Self> {
        Self::with_error(values, 1.0 - CONFIDENCE)
    }

    /// The mean of `values` with an interval that misses it with probability `error`.
    #[must_use]
    pub(super) fn with_error(values: &[f64], error: f64) -> Option<Self> {
        let sample = Sample::of(values)?;
        let freedom = sample.count - 1.0;
        let half_width = match sample.variance {
            Some(0.0) => Some(0.0),
            Some(variance) => quantile(freedom, error).map(|t| t * (variance / sample.count).sqrt()),
            None => None,
        };
        Some(Self { count: u32::try_from(values.len()).unwrap_or(u32::MAX), mean: sample.mean, half_width })
    }
}

/// By how much the mean of `second` exceeds that of `first`, by Welch's t (1947) with probability `error` of missing it.
/// None where one of them is empty.
#[must_use]
pub fn welch(first: &[f64], second: &[f64], error: f64) -> Option<Interval> {
    let (a, b) = (Sample::of(first)?, Sample::of(second)?);
    let half_width = match (a.variance, b.variance) {
        (Some(a_variance), Some(b_variance)) => {
            let (of_a, of_b) = (a_variance / a.count, b_variance / b.count);
            let both = of_a + of_b;
            let freedom = both * both / (of_a * of_a / (a.count - 1.0) + of_b * of_b / (b.count - 1.0));
            if both == 0.0 { Some(0.0) } else { quantile(freedom, error).map(|t| t * both.sqrt()) }
        }
        _ => None,
    };
    let count = u32::try_from(first.len().min(second.len())).unwrap_or(u32::MAX);
    Some(Interval { count, mean: b.mean - a.mean, half_width })
}

/// What of some values is needed here.
struct Sample {
    count: f64,
    mean: f64,
    /// None of a single value.
    variance: Option<f64>,
}

impl Sample {
    fn of(values: &[f64]) -> Option<Self> {
        let first = values.first()?;
        let count = f64::from(u32::try_from(values.len()).unwrap_or(u32::MAX));
        // Equal values have no variance; their sum would have one, by rounding.
        if values.iter().all(|value| value == first) {
            return Some(Self { count, mean: *first, variance: (values.len() > 1).then_some(0.0) });
        }
        let mean = values.iter().sum::<f64>() / count;
        let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
        Some(Self { count, mean, variance: Some(squares / (count - 1.0)) })
    }
}

/// The value that Student's t with so many degrees of freedom exceeds in absolute value with probability `error`.
fn quantile(freedom: f64, error: f64) -> Option<f64> {
    let exact = StudentsT::new(0.0, 1.0, freedom).ok()?.inverse_cdf(1.0 - error / 2.0);
    format!("{exact:.DIGITS$e}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quantiles_are_those_of_the_tables() {
        // From any table of Student's t: two-sided, 5 % and 1 %.
        for (freedom, error, expected) in [
            (1.0, 0.05, 12.706_204_74),
            (4.0, 0.05, 2.776_445_11),
            (9.0, 0.05, 2.262_157_16),
            (19.0, 0.05, 2.093_024_05),
            (19.0, 0.01, 2.860_934_61),
            (1_000.0, 0.05, 1.962_339_08),
        ] {
            let found = quantile(freedom, error).unwrap();
            assert!((found - expected).abs() < 1e-7, "{freedom} {error}: {found}");
        }
    }

    #[test]
    fn an_interval_has_the_width_that_is_worked_by_hand() {
        // 1 … 5: mean 3, variance 2.5, 2.776445 × √(2.5 / 5) = 1.963243.
        let interval = Interval::of(&[1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
        assert_eq!((interval.count, interval.mean), (5, 3.0));
        assert!((interval.half_width.unwrap() - 1.963_243_2).abs() < 1e-6, "{interval:?}");
        assert_eq!(Interval::of(&[0.1; 7]), Some(Interval { count: 7, mean: 0.1, half_width: Some(0.0) }));
        assert_eq!(Interval::of(&[4.0]), Some(Interval { count: 1, mean: 4.0, half_width: None }));
        assert_eq!(Interval::of(&[]), None);
    }

    #[test]
    fn two_samples_differ_by_what_is_worked_by_hand() {
        // Means 3 and 7; s² / n = 2.5 / 5 = 0.5 and 4 / 3; freedom = (11/6)² / (0.25/4 + (16/9)/2) = 3.5329.
        let difference = welch(&[1.0, 2.0, 3.0, 4.0, 5.0], &[5.0, 7.0, 9.0], 0.05).unwrap();
        assert!((difference.mean - 4.0).abs() < 1e-12);
        let half_width = difference.half_width.unwrap();
        let t = half_width / (11.0_f64 / 6.0).sqrt();
        assert!((2.776_4..3.182_5).contains(&t), "t for 3.53 degrees lies between those for 4 and 3: {t}");
        assert_eq!(welch(&[1.0; 3], &[1.0; 2], 0.05).and_then(|same| same.half_width), Some(0.0));
        assert_eq!(welch(&[1.0], &[1.0, 2.0], 0.05).and_then(|one| one.half_width), None);
    }
}
