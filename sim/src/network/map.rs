//! The internet as a map: nodes lie in the plane where six clouds of hosts are, and a millisecond is a unit.

use crate::dice::Dice;
use crate::drawn::normal;
use proto::Span;

/// A map of the internet.
///
/// Places are drawn from six Gaussian clouds that were fitted to the Skitter coordinates of OverSim (reference §6.3);
/// each node has an access delay besides, log-normal with a median of 4 ms and σ = 0.8 (an assumption there).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Map {
    /// The same seed gives the same places.
    pub seed: u64,
    /// Whether nodes have access delays.
    pub has_access: bool,
    /// The standard deviation of the jitter, in percent of the way.
    pub jitter_pct: u32,
}

/// The weight of a cloud in ten-thousandths, its middle, and its covariances xx, xy and yy (reference §6.3).
const CLOUDS: [(u32, (f64, f64), [f64; 3]); 6] = [
    (3_412, (-24.7, -70.5), [285.0, -10.7, 77.9]),
    (3_023, (-26.8, -0.3), [50.1, 46.9, 142.4]),
    (1_120, (-2.2, -11.3), [149.6, 106.0, 308.7]),
    (1_088, (-20.8, -15.5), [6_558.6, 656.8, 6_765.7]),
    (926, (53.6, 60.1), [432.6, -344.4, 451.1]),
    (432, (45.4, 92.7), [1_344.1, -228.3, 1_555.7]),
];
/// The median of the access delays, in milliseconds, and σ.
const ACCESS: (f64, f64) = (4.0, 0.8);

/// Where a node is, in milliseconds, and its access delay.
struct Site {
    x: f64,
    y: f64,
    access: f64,
}

impl Map {
    /// A map with access delays and a jitter of 10 % (reference §6.3).
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { seed, has_access: true, jitter_pct: 10 }
    }

    /// The way between two nodes without jitter, the same in both directions.
    pub(crate) fn way(&self, from: u64, to: u64) -> Span {
        let (one, other) = (self.site(from), self.site(to));
        let straight = libm::hypot(one.x - other.x, one.y - other.y);
        let access = if self.has_access { one.access + other.access } else { 0.0 };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a small positive number"
        )]
        let micros = libm::round((straight + access) * 1_000.0) as u64;
        Span(micros.max(1))
    }

    /// The place of a node follows from its number, and is drawn whenever it is asked for.
    fn site(&self, number: u64) -> Site {
        let mut dice = Dice::new(self.seed, "site", number);
        let all: u32 = CLOUDS.iter().map(|(weight, ..)| weight).sum();
        let mut rest = dice.below(all.into());
        let [mut cloud, ..] = CLOUDS;
        for next in CLOUDS {
            cloud = next;
            let weight = u64::from(next.0);
            if rest < weight {
                break;
            }
            rest -= weight;
        }
        let (_, (x, y), [xx, xy, yy]) = cloud;
        let (first, second) = (normal(&mut dice), normal(&mut dice));
        // Cholesky's factor of the covariances.
        let along = libm::sqrt(xx);
        let across = xy / along;
        let rest = libm::sqrt(yy - across * across);
        let (median, sigma) = ACCESS;
        Site {
            x: x + along * first,
            y: y + across * first + rest * second,
            access: median * libm::exp(sigma * normal(&mut dice)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(of: impl Fn(u64) -> f64) -> Vec<f64> {
        let mut all: Vec<f64> = (0..20_000).map(of).collect();
        all.sort_by(f64::total_cmp);
        all
    }

    #[test]
    fn ways_have_the_quantiles_of_the_reference() {
        let map = Map { has_access: false, ..Map::new(1) };
        let ways = sorted(|number| map.way(2 * number, 2 * number + 1).as_secs_f64() * 1_000.0);
        for (percent, expected) in
            [(5, 10.0), (25, 34.0), (50, 71.0), (75, 109.0), (90, 160.0), (95, 183.0), (99, 244.0)]
        {
            let found: f64 = ways[ways.len() * percent / 100];
            assert!((found / expected - 1.0).abs() < 0.08, "{percent} %: {found} ms, {expected}");
        }
    }

    #[test]
    fn access_has_its_median_and_ways_are_the_same_in_both_directions() {
        let map = Map::new(2);
        let access = sorted(|number| map.site(number).access);
        assert!((access[10_000] - 4.0).abs() < 0.1, "{}", access[10_000]);
        assert_eq!(map.way(3, 9), map.way(9, 3));
        assert_ne!(map.way(3, 9), Map::new(3).way(3, 9));
    }
}
