//! `compup2p sim`: whole networks in virtual time.

use super::arguments::SimCommand;
use super::{Done, exit, sim_lab};
use crate::control::Failure;
use crate::output::{Printer, ScenarioLine, Simulated, Simulations, Tried};
use ::sim::court::{self, Case};
use ::sim::{Scenario, Violation};

/// Lists what there is to simulate, or runs it.
pub(super) fn run(command: SimCommand, printer: Printer) -> Done {
    match command {
        SimCommand::List => {
            let whole = Scenario::all().into_iter().map(|scenario| (scenario.name, scenario.about));
            let cases = Case::all().into_iter().map(|case| (case.name, case.about));
            let show = |(name, about)| ScenarioLine { name, about };
            let scenarios = whole.chain(cases).map(show).collect();
            printer.simulations(&Simulations { experiments: sim_lab::list()?, scenarios })?;
        }
        SimCommand::Record(record) => return super::sim_trace::record(&record, printer),
        SimCommand::Replay(replay) => return super::sim_trace::replay(&replay, printer),
        SimCommand::Shrink(shrink) => return super::sim_trace::shrink(&shrink, printer),
        SimCommand::Bench(bench) => return super::sim_bench::run(&bench, printer),
        SimCommand::Run(run) => return scenario(&run, printer),
        SimCommand::Show { experiment } => return sim_lab::show(&experiment, printer),
        SimCommand::Compare { first, second } => return sim_lab::compare(&first, &second, printer),
        SimCommand::Model { command } => return sim_lab::models(&command, printer),
        SimCommand::Churn(churn) => return super::sim_churn::run(&churn, printer),
        SimCommand::Market(market) => return super::sim_market::run(&market, printer),
        SimCommand::Ring(ring) => return super::sim_ring::run(&ring, printer),
    }
    Ok(exit::SUCCESS)
}

/// Runs a scenario, or an experiment.
fn scenario(run: &sim_lab::Run, printer: Printer) -> Done {
    let name = run.what.as_str();
    let (case, whole) = (Case::named(name), Scenario::named(name));
    if case.is_none() && whole.is_none() {
        return if sim_lab::is_experiment(name) {
            sim_lab::run(run, printer)
        } else {
            Err(unknown(name).into())
        };
    }
    if run.is_for_experiments() {
        let message = format!("`{name}` is a scenario: of the options it takes --seed only");
        return Err(Failure::new("usage", message, exit::USAGE).into());
    }
    let seed = run.seed.unwrap_or(1);
    if let Some(case) = case {
        let outcome = court::run(&case, seed).map_err(|violation| broken(&violation))?;
        printer.tried(&Tried::of(&outcome))?;
    } else if let Some(whole) = whole {
        let report = ::sim::run(&whole, seed).map_err(|violation| broken(&violation))?;
        printer.simulated(&Simulated::of(&report))?;
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
    let message =
        format!("there is no experiment and no scenario `{name}`; the scenarios are {}", all.join(", "));
    Failure::new("no_scenario", message, exit::USAGE).hint("`compup2p sim list` says what each is about")
}
