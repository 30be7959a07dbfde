//! Who passes on the lookups of others: one strategy a line in [`Routers::standard`].
//!
//! To answer a question of a lookup that ends elsewhere costs a node something, and brings it the price that the network pays
//! for it (Gupta and Somani, HiPC 2004; reference §4.2). Questions about its own keys every node answers.

use crate::dice::Dice;
use crate::experiment::{Parameter, Setting};
use crate::kinds::{Chosen, Kinds, named_by_fields};
use crate::population::draw;

/// How a node treats the lookups of others.
pub trait Router {
    /// Whether a node passes them on that has this cost for a question, where this is paid, both in credits.
    fn carries(&self, cost: f64, paid: f64, dice: &mut Dice) -> bool;
}

/// A strategy that can be named in an experiment.
#[derive(Clone, Copy)]
pub struct Kind {
    /// Its name: `strategies.routers = "priced"`.
    pub name: &'static str,
    /// What it does, in a few words.
    pub about: &'static str,
    /// What can be set; keys that no other strategy has.
    pub parameters: fn() -> Vec<Parameter>,
    /// The strategy of a setting.
    pub router: fn(&Setting) -> Box<dyn Router>,
}

/// The strategies that an experiment can name.
pub type Routers = Kinds<Kind>;

/// How many refuse.
pub(crate) const SELFISH: Parameter = Parameter::real(
    "strategies.selfish_share",
    0.2,
    0.0,
    1.0,
    "the share of nodes that pass nothing on, whatever is paid",
);
const WILLING: Kind = Kind {
    name: "willing",
    about: "every node passes lookups on, paid or not: the protocol",
    parameters: Vec::new,
    router: |_| Box::new(Refusing(0.0)),
};
const REFUSING: Kind = Kind {
    name: "refusing",
    about: "some nodes drop every lookup of others, whatever is paid",
    parameters: || vec![SELFISH],
    router: |setting| Box::new(Refusing(setting.real(&SELFISH))),
};
const PRICED: Kind = Kind {
    name: "priced",
    about: "a node passes lookups on if it is paid its cost at least",
    parameters: Vec::new,
    router: |_| Box::new(Priced),
};

struct Refusing(f64);
struct Priced;

impl Router for Refusing {
    fn carries(&self, _: f64, _: f64, dice: &mut Dice) -> bool {
        !draw::happens(dice, self.0)
    }
}

impl Router for Priced {
    fn carries(&self, cost: f64, paid: f64, _: &mut Dice) -> bool {
        paid >= cost
    }
}

named_by_fields!(Kind);

impl Chosen for Kind {
    const KEY: &'static str = "strategies.routers";
    const ABOUT: &'static str = "who passes on the lookups of others";
    const USUAL: Self = WILLING;
}

impl Routers {
    /// Everything that ships.
    #[must_use]
    pub fn standard() -> Self {
        Self::new(vec![WILLING, REFUSING, PRICED])
    }

    /// The strategy of a setting.
    pub(crate) fn router(&self, setting: &Setting) -> Box<dyn Router> {
        (self.chosen(setting).router)(setting)
    }
}
