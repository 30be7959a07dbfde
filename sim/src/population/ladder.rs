//! Costs in equal steps, nothing drawn: worked examples such as 100, 200, 300 (paper, IV-B2).

use super::{Costs, Kind};
use crate::dice::Dice;
use crate::experiment::{Parameter, Setting};

/// The cost of the first seller.
pub(crate) const LOWEST: Parameter = Parameter::real(
    "population.lowest_credits",
    100.0,
    0.0,
    1e6,
    "the cost of the first step, in credits per Gc",
);
/// How much dearer each next one is.
pub(crate) const STEP: Parameter = Parameter::real(
    "population.step_credits",
    100.0,
    0.0,
    1e6,
    "how much dearer each next seller is, in credits per Gc",
);

/// Costs in equal steps.
pub(crate) const KIND: Kind = Kind {
    name: "ladder",
    about: "costs in equal steps, the same in every auction",
    source: "worked examples (paper, IV-B2; reference §5.3: 100, 200, 300)",
    parameters: || vec![LOWEST, STEP],
    costs: |setting| Box::new(Ladder::of(setting)),
};

/// Costs in equal steps, in credits per Gc.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Ladder {
    pub(crate) lowest: f64,
    pub(crate) step: f64,
}

impl Ladder {
    pub(crate) fn of(setting: &Setting) -> Self {
        Self { lowest: setting.real(&LOWEST), step: setting.real(&STEP) }
    }
}

impl Costs for Ladder {
    fn cost(&self, seller: usize, _: &mut Dice) -> f64 {
        self.lowest + self.step * seller as f64
    }
}
