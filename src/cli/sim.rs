//! `compup2p sim`: whole networks in virtual time.

use super::arguments::SimCommand;
use super::{Done, exit};
use crate::control::Failure;
use crate::output::{Experiment, Printer, Simulated};
use ::sim::Scenario;

/// Lists the scenarios, or runs one.
pub(super) fn run(command: SimCommand, printer: Printer) -> Done {
    match command {
        SimCommand::List => {
            let show = |scenario: &Scenario| Experiment { name: scenario.name, about: scenario.about };
            printer.scenarios(&Scenario::all().iter().map(show).collect::<Vec<_>>())?;
        }
        SimCommand::Run { scenario, seed } => {
            let found = Scenario::named(&scenario).ok_or_else(|| unknown(&scenario))?;
            let report = ::sim::run(&found, seed).map_err(|violation| {
                Failure::new("violation", violation.to_string(), exit::FAILED)
                    .hint("this is a defect: the same scenario and seed show it again")
            })?;
            printer.simulated(&Simulated::of(&report))?;
        }
        SimCommand::Churn(churn) => return super::sim_churn::run(&churn, printer),
        SimCommand::Market(market) => return super::sim_market::run(&market, printer),
        SimCommand::Ring(ring) => return super::sim_ring::run(&ring, printer),
    }
    Ok(exit::SUCCESS)
}

fn unknown(name: &str) -> Failure {
    let all: Vec<&str> = Scenario::all().iter().map(|scenario| scenario.name).collect();
    let message = format!("there is no scenario `{name}`; there are {}", all.join(", "));
    Failure::new("no_scenario", message, exit::USAGE).hint("`compup2p sim list` says what each is about")
}
