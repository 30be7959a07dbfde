//! How long a message is on its way: drawn anew for each, from places on a map, or from a table.
//!
//! Messages whose times are drawn overtake each other; where none is, some can be held back ([`HeldBack`]). Who sends to whom matters for [`Latency::Map`] and
//! [`Latency::Matrix`] only.

mod held;
mod map;
mod matrix;

pub use held::{HeldBack, HeldBackError};
pub use map::Map;
pub use matrix::{MAX_ROWS, Matrix, MatrixError};

use crate::dice::Dice;
use crate::drawn::normal;
use proto::Span;
use std::sync::Arc;

/// The least and the most that jitter makes of a way.
const JITTER: (f64, f64) = (0.5, 1.5);

/// How long a message is on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Latency {
    /// Always as long.
    Constant(Span),
    /// Anything between two durations with the same chance.
    Uniform {
        /// The shortest.
        least: Span,
        /// The longest.
        most: Span,
    },
    /// A part that no message is faster than, and an exponential one.
    Exponential {
        /// The shortest.
        least: Span,
        /// The mean of what comes on top.
        mean: Span,
    },
    /// As far as the two are from each other on a map of the internet.
    Map(Map),
    /// As a table says, with jitter.
    Matrix {
        /// The table; nodes beyond its last row begin at its first again.
        ways: Arc<Matrix>,
        /// The standard deviation of the jitter, in percent of the way.
        jitter_pct: u32,
    },
    /// As `ways` say, but that some messages are held back: for ways that keep the order.
    HeldBack {
        /// How long the others take.
        ways: Box<Self>,
        /// Which, and for how long.
        held: HeldBack,
    },
}

impl Latency {
    /// How long one message takes from a process to another, by any numbers that tell them apart.
    pub(crate) fn draw(&self, dice: &mut Dice, (from, to): (u64, u64)) -> Span {
        match self {
            Self::Constant(span) => *span,
            Self::Uniform { least, most } => Span(dice.between(least.0, most.0)),
            Self::Exponential { least, mean } => least.plus(dice.exponential(*mean)),
            Self::Map(map) => jittered(map.way(from, to), map.jitter_pct, dice),
            Self::Matrix { ways, jitter_pct } => jittered(ways.way(from, to), *jitter_pct, dice),
            Self::HeldBack { ways, held } => {
                let way = ways.draw(dice, (from, to));
                way.plus(held.draw(dice))
            }
        }
    }

    /// The longest that a message takes; none where nothing bounds it, or only the places do.
    pub(crate) fn longest(&self) -> Option<Span> {
        match self {
            Self::Constant(span) => Some(*span),
            Self::Uniform { most, .. } => Some(*most),
            Self::Exponential { .. } | Self::Map(_) | Self::Matrix { .. } => None,
            Self::HeldBack { ways, held } => Some(ways.longest()?.plus(held.most)),
        }
    }
}

/// A way that varies by a normal share of itself, within limits (OverSim's jitter; reference §6.3).
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "microseconds of a message"
)]
fn jittered(way: Span, jitter_pct: u32, dice: &mut Dice) -> Span {
    if jitter_pct == 0 {
        return way;
    }
    let (least, most) = JITTER;
    let factor = (1.0 + f64::from(jitter_pct) / 100.0 * normal(dice)).clamp(least, most);
    Span(libm::round(way.0 as f64 * factor) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_varies_a_way_by_its_share_and_within_its_limits() {
        let mut dice = Dice::new(1, "jitter", 0);
        let ways = Arc::new("0 100\n100 0\n".parse().unwrap());
        let table = Latency::Matrix { ways, jitter_pct: 10 };
        let drawn: Vec<f64> =
            (0..10_000).map(|_| table.draw(&mut dice, (0, 1)).0 as f64 / 100_000.0).collect();
        let mean = drawn.iter().sum::<f64>() / 10_000.0;
        let deviation = (drawn.iter().map(|way| (way - mean) * (way - mean)).sum::<f64>() / 10_000.0).sqrt();
        assert!((mean - 1.0).abs() < 0.005 && (deviation - 0.1).abs() < 0.005, "{mean} {deviation}");
        assert!(drawn.iter().all(|way| (0.5..=1.5).contains(way)));
    }
}
