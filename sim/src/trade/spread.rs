//! Where within the window the markets lie.

use super::Spread;
use crate::dice::Dice;
use crate::drawn::{normal, unit};

/// The standard deviation of the logarithm, for [`Spread::LogNormal`].
const SIGMA: f64 = 0.5;
/// Three of four fall into the lower half, for [`Spread::Fractal`].
const LOWER: (u64, u64) = (3, 4);

impl Spread {
    /// A class below `window`.
    pub(super) fn draw(self, window: u32, dice: &mut Dice) -> u32 {
        let last = window.max(1) - 1;
        let wide = u64::from(window.max(1));
        match self {
            Self::Uniform => small(dice.below(wide)),
            Self::Narrow => small(wide / 4 + dice.below(wide.div_ceil(2))).min(last),
            Self::LogNormal => class(f64::from(window) / 4.0 * libm::exp(SIGMA * normal(dice)), last),
            Self::LogUniform => class(libm::pow(f64::from(window), unit(dice)) - 1.0, last),
            Self::Fractal => {
                let (mut low, mut high) = (0, wide);
                while high - low > 1 {
                    let middle = u64::midpoint(low, high);
                    if dice.below(LOWER.1) < LOWER.0 { high = middle } else { low = middle }
                }
                small(low)
            }
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between two limits")]
fn class(number: f64, last: u32) -> u32 {
    number.clamp(0.0, f64::from(last)) as u32
}

fn small(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of a thousand draws are below a quarter, a half and three quarters of the window.
    fn check(spread: Spread, expected: [u32; 3]) {
        let mut dice = Dice::new(1, "spread", 0);
        let drawn: Vec<u32> = (0..20_000).map(|_| spread.draw(1 << 20, &mut dice)).collect();
        let below =
            |limit: u32| u32::try_from(drawn.iter().filter(|class| **class < limit).count()).unwrap() / 20;
        let found = [1 << 18, 1 << 19, 3 << 18].map(below);
        let is_near = found.iter().zip(expected).all(|(found, wanted)| found.abs_diff(wanted) <= 12);
        assert!(is_near, "{spread:?}: {found:?}");
    }

    #[test]
    fn each_spread_has_its_quartiles() {
        check(Spread::Uniform, [250, 500, 750]);
        check(Spread::Narrow, [0, 500, 1_000]);
        // Φ of 0, of 2 ln 2 and of 2 ln 3.
        check(Spread::LogNormal, [500, 917, 986]);
        // 1 - log 4 / log 2^20 and so on.
        check(Spread::LogUniform, [900, 950, 979]);
        check(Spread::Fractal, [562, 750, 937]);
    }
}
