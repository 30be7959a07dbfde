//! Which machines there are: one sort a line in [`Machines::standard`].
//!
//! `volunteers` are those of [`hosts`]; `equal` ones have the cores that are asked for, and everything else as the mean of the
//! volunteers.

use super::hosts::{self, Host, Hosts};
use crate::dice::Dice;
use crate::experiment::{Parameter, Setting};
use crate::kinds::{Chosen, Kinds, named_by_fields};

/// A sort of machines that can be named in an experiment.
#[derive(Clone, Copy)]
pub struct Kind {
    /// Its name: `population.hosts = "volunteers"`.
    pub name: &'static str,
    /// What it is, in a few words.
    pub about: &'static str,
    /// What can be set; keys that no other sort has.
    pub parameters: fn() -> Vec<Parameter>,
    /// A machine of a setting.
    pub draw: fn(&Setting, &mut Dice) -> Host,
}

/// The sorts that an experiment can name.
pub type Machines = Kinds<Kind>;

const CORES: Parameter =
    Parameter::integer("population.equal_cores", 2, 1, 1_024, "the cores of a machine where all are equal");
const VOLUNTEERS: Kind = Kind {
    name: "volunteers",
    about: "correlated cores, memory, speed and disk (Heien, Kondo and Anderson 2011; reference §6.1)",
    parameters: || vec![hosts::YEARS],
    draw: |setting, dice| Hosts::of(setting).draw(dice),
};
const EQUAL: Kind = Kind {
    name: "equal",
    about: "the same machine for all, of mean speed (theory)",
    parameters: || vec![CORES],
    draw: |setting, _| {
        let speed = Hosts::of(setting).mean_speed();
        let cores = setting.integer(&CORES) as f64;
        Host { cores, memory_per_core: 1024.0, whetstone: speed, dhrystone: speed, disk: 100.0 }
    },
};

named_by_fields!(Kind);

impl Chosen for Kind {
    const KEY: &'static str = "population.hosts";
    const ABOUT: &'static str = "which machines sell";
    const USUAL: Self = VOLUNTEERS;
}

impl Machines {
    /// Everything that ships.
    #[must_use]
    pub fn standard() -> Self {
        Self::new(vec![VOLUNTEERS, EQUAL])
    }

    /// A machine of a setting.
    pub(crate) fn machine(&self, setting: &Setting, dice: &mut Dice) -> Host {
        (self.chosen(setting).draw)(setting, dice)
    }
}
