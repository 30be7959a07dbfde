//! The buyer's way upwards in the single overlay scheme (CompuP2P paper, IV-A1).
//!
//! As long as nobody sells the step to the next market doubles, so that an empty range costs the logarithm of its length
//! in questions instead of its length (reference E8). What was stepped over is asked afterwards, the smallest first,
//! before it is concluded that nobody sells: the answer stays complete.

use std::collections::BTreeSet;

/// Where a search upwards stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Climb {
    class: u32,
    top: u32,
    /// How far the next step goes; none once the top was reached and what was stepped over is being asked.
    step: Option<u32>,
    /// Classes that were stepped over.
    skipped: BTreeSet<u32>,
}

/// What the owner of the present market has said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// Nobody is listed in the markets up to the next one.
    Empty,
    /// Somebody is, but does not fit; or the owner said nothing that helps.
    Other,
}

impl Climb {
    /// From `class` upwards, below `top`.
    #[must_use]
    pub const fn from(class: u32, top: u32) -> Self {
        Self { class, top, step: Some(1), skipped: BTreeSet::new() }
    }

    /// The class to ask for.
    #[must_use]
    pub const fn class(&self) -> u32 {
        self.class
    }

    /// Goes on at `class`, since nothing below it is left to be asked.
    #[must_use]
    pub fn at(self, class: u32) -> Self {
        Self { class, ..self }
    }

    /// The classes from the present one to below `next` have been asked: where to go on; nowhere when all have been.
    #[must_use]
    pub fn go_on(mut self, next: u32, word: Word) -> Option<Self> {
        self.skipped.retain(|class| !(self.class..next).contains(class));
        if let Some(step) = self.step {
            let target = next.saturating_add(step - 1);
            self.skipped.extend(next..target.min(self.top));
            if target < self.top {
                let step = if word == Word::Empty { step.saturating_mul(2) } else { 1 };
                return Some(Self { class: target, step: Some(step), ..self });
            }
        }
        let class = self.skipped.pop_first()?;
        Some(Self { class, step: None, ..self })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Asks from `from` upwards, where one owner has each `run` classes, until a class of `listed` is met.
    fn asked(from: u32, run: u32, listed: &[u32]) -> Vec<u32> {
        let mut way = Some(Climb::from(from, 96));
        let mut asked = Vec::new();
        while let Some(at) = way {
            let class = at.class();
            asked.push(class);
            let next = (class / run + 1) * run;
            if listed.iter().any(|listed| (class..next).contains(listed)) {
                return asked;
            }
            way = at.go_on(next.min(96), Word::Empty);
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
        let mut way = Climb::from(10, 96);
        for (word, expected) in [
            (Word::Empty, 11),
            (Word::Empty, 13),
            (Word::Other, 17),
            (Word::Other, 18),
            (Word::Empty, 19),
            (Word::Empty, 21),
        ] {
            let next = way.class() + 1;
            way = way.go_on(next, word).unwrap();
            assert_eq!(way.class(), expected);
        }
        assert_eq!(way.skipped, BTreeSet::from([12, 14, 15, 16, 20]));
    }
}
