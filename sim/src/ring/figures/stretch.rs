//! Table IV: the latency of lookups against that of a question to the owner, when fingers are chosen by distance.

use super::super::distance::Distance;
use super::super::measured::Measured;
use super::super::plan::Plan;
use super::{Comparison, Effort, Within, compare, seeds};
use crate::network::HeldBack;
use chord::{Routing, Style};
use proto::Span;

/// Nodes of the paper.
const NODES: u32 = 1 << 16;

/// How many nodes a finger is the nearest of, and the median stretch in the space of three dimensions: iterative and
/// recursive. The reference has 7.8, 4.5 and 1.7 of these; the others are recalled.
const TABLE_4: [(usize, f64, f64); 5] =
    [(1, 7.8, 4.5), (2, 7.2, 3.5), (4, 6.1, 2.7), (8, 4.7, 2.1), (16, 3.4, 1.7)];

pub(super) fn run(effort: Effort, progress: &mut dyn FnMut(u64, u64)) -> Vec<Comparison> {
    let mut rows = Vec::new();
    let mut done = 0;
    for (nearest_of, iterative, recursive) in TABLE_4 {
        for (style, name, median) in
            [(Style::Iterative, "iterative", iterative), (Style::Recursive, "recursive", recursive)]
        {
            let all = measure(NODES, style, nearest_of, effort);
            let case = format!("{name}, s = {nearest_of}");
            rows.push(compare(
                &case,
                "median stretch",
                all.stretch_quantile(50),
                median,
                Within::Share(0.20),
            ));
            rows.push(compare(&case, "p10", all.stretch_quantile(10), 0.0, Within::Any));
            rows.push(compare(&case, "p90", all.stretch_quantile(90), 0.0, Within::Any));
            done += 1;
            progress(done, 10);
        }
    }
    rows
}

/// A still ring in space, whose fingers are the nearest of so many nodes.
pub(super) fn measure(nodes: u32, style: Style, nearest_of: usize, effort: Effort) -> Measured {
    let mut all = Measured::default();
    for seed in seeds(effort) {
        let mut plan = Plan { lookups: effort.lookups, seed, ..Plan::still(nodes, 1) };
        plan.config.routing = Routing { style, proximity: nearest_of.saturating_sub(1), ..Routing::PLAIN };
        plan.latency = Distance::Space { mean: Span::millis(50), held: HeldBack::NONE };
        all.merge(&super::super::run(&plan, &mut |_, _| {}));
    }
    all
}
