//! Which results sellers give that lie: one sort a line in [`Liars::standard`].
//!
//! Results are numbers: 0 is the right one.

use crate::experiment::{Parameter, Setting};
use crate::kinds::{Chosen, Kinds, named_by_fields};

/// How a seller lies.
pub trait Liar {
    /// The result of replica number `replica`, counted from 0.
    fn result(&self, replica: u32) -> u32;
}

/// A sort of liars that can be named in an experiment.
#[derive(Clone, Copy)]
pub struct Kind {
    /// Its name: `strategies.liars = "league"`.
    pub name: &'static str,
    /// What they do, in a few words.
    pub about: &'static str,
    /// What can be set; keys that no other sort has.
    pub parameters: fn() -> Vec<Parameter>,
    /// The liars of a setting.
    pub liar: fn(&Setting) -> Box<dyn Liar>,
}

/// The sorts that an experiment can name.
pub type Liars = Kinds<Kind>;

/// All give the same wrong result: they know each other, or are idle in the same way.
const LEAGUE: Kind = Kind {
    name: "league",
    about: "all give the same wrong result",
    parameters: Vec::new,
    liar: |_| Box::new(Same),
};
/// Each gives a wrong result of its own.
const ALONE: Kind = Kind {
    name: "alone",
    about: "each gives a wrong result of its own",
    parameters: Vec::new,
    liar: |_| Box::new(Own),
};

struct Same;
struct Own;

impl Liar for Same {
    fn result(&self, _: u32) -> u32 {
        1
    }
}

impl Liar for Own {
    fn result(&self, replica: u32) -> u32 {
        replica.saturating_add(1)
    }
}

named_by_fields!(Kind);

impl Chosen for Kind {
    const KEY: &'static str = "strategies.liars";
    const ABOUT: &'static str = "which results liars give";
    const USUAL: Self = LEAGUE;
}

impl Liars {
    /// Everything that ships.
    #[must_use]
    pub fn standard() -> Self {
        Self::new(vec![LEAGUE, ALONE])
    }

    /// The liars of a setting.
    pub(crate) fn liar(&self, setting: &Setting) -> Box<dyn Liar> {
        (self.chosen(setting).liar)(setting)
    }
}
