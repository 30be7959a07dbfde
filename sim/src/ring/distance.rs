//! How long a message takes between two nodes of a simulated ring.

use crate::dice::Dice;
use crate::network::{HeldBack, Latency};
use proto::Span;

/// The mean distance of two random points of the unit cube, in thousandths (Robbins' constant).
const MEAN_DISTANCE: f64 = 0.661_707;

/// How long messages take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Distance {
    /// Drawn anew for every message, whoever sends it.
    Drawn(Latency),
    /// The nodes are random points of a cube, and a message takes as long as the straight way between them (ToN VI).
    Space {
        /// The mean over all pairs.
        mean: Span,
        /// Which messages take longer.
        held: HeldBack,
    },
}

impl Distance {
    /// How long one message takes from a node to another, of which the first 64 bits of their ids are given.
    pub(crate) fn draw(&self, dice: &mut Dice, (from, to): (u64, u64)) -> Span {
        match self {
            Self::Drawn(latency) => latency.draw(dice, (from, to)),
            Self::Space { held, .. } => self.way(from, to).plus(held.draw(dice)),
        }
    }

    /// How long a message takes that is not held back, whenever it is sent; 0 if that is up to chance.
    pub(crate) fn way(&self, from: u64, to: u64) -> Span {
        let Self::Space { mean, .. } = self else { return Span(0) };
        let square = point(from).iter().zip(point(to)).map(|(a, b)| (a - b) * (a - b)).sum::<f64>();
        #[expect(clippy::cast_precision_loss, reason = "microseconds of a message")]
        let micros = mean.0 as f64 * square.sqrt() / MEAN_DISTANCE;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a small positive number"
        )]
        let micros = micros.round() as u64;
        Span(micros.max(1))
    }
}

/// The coordinates of a node.
fn point(prefix: u64) -> [f64; 3] {
    let word = super::number::mix(prefix);
    let part = |shift: u32| {
        #[expect(clippy::cast_precision_loss, reason = "21 bits")]
        let part = (word >> shift & 0x1F_FFFF) as f64 / f64::from(1_u32 << 21);
        part
    };
    [part(0), part(21), part(42)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_in_space_are_the_same_in_both_directions_and_have_the_mean_that_was_asked_for() {
        let space = Distance::Space { mean: Span::millis(50), held: HeldBack::NONE };
        let ways = (0..20_000_u64).map(|n| space.way(n, n + 1_000_000).0);
        let mean = ways.sum::<u64>() / 20_000;
        assert!((49_000..51_000).contains(&mean), "{mean}");
        assert_eq!(space.way(3, 9), space.way(9, 3));
    }
}
