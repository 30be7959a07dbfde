//! `compup2p sim churn`: a market whose nodes come and go.

use super::{Done, exit, value};
use crate::control::Failure;
use crate::output::{Bar, ChurnMeasured, Printer};
use ::sim::bazaar::{self, Departure, Plan};
use ::sim::churn::Churn as Model;
use ::sim::ring::Distance;
use clap::{Args, ValueEnum};
use proto::Span;

/// How a market under churn is measured.
#[derive(Args, Clone, Debug)]
pub(super) struct Churn {
    /// Nodes that are there at a time, in the mean
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u32).range(2..=100_000))]
    nodes: u32,
    /// How long nodes stay, and stay away
    #[arg(long, value_enum, default_value = "p2psim")]
    sessions: SessionKind,
    /// The mean of the stays, in seconds, in place of the distribution's own; absences change by the same factor
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    mean: Option<u32>,
    /// How a session ends
    #[arg(long, value_enum, default_value = "silent")]
    departure: DepartureKind,
    /// How often sellers renew their listings, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=3_600))]
    renewal: u32,
    /// Successors of a market owner that keep copies of its listings
    #[arg(long, value_name = "R", default_value_t = 0, value_parser = clap::value_parser!(u16).range(0..=8))]
    replicas: u16,
    /// Minutes between two requests of a node, of a minute's work each, in the mean
    #[arg(long, value_name = "MINUTES", default_value_t = 1.0, value_parser = value::rate)]
    every: f64,
    /// Minutes in which requests are made, after five without
    #[arg(long, value_name = "MINUTES", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    minutes: u32,
    /// How long messages take: constant:MS, uniform:MS..MS, exponential:MS (the mean), map:SEED (a map of the
    /// internet) or matrix:FILE (one-way milliseconds, a row a line); with held:PCT:MS: before it, so many
    /// messages are held back for up to MS and overtaken [default: 10 ms, and 64 ms on top in the mean]
    #[arg(long, value_name = "MODEL", value_parser = value::latency)]
    latency: Option<Distance>,
    /// Share of the messages that is lost: 0 to 0.999
    #[arg(long, value_name = "P", default_value_t = 0.005, value_parser = value::share)]
    loss: f64,
    /// Every market checks itself after every event
    #[arg(long)]
    checks: bool,
    /// The same seed gives the same run
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// How long nodes stay.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum SessionKind {
    /// Nobody comes or goes
    None,
    /// Exponential, an hour in the mean (p2psim)
    P2psim,
    /// Weibull with k = 1/2, 10,000 s in the mean (OverSim)
    Oversim,
    /// Weibull with k = 0.34, 117 minutes in the mean (BitTorrent)
    Bittorrent,
    /// Stays of four hours in the mean and absences of fifteen, both Weibull (KAD)
    Kad,
    /// Stays of ten hours in the mean, Weibull, and absences of thirty-two, log-normal (BOINC)
    Boinc,
}

/// How nodes go.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum DepartureKind {
    /// Without a word, and nobody answers at the address
    Silent,
    /// Without a word, and connections are refused
    Crash,
    /// In order
    Orderly,
}

pub(super) fn run(churn: &Churn, printer: Printer) -> Done {
    let plan = plan(churn)?;
    let bar = Bar::new(printer, 0, "µs");
    let measured = bazaar::run(&plan, &mut |done, all| bar.set_of(done, all)).map_err(|violation| {
        Failure::new("violation", violation.to_string(), exit::FAILED)
            .hint("this is a defect: the same options and seed show it again")
    })?;
    bar.end();
    printer.churn_measured(&ChurnMeasured::of(&measured, &plan))?;
    Ok(exit::SUCCESS)
}

fn plan(churn: &Churn) -> Result<Plan, Failure> {
    let mut plan = Plan { seed: churn.seed, checks: churn.checks, ..Plan::public(churn.nodes) };
    let sessions = match churn.sessions {
        SessionKind::None => None,
        SessionKind::P2psim => Some(Model::P2PSIM),
        SessionKind::Oversim => Some(Model::OVERSIM),
        SessionKind::Bittorrent => Some(Model::BITTORRENT),
        SessionKind::Kad => Some(Model::KAD),
        SessionKind::Boinc => Some(Model::BOINC),
    };
    let mean = churn.mean.map(|mean| Span::secs(mean.into()));
    plan.churn = sessions.map(|model| mean.map_or(model, |mean| model.with_mean(mean)));
    plan.departure = match churn.departure {
        DepartureKind::Silent => Departure::Silent,
        DepartureKind::Crash => Departure::Crash,
        DepartureKind::Orderly => Departure::Orderly,
    };
    plan.rules.renewal = Span::secs(churn.renewal.into());
    plan.rules.replicas = churn.replicas;
    plan.lasting = Span::secs(u64::from(churn.minutes) * 60);
    plan.net.loss = value::per_mille(churn.loss);
    match churn.latency.clone() {
        None => {}
        Some(Distance::Drawn(latency)) => plan.net.latency = latency,
        Some(Distance::Space { .. }) => {
            let message = "nodes of `sim churn` have no places in a cube";
            return Err(Failure::new("bad_latency", message, exit::USAGE).hint("use exponential:MS"));
        }
    }
    plan.request_every = value::span(churn.every * 60.0 / f64::from(churn.nodes));
    Ok(plan)
}
