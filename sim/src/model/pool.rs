//! A pool of machines and what is asked of it: the shipping ring and market cores ([`crate::bazaar`]) with machines, costs,
//! availability, jobs and values from the populations that an experiment names (reference §6).
//!
//! Every metric of reference §5.6 that needs a network, or time, is measured here: load of market owners, utilisation, makespan,
//! flow time, slowdown, messages and bytes, hops, time-outs, staleness and time to match.

mod day;
mod figures;
#[cfg(test)]
mod tests;

use super::rule::Rule;
use crate::bazaar;
use crate::experiment::{Metric, Model, Outcome, Parameter, RunError, Setting, SettingError};
use crate::population::machines::{Kind as MachineKind, Machines};
use crate::population::values::{Kind as ValueKind, Values};
use crate::population::{Kind as PopulationKind, Populations};
use crate::strategy::buyer::{Buyers, Kind as BuyerKind};
use crate::workload::{Kind as WorkloadKind, Workloads};
use day::Day;
use std::collections::BTreeSet;

/// A pool of machines, and what is asked of it.
#[derive(Clone)]
pub struct Pool {
    machines: Machines,
    populations: Populations,
    values: Values,
    workloads: Workloads,
    buyers: Buyers,
}

impl Pool {
    /// With the populations, workloads and strategies that ship.
    #[must_use]
    pub fn standard() -> Self {
        Self {
            machines: Machines::standard(),
            populations: Populations::standard(),
            values: Values::standard(),
            workloads: Workloads::standard(),
            buyers: Buyers::standard(),
        }
    }

    /// The same with one more sort of machines.
    #[must_use]
    pub fn with_machines(self, kind: MachineKind) -> Self {
        Self { machines: self.machines.with(kind), ..self }
    }

    /// The same with one more population of costs.
    #[must_use]
    pub fn with_population(self, kind: PopulationKind) -> Self {
        Self { populations: self.populations.with(kind), ..self }
    }

    /// The same with one more distribution of values.
    #[must_use]
    pub fn with_values(self, kind: ValueKind) -> Self {
        Self { values: self.values.with(kind), ..self }
    }

    /// The same with one more workload.
    #[must_use]
    pub fn with_workload(self, kind: WorkloadKind) -> Self {
        Self { workloads: self.workloads.with(kind), ..self }
    }

    /// The same with one more strategy of buyers.
    #[must_use]
    pub fn with_buyer(self, kind: BuyerKind) -> Self {
        Self { buyers: self.buyers.with(kind), ..self }
    }
}

impl Model for Pool {
    fn name(&self) -> &'static str {
        "pool"
    }

    fn about(&self) -> &'static str {
        "A pool of machines that come and go, and jobs for them: ring and markets as they ship, work and money as a light script."
    }

    fn parameters(&self) -> Vec<Parameter> {
        let mut all = day::parameters();
        // Buyers' values stand for the reserve, and prices are in whole micro-credits.
        let is_other =
            |parameter: &Parameter| !["rule.reserve_credits", "rule.unit_credits"].contains(&parameter.key);
        all.extend(Rule::parameters().into_iter().filter(is_other));
        all.extend(self.machines.parameters());
        all.extend(self.populations.parameters());
        all.extend(self.values.parameters());
        all.extend(self.workloads.parameters());
        all.extend(self.buyers.parameters());
        // Machines and their costs may go by the same year.
        let mut known = BTreeSet::new();
        all.retain(|parameter| known.insert(parameter.key));
        all
    }

    fn metrics(&self) -> &'static [Metric] {
        figures::METRICS
    }

    fn check(&self, setting: &Setting) -> Result<(), SettingError> {
        super::check_spread(setting)
    }

    fn run(&self, setting: &Setting, seed: u64) -> Result<Outcome, RunError> {
        let day = Day::new(self, setting, seed)?;
        let measured = bazaar::run(&day.plan, &mut |_, _| {}).map_err(RunError::Violation)?;
        figures::outcome(&day, &measured)
    }
}
