//! Every way of looking up, by the same lookups: in a ring at peace, and while nodes come and go.

use super::super::distance::Distance;
use super::super::measured::{Measured, ratio};
use super::super::plan::Plan;
use super::{Comparison, Effort, Within, compare, float, seeds};
use crate::network::HeldBack;
use chord::{Config, Patience, Routing, Style};
use proto::Span;

/// Mean time between two joins, and between two departures: R = 0.2 a second (ToN Table III).
const GAP: Span = Span::secs(5);

pub(super) fn run(effort: Effort, progress: &mut dyn FnMut(u64, u64)) -> Vec<Comparison> {
    let ways = ways();
    let all = u64::try_from(ways.len()).unwrap_or(u64::MAX);
    let mut rows = Vec::new();
    for (done, (name, routing, keys)) in (1..).zip(ways) {
        let measured = measure(&routing, keys, effort);
        let mut show = |quantity, value| rows.push(compare(name, quantity, value, 0.0, Within::Any));
        show("nodes asked", measured.hops.mean());
        show("mean latency (ms)", measured.latency_mean());
        show("p99 latency (ms)", measured.latency_quantile(99));
        show("time-outs", measured.timeouts.mean());
        let seconds = measured.lasted.as_secs_f64().max(1e-9);
        let nodes = float(measured.nodes.max(1));
        show("bytes/s a node", float(measured.bytes) / seconds / nodes);
        show("wrong in 10,000", 10_000.0 * ratio(measured.wrong_owner, measured.begun));
        let failed = 10_000.0 * ratio(measured.failed, measured.begun);
        rows.push(compare(name, "failed in 10,000", failed, 0.0, Within::AtMost));
        progress(done, all);
    }
    rows
}

/// The ways, by name, and how many different keys are looked up: a market asks for few.
fn ways() -> Vec<(&'static str, Routing, Option<u32>)> {
    let plain = Routing::PLAIN;
    let recursive = Routing { style: Style::Recursive, ..plain.clone() };
    let all = None;
    vec![
        ("iterative", plain.clone(), all),
        ("3 at a time", Routing { parallel: 3, ..plain.clone() }, all),
        ("adaptive patience", Routing { patience: Patience::Adaptive, ..plain.clone() }, all),
        ("nearest of 16", Routing { proximity: 15, ..plain.clone() }, all),
        ("arcs remembered", Routing { cache: 1_024, ..plain.clone() }, all),
        ("recursive", recursive.clone(), all),
        ("recursive, nearest of 16", Routing { proximity: 15, ..recursive }, all),
        ("full view", Routing { view: 10_000, ..plain.clone() }, all),
        ("default", Routing::DEFAULT, all),
        ("default without view", Routing { view: 0, ..Routing::DEFAULT }, all),
        ("16 keys, iterative", plain.clone(), Some(16)),
        ("16 keys, remembered", Routing { cache: 1_024, ..plain }, Some(16)),
        ("16 keys, default", Routing::DEFAULT, Some(16)),
    ]
}

/// 1,000 nodes in space with the periods of a public network, of whom some come and some fail. Each looks one key up
/// in 100 s.
fn measure(routing: &Routing, keys: Option<u32>, effort: Effort) -> Measured {
    let mut all = Measured::default();
    for seed in seeds(effort) {
        let config = Config { routing: routing.clone(), ..Config::PUBLIC };
        let plan = Plan {
            lookups: effort.lookups,
            keys,
            seed,
            is_crash: true,
            latency: Distance::Space { mean: Span::millis(50), held: HeldBack::NONE },
            lookup_every: Span::millis(100),
            ..Plan::churning(config, GAP)
        };
        all.merge(&super::super::run(&plan, &mut |_, _| {}));
    }
    all
}
