//! `compup2p sim ring`: how many hops, how many time-outs, how many bytes.

use super::arguments::{Ring, RingFigure, RingStyle, RingWay, RingWorkload};
use super::value::{per_mille, span};
use super::{Done, exit};
use crate::control::Failure;
use crate::output::{Bar, Printer, RingCompared, RingMeasured};
use ::sim::ring::{self, Effort, Figure, MAX_NODES, Measured, Plan, Yardstick};
use chord::{Config, Patience, Routing, Style};
use proto::Span;
use std::time::Instant;

/// The largest ring whose nodes remember distances and arcs without being told to: a few kilobytes each.
const MAX_USUAL_LEARNERS: u32 = 20_000;
/// The largest ring of which simulated nodes know all members without being told to: the memory for it grows with
/// the square.
const MAX_USUAL_VIEW: usize = 2_000;

pub(super) fn run(ring: &Ring, printer: Printer) -> Done {
    if let Some(preset) = ring.preset {
        return compare(preset, ring, printer);
    }
    if ring.workload == RingWorkload::W2 {
        return yardstick(ring, printer);
    }
    let began = Instant::now();
    let resident = resident_bytes();
    let mut all = Measured::default();
    let bar = Bar::new(printer, ring.lookups.saturating_mul(ring.reps), "lookups");
    for run in 0..ring.reps {
        let done = run.saturating_mul(ring.lookups);
        let mut largest = 0;
        let measured = ring::run(&plan(ring, ring.seed.saturating_add(run)), &mut |ended, _| {
            bar.set(done.saturating_add(ended));
            largest = largest.max(resident_bytes());
        });
        all.merge(&measured);
        all.resident = all.resident.max(largest.saturating_sub(resident));
    }
    bar.end();
    let shown = RingMeasured::of(&all, (ring.nodes, ring.lookups, ring.seed), began.elapsed());
    printer.ring_measured(&shown, ring.csv)?;
    Ok(if all.violations == 0 { exit::SUCCESS } else { exit::FAILED })
}

/// The figure of the paper beside ours.
fn compare(preset: RingFigure, ring: &Ring, printer: Printer) -> Done {
    let figure = match preset {
        RingFigure::Figure8 => Figure::Load,
        RingFigure::Figure9 => Figure::VirtualNodes,
        RingFigure::Figure10 => Figure::PathLength,
        RingFigure::Table2 => Figure::Failures,
        RingFigure::Table3 => Figure::Churn,
        RingFigure::Table3Confirmed => Figure::ChurnConfirmed,
        RingFigure::Table3Public => Figure::ChurnDefault,
        RingFigure::Table4 => Figure::Stretch,
        RingFigure::Ways => Figure::Ways,
    };
    let effort = Effort { seed: ring.seed, reps: ring.reps, lookups: ring.lookups };
    let bar = Bar::new(printer, 0, "cases");
    let rows = figure.run(effort, &mut |done, all| bar.set_of(done, all));
    bar.end();
    printer.ring_compared(&RingCompared::of(&rows, effort), ring.csv)?;
    Ok(exit::SUCCESS)
}

/// The plain protocol, as other simulators run it.
fn yardstick(ring: &Ring, printer: Printer) -> Done {
    if ring.nodes > MAX_NODES {
        let message = format!("w2 runs with at most {MAX_NODES} nodes");
        return Err(Failure::new("too_many_nodes", message, exit::USAGE).into());
    }
    let began = Instant::now();
    let resident = resident_bytes();
    let duration = Span::secs(u64::from(ring.duration));
    let plan = Yardstick { seed: ring.seed, duration, threads: ring.threads, ..Yardstick::new(ring.nodes) };
    let bar = Bar::new(printer, 0, "µs");
    let (mut largest, mut next) = (0, 0);
    let counts = plan.run(&mut |done, all| {
        if done >= next {
            next = done.saturating_add(all / 256);
            bar.set_of(done, all);
            largest = largest.max(resident_bytes());
        }
    });
    let wall = began.elapsed();
    bar.end();
    let mut measured = counts.measured(&plan);
    measured.resident = largest.saturating_sub(resident);
    printer.ring_measured(
        &RingMeasured::of(&measured, (ring.nodes, counts.lookups, ring.seed), wall),
        ring.csv,
    )?;
    Ok(exit::SUCCESS)
}

fn plan(ring: &Ring, seed: u64) -> Plan {
    let successors = usize::from(ring.successors);
    let still = Plan::still(ring.nodes, successors);
    let usual = if ring.churn > 0.0 { RingStyle::Paper } else { RingStyle::Still };
    let settings = ring.settings.unwrap_or(usual);
    let mut config = match settings {
        RingStyle::Still => still.config.clone(),
        RingStyle::Paper => Plan::paper(successors),
        RingStyle::Public => Config { successors, ..Config::PUBLIC },
    };
    let is_paper = matches!(settings, RingStyle::Paper);
    config.confirm = ring.confirm.unwrap_or(!is_paper);
    let usual = if ring.nodes > MAX_USUAL_LEARNERS { Routing::PLAIN } else { config.routing };
    config.routing = routing(ring, usual);
    Plan {
        lookups: ring.lookups,
        keys: ring.keys,
        seed,
        config,
        latency: ring.latency.clone(),
        loss: per_mille(ring.loss),
        fail: per_mille(ring.fail),
        churn: (ring.churn > 0.0).then(|| span(1.0 / ring.churn)),
        is_crash: ring.crash,
        lookup_every: span(ring.every / 1_000.0),
        warm_up: Span::secs(u64::from(ring.warm_up)),
        ..still
    }
}

/// How lookups find their way: as usual with these settings, but for what was asked for.
fn routing(ring: &Ring, usual: Routing) -> Routing {
    let count = |asked: Option<u32>, usual: usize| {
        asked.map_or(usual, |asked| usize::try_from(asked).unwrap_or(usize::MAX))
    };
    Routing {
        style: match ring.style {
            Some(RingWay::Iterative) => Style::Iterative,
            Some(RingWay::Recursive) => Style::Recursive,
            None => usual.style,
        },
        parallel: ring.parallel.map_or(usual.parallel, usize::from),
        patience: match ring.adaptive {
            Some(true) => Patience::Adaptive,
            Some(false) => Patience::Fixed,
            None => usual.patience,
        },
        proximity: ring.proximity.map_or(usual.proximity, usize::from),
        cache: count(ring.cache, usual.cache),
        view: count(ring.view, usual.view.min(MAX_USUAL_VIEW)),
    }
}

/// What the system says that this process occupies; 0 where it does not say.
pub(super) fn resident_bytes() -> u64 {
    const PAGE: u64 = 4_096;
    let pages = |text: String| text.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok());
    std::fs::read_to_string("/proc/self/statm").ok().and_then(pages).map_or(0, |pages| pages * PAGE)
}
