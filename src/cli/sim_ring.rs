//! `compup2p sim ring`: how many hops, how many time-outs, how many bytes.

use super::arguments::{Ring, RingStyle, RingWorkload};
use super::{Done, exit};
use crate::output::{Bar, Printer, RingMeasured};
use ::sim::ring::{self, Measured, Plan};
use chord::Config;
use proto::Span;
use std::time::Instant;

/// How long workload W2 lasts.
const W2: Span = Span::secs(1_000);

pub(super) fn run(ring: &Ring, printer: Printer) -> Done {
    let began = Instant::now();
    let resident = resident_bytes();
    let mut all = Measured::default();
    let bar = Bar::new(printer, ring.lookups.saturating_mul(ring.reps), "lookups");
    if matches!(ring.workload, RingWorkload::W2) {
        let plain = ring::run_plain(ring.nodes, ring.seed, W2);
        all = plain.measured;
        all.failed = all.begun - plain.completed;
        all.resident = resident_bytes().saturating_sub(resident);
    }
    let reps = if matches!(ring.workload, RingWorkload::W2) { 0 } else { ring.reps };
    for run in 0..reps {
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
    let shown = RingMeasured::of(&all, (ring.nodes, all.begun, ring.seed), began.elapsed());
    printer.ring_measured(&shown, ring.csv)?;
    Ok(if all.violations == 0 { exit::SUCCESS } else { exit::FAILED })
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
    Plan {
        lookups: ring.lookups,
        seed,
        config,
        latency: ring.latency,
        loss: per_mille(ring.loss),
        fail: per_mille(ring.fail),
        churn: (ring.churn > 0.0).then(|| span(1.0 / ring.churn)),
        is_crash: ring.crash,
        lookup_every: span(ring.every / 1_000.0),
        warm_up: Span::secs(u64::from(ring.warm_up)),
        ..still
    }
}

fn span(seconds: f64) -> Span {
    let micros = std::time::Duration::try_from_secs_f64(seconds).map_or(u128::MAX, |span| span.as_micros());
    Span(u64::try_from(micros).unwrap_or(u64::MAX).max(1))
}

/// A share below one, in thousandths.
fn per_mille(share: f64) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to lie below one")]
    let per_mille = (share * 1_000.0).round() as u32;
    per_mille
}

/// What the system says that this process occupies; 0 where it does not say.
fn resident_bytes() -> u64 {
    const PAGE: u64 = 4_096;
    let pages = |text: String| text.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok());
    std::fs::read_to_string("/proc/self/statm").ok().and_then(pages).map_or(0, |pages| pages * PAGE)
}
