//! `compup2p sim`: whole networks in virtual time.

use super::arguments::SimCommand;
use super::{Done, exit};
use crate::control::Failure;
use crate::output::{Experiment, Printer, Simulated, Tried};
use ::sim::court::{self, Case};
use ::sim::{Scenario, Violation};

/// Lists the scenarios, or runs one.
pub(super) fn run(command: SimCommand, printer: Printer) -> Done {
    match command {
        SimCommand::List => {
            let whole = Scenario::all().into_iter().map(|scenario| (scenario.name, scenario.about));
            let cases = Case::all().into_iter().map(|case| (case.name, case.about));
            let show = |(name, about)| Experiment { name, about };
            printer.scenarios(&whole.chain(cases).map(show).collect::<Vec<_>>())?;
        }
        SimCommand::Run { scenario, seed } => {
            if let Some(case) = Case::named(&scenario) {
                let outcome = court::run(&case, seed).map_err(|violation| broken(&violation))?;
                printer.tried(&Tried::of(&outcome))?;
                return Ok(exit::SUCCESS);
            }
            let found = Scenario::named(&scenario).ok_or_else(|| unknown(&scenario))?;
            let report = ::sim::run(&found, seed).map_err(|violation| broken(&violation))?;
            printer.simulated(&Simulated::of(&report))?;
        }
        SimCommand::Churn(churn) => return super::sim_churn::run(&churn, printer),
        SimCommand::Market(market) => return super::sim_market::run(&market, printer),
        SimCommand::Ring(ring) => return super::sim_ring::run(&ring, printer),
    }
    Ok(exit::SUCCESS)
}

fn broken(violation: &Violation) -> Failure {
    Failure::new("violation", violation.to_string(), exit::FAILED)
        .hint("this is a defect: the same scenario and seed show it again")
}

fn unknown(name: &str) -> Failure {
    let mut all: Vec<&str> = Scenario::all().iter().map(|scenario| scenario.name).collect();
    all.extend(Case::all().iter().map(|case| case.name));
    let message = format!("there is no scenario `{name}`; there are {}", all.join(", "));
    Failure::new("no_scenario", message, exit::USAGE).hint("`compup2p sim list` says what each is about")
}
