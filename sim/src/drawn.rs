//! Random numbers that are not whole. Logarithms, powers and angles come from `libm`, whose digits are the same on every
//! machine.

use crate::dice::Dice;

/// Steps of a number between 0 and 1.
const STEPS: u64 = 1 << 53;

/// A number above 0 and at most 1.
#[expect(clippy::cast_precision_loss, reason = "at most 2^53")]
pub(crate) fn unit(dice: &mut Dice) -> f64 {
    (dice.below(STEPS) + 1) as f64 / STEPS as f64
}

/// A standard normal number (Box and Muller 1958).
pub(crate) fn normal(dice: &mut Dice) -> f64 {
    let length = libm::sqrt(-2.0 * libm::log(unit(dice)));
    length * libm::cos(2.0 * std::f64::consts::PI * unit(dice))
}

/// A gamma number of this shape and scale 1 (Marsaglia and Tsang 2000).
pub(crate) fn gamma(shape: f64, dice: &mut Dice) -> f64 {
    if shape < 1.0 {
        return gamma(shape + 1.0, dice) * libm::pow(unit(dice), 1.0 / shape);
    }
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / libm::sqrt(9.0 * d);
    loop {
        let x = normal(dice);
        let v = (1.0 + c * x) * (1.0 + c * x) * (1.0 + c * x);
        if v > 0.0 && libm::log(unit(dice)) < 0.5 * x * x + d - d * v + d * libm::log(v) {
            return d * v;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moments(mut draw: impl FnMut(&mut Dice) -> f64) -> (f64, f64) {
        let mut dice = Dice::new(1, "drawn", 0);
        let drawn: Vec<f64> = (0..40_000).map(|_| draw(&mut dice)).collect();
        let mean = drawn.iter().sum::<f64>() / 40_000.0;
        (mean, drawn.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / 40_000.0)
    }

    #[test]
    fn numbers_have_their_means_and_variances() {
        let near = |(mean, variance): (f64, f64), wanted: (f64, f64)| {
            assert!((mean - wanted.0).abs() < 0.04, "{mean} {wanted:?}");
            assert!((variance / wanted.1 - 1.0).abs() < 0.05, "{variance} {wanted:?}");
        };
        near(moments(unit), (0.5, 1.0 / 12.0));
        near(moments(normal), (0.0, 1.0));
        for shape in [0.4, 1.0, 1.626, 3.0] {
            near(moments(|dice| gamma(shape, dice)), (shape, shape));
        }
    }
}
