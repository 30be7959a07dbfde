//! Idle machines that cost next to nothing, and busy ones (reference §6.5: idle 0, busy high).

use super::{Costs, Kind};
use crate::dice::Dice;
use crate::experiment::Parameter;

const IDLE: Parameter = Parameter::real(
    "population.idle_credits",
    0.0,
    0.0,
    1e6,
    "what an idle machine costs, in credits per Gc",
);
const BUSY: Parameter =
    Parameter::real("population.busy_credits", 1.0, 0.0, 1e6, "what a busy machine costs, in credits per Gc");
const SHARE: Parameter =
    Parameter::real("population.busy_share", 0.5, 0.0, 1.0, "the share of machines that are busy");

/// Idle machines and busy ones.
pub(super) const KIND: Kind = Kind {
    name: "bimodal",
    about: "idle machines at one cost and busy ones at another",
    source: "theory (reference §6.5: idle 0, busy high)",
    parameters: || vec![IDLE, BUSY, SHARE],
    costs: |setting| {
        Box::new(Bimodal {
            idle: setting.real(&IDLE),
            busy: setting.real(&BUSY),
            share: setting.real(&SHARE),
        })
    },
};

#[derive(Clone, Copy, Debug)]
struct Bimodal {
    idle: f64,
    busy: f64,
    share: f64,
}

impl Costs for Bimodal {
    fn cost(&self, _: usize, dice: &mut Dice) -> f64 {
        if super::draw::happens(dice, self.share) { self.busy } else { self.idle }
    }
}
