//! What a run is of: a scenario that ships, or a setting of the model `nodes`, which is what experiments run complete
//! nodes with. Both have a number of faults, which happen or not, and of sub-tasks.

use super::ReadError;
use crate::experiment::Setting;
use crate::model::WholeNodes;
use crate::scenario::Scenario;
use std::fmt;

/// What a run is of.
#[derive(Clone, Debug, PartialEq)]
pub enum Subject {
    /// The scenario of this name. Its faults are those of its list.
    Scenario(String),
    /// Complete nodes with this setting. What goes wrong in it are losses, messages that are held back, clocks that drift,
    /// and clocks that are set wrong; a fault counts if the setting has it, and left out are its parameters.
    Nodes(Setting),
}

impl Subject {
    /// How many faults and how many sub-tasks there are.
    pub(super) fn size(&self) -> Result<(usize, usize), ReadError> {
        match self {
            Self::Scenario(name) => named(name).map(|scenario| (scenario.faults.len(), scenario.sub_tasks)),
            Self::Nodes(setting) => Ok((WholeNodes::faults(setting).count(), WholeNodes::sub_tasks(setting))),
        }
    }

    /// The world with these faults and so many sub-tasks alone.
    pub(super) fn world(&self, faults: &[usize], sub_tasks: usize) -> Result<Scenario, ReadError> {
        let (count, most) = self.size()?;
        if let Some(unknown) = faults.iter().find(|place| **place >= count) {
            return Err(ReadError::NoFault(*unknown, count));
        }
        if !(1..=most).contains(&sub_tasks) {
            return Err(ReadError::NoSubTasks(sub_tasks, most));
        }
        match self {
            Self::Scenario(name) => {
                let scenario = named(name)?;
                let faults = faults.iter().filter_map(|place| scenario.faults.get(*place).cloned()).collect();
                Ok(Scenario { faults, sub_tasks, ..scenario })
            }
            Self::Nodes(setting) => Ok(WholeNodes::world(&WholeNodes::reduced(setting, faults, sub_tasks))),
        }
    }
}

fn named(name: &str) -> Result<Scenario, ReadError> {
    Scenario::named(name).ok_or_else(|| ReadError::NoScenario(name.into()))
}

impl fmt::Display for Subject {
    /// As it stands in a file: what differs from the defaults is all that is told of a setting.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scenario(name) => write!(out, "scenario {name}"),
            Self::Nodes(setting) => {
                write!(out, "nodes")?;
                setting.unusual(&WholeNodes).try_for_each(|(key, value)| write!(out, " {key}={value}"))
            }
        }
    }
}
