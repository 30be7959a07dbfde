//! How a seller prices round after round, seeing what the others asked: one strategy a file below `repeated/`, and one line
//! in [`Pricers::standard`].
//!
//! Prices are steps of a ladder: step j is j times the unit.

mod best_reply;
mod q_learning;

use crate::dice::Dice;
use crate::experiment::{Parameter, Setting};
use crate::kinds::{Kinds, named_by_fields};

/// What a seller sees before it prices.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// Its own number.
    pub me: usize,
    /// What everybody asked in the last round, as steps of the ladder.
    pub asked: &'a [usize],
    /// Its own cost, as steps of the ladder.
    pub cost: usize,
    /// The highest step: the reserve.
    pub highest: usize,
    /// How many units are bought in a round.
    pub demand: usize,
    /// How many units a seller has; `None` for as many as are asked for.
    pub capacity: Option<usize>,
}

/// How a seller prices.
pub trait Pricer {
    /// Its ask of this round, as a step of the ladder.
    fn ask(&mut self, seen: &Seen<'_>, dice: &mut Dice) -> usize;

    /// What it earned in this round, in steps of the ladder; `seen` is what it will see next.
    fn earned(&mut self, earned: f64, seen: &Seen<'_>) {
        let _ = (earned, seen);
    }
}

/// A strategy that can be named in an experiment.
#[derive(Clone, Copy)]
pub struct Kind {
    /// Its name: `strategies.sellers = "best-reply"`.
    pub name: &'static str,
    /// What it does, in a few words.
    pub about: &'static str,
    /// What can be set; keys that no other strategy has.
    pub parameters: fn() -> Vec<Parameter>,
    /// Whether all price in the same moment, or one after the other.
    pub is_simultaneous: bool,
    /// A seller of a setting; it can ask for this many prices.
    pub pricer: fn(&Setting, usize) -> Box<dyn Pricer>,
}

/// The strategies that an experiment can name.
pub type Pricers = Kinds<Kind>;

named_by_fields!(Kind);

impl Pricers {
    /// Everything that ships: one line each.
    #[must_use]
    pub fn standard() -> Self {
        Self::new(vec![best_reply::KIND, q_learning::KIND])
    }
}

#[cfg(test)]
mod tests;
