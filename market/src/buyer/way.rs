//! The order in which a purchase asks markets.
//!
//! Single overlay (CompuP2P paper, IV-A1): upwards, and as long as nobody sells the step to the next market doubles, so
//! that an empty range costs the logarithm of its length in questions instead of its length (reference E8). What was
//! stepped over is asked afterwards, the smallest first, before the purchase ends without a seller.
//!
//! Processor overlay (IV-A2): the second ring names the next market in which somebody is listed, so that nothing is
//! stepped over.

use proto::Market;
use std::collections::BTreeSet;

/// Where a purchase stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Way {
    /// The market that is being asked, or the least one that will do while it is looked for.
    market: Market,
    /// How far the next step goes; none once the top was reached and what was stepped over is being asked.
    step: Option<u32>,
    /// Classes that were stepped over.
    skipped: BTreeSet<u32>,
}

/// What the owner of the present market has said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    /// Nobody is listed in the markets up to the next one.
    Empty,
    /// Somebody is, but does not fit; or the owner said nothing that helps.
    Other,
}

impl Way {
    /// From `market` upwards.
    pub(crate) const fn from(market: Market) -> Self {
        Self { market, step: Some(1), skipped: BTreeSet::new() }
    }

    pub(crate) const fn market(&self) -> Market {
        self.market
    }

    /// The second ring has named a market at or above the wanted one.
    pub(crate) const fn arrive(&mut self, market: Market) {
        self.market = market;
    }

    /// Goes on at `next`, since all below has been asked: the processor overlay's way.
    pub(crate) fn follow(self, next: Option<Market>) -> Option<Self> {
        next.map(|market| Self { market, ..self })
    }

    /// The markets from the present one to below `next` (all above, if there is none) have been asked: where to go
    /// on; nowhere when every market has been asked.
    pub(crate) fn go_on(mut self, next: Option<Market>, word: Word) -> Option<Self> {
        let top = self.market.commodity.classes();
        let next = next.map_or(top, |next| next.class);
        self.skipped.retain(|class| !(self.market.class..next).contains(class));
        if let Some(step) = self.step {
            let target = next.saturating_add(step - 1);
            self.skipped.extend(next..target.min(top));
            if target < top {
                let step = if word == Word::Empty { step.saturating_mul(2) } else { 1 };
                return Some(self.at(target, Some(step)));
            }
        }
        let lowest = self.skipped.pop_first()?;
        Some(self.at(lowest, None))
    }

    fn at(self, class: u32, step: Option<u32>) -> Self {
        Self { market: Market { class, ..self.market }, step, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::Commodity;

    const fn compute(class: u32) -> Market {
        Market { commodity: Commodity::Compute, class }
    }

    /// Asks from `from` upwards, where one owner has each `run` classes, until a class of `listed` is met.
    fn asked(from: u32, run: u32, listed: &[u32]) -> Vec<u32> {
        let mut way = Some(Way::from(compute(from)));
        let mut asked = Vec::new();
        while let Some(at) = way {
            let class = at.market().class;
            asked.push(class);
            let next = (class / run + 1) * run;
            if listed.iter().any(|listed| (class..next).contains(listed)) {
                return asked;
            }
            way = at.go_on(Some(compute(next)).filter(|next| next.class < 96), Word::Empty);
        }
        asked
    }

    #[test]
    fn the_step_doubles_while_nobody_sells() {
        assert_eq!(asked(40, 1, &[40]), [40]);
        assert_eq!(asked(40, 1, &[41]), [40, 41]);
        assert_eq!(asked(40, 1, &[55]), [40, 41, 43, 47, 55]);
        assert_eq!(asked(40, 1, &[71]), [40, 41, 43, 47, 55, 71]);
    }

    #[test]
    fn what_was_stepped_over_is_asked_before_it_is_said_that_nobody_sells() {
        assert_eq!(asked(40, 1, &[44]), [40, 41, 43, 47, 55, 71, 42, 44]);
        for (from, run) in [(0, 1), (40, 1), (95, 1), (13, 7), (3, 40), (0, 96)] {
            let (all, mut covered) = (asked(from, run, &[]), BTreeSet::new());
            for class in &all {
                covered.extend(*class..((class / run + 1) * run).min(96));
            }
            assert_eq!(covered, (from..96).collect(), "from {from}, {run} an owner: {all:?}");
            let distinct: BTreeSet<&u32> = all.iter().collect();
            assert_eq!(distinct.len(), all.len(), "nobody is asked twice: {all:?}");
        }
    }

    #[test]
    fn where_somebody_is_listed_the_step_is_one_again() {
        let mut way = Way::from(compute(10));
        for (word, expected) in [
            (Word::Empty, 11),
            (Word::Empty, 13),
            (Word::Other, 17),
            (Word::Other, 18),
            (Word::Empty, 19),
            (Word::Empty, 21),
        ] {
            let next = way.market().next();
            way = way.go_on(next, word).unwrap();
            assert_eq!(way.market(), compute(expected));
        }
        assert_eq!(way.skipped, BTreeSet::from([12, 14, 15, 16, 20]));
    }
}
