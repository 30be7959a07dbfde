//! Messages that are held back, so that later ones overtake them.

use crate::dice::Dice;
use proto::Span;

/// Some messages take longer than their way: any time up to a bound on top.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeldBack {
    /// How many in a thousand; 0: none.
    pub per_mille: u32,
    /// For how long at most.
    pub most: Span,
}

/// Why messages cannot be held back so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeldBackError {
    /// Not a share.
    #[error("expected at most 1000 messages in a thousand to be held back, and not {0}")]
    Share(u32),
    /// A share of the messages, for no time; or a time, for no message.
    #[error("expected a share of the messages and how long they are held back, or neither")]
    Half,
}

impl HeldBack {
    /// No message is.
    pub const NONE: Self = Self { per_mille: 0, most: Span(0) };

    /// So many in a thousand, for so long at most.
    ///
    /// # Errors
    /// More than all, or only one of the two is 0.
    pub const fn new(per_mille: u32, most: Span) -> Result<Self, HeldBackError> {
        if per_mille > 1_000 {
            return Err(HeldBackError::Share(per_mille));
        }
        if (per_mille == 0) != (most.0 == 0) {
            return Err(HeldBackError::Half);
        }
        Ok(Self { per_mille, most })
    }

    /// How much longer than its way one message takes.
    pub(crate) fn draw(&self, dice: &mut Dice) -> Span {
        if dice.is_hit(self.per_mille) { Span(dice.between(1, self.most.0)) } else { Span(0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Latency;

    const WAY: Span = Span::millis(10);
    const MOST: Span = Span::millis(50);

    /// When messages arrive of which one is sent every millisecond.
    fn arrivals(held: HeldBack) -> Vec<u64> {
        let mut dice = Dice::new(1, "held", 0);
        let latency = Latency::HeldBack { ways: Box::new(Latency::Constant(WAY)), held };
        (0..10_000).map(|sent| sent * 1_000 + latency.draw(&mut dice, (0, 1)).0).collect()
    }

    #[test]
    fn the_share_that_is_held_back_is_overtaken_and_no_other_message() {
        let kept = arrivals(HeldBack::NONE);
        assert!(kept.windows(2).all(|two| two[1] - two[0] == 1_000));
        let late = arrivals(HeldBack::new(100, MOST).unwrap());
        let delays = || late.iter().zip(&kept).map(|(late, kept)| late - kept);
        let held = delays().filter(|delay| *delay > 0).count();
        // 1,000 ± 30, one standard deviation.
        assert!((880..1_120).contains(&held), "{held}");
        assert!(delays().max().is_some_and(|most| (49_000..=MOST.0).contains(&most)));
        let overtaken = late.windows(2).filter(|two| two[1] < two[0]).count();
        // Of those that are held back, all but the fiftieth part that are late by less than a millisecond, and those
        // before another that is.
        assert!((780..1_100).contains(&overtaken), "{overtaken}");
    }

    #[test]
    fn what_holds_nothing_back_or_more_than_all_is_refused() {
        for (per_mille, most, expected) in [
            (0, Span(0), Ok(HeldBack::NONE)),
            (1_000, MOST, Ok(HeldBack { per_mille: 1_000, most: MOST })),
            (1_001, MOST, Err(HeldBackError::Share(1_001))),
            (0, MOST, Err(HeldBackError::Half)),
            (5, Span(0), Err(HeldBackError::Half)),
        ] {
            assert_eq!(HeldBack::new(per_mille, most), expected);
        }
    }
}
