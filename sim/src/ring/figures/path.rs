//! Fig. 10: how many hops a lookup takes.

use super::super::circle::Circle;
use super::super::measured::{Histogram, Measured};
use super::super::number::Number;
use super::super::plan::Plan;
use super::load::key;
use super::{Comparison, Effort, Within, compare, seeds};
use crate::dice::Dice;

/// Fig. 10(a), digitised: the mean for 2^3, 2^4, … nodes.
const MEANS: [f64; 12] = [1.72, 2.09, 2.49, 2.96, 3.39, 3.88, 4.38, 4.89, 5.36, 5.85, 6.35, 6.87];
/// The size whose distribution Fig. 10(b) shows, as a power of two.
const SHOWN: u32 = 12;
/// The paper looks so many keys up for each node.
const LOOKUPS_A_NODE: u64 = 100;

pub(super) fn run(effort: Effort, progress: &mut dyn FnMut(u64, u64)) -> Vec<Comparison> {
    let mut rows = Vec::new();
    for (power, mean) in (3..).zip(MEANS) {
        let nodes = 1_u32 << power;
        let all = measure(nodes, effort);
        let case = format!("2^{power} nodes");
        rows.push(compare(&case, "mean hops", all.hops.mean(), mean, Within::Absolute(0.05)));
        // Whose successor is the owner needs no hop; the paper's first percentiles, never 0, leave these out.
        rows.push(compare(&case, "mean, if any hop", all.hops.mean_above_zero(), mean, Within::Any));
        if power == SHOWN {
            let ideal = ideal(nodes, effort);
            let apart = ideal.distance(&all.hops);
            rows.push(compare(&case, "distance of PDFs", apart, 0.03, Within::AtMost));
        }
        progress(u64::from(power - 2), 12);
    }
    rows
}

/// Lookups in rings of `nodes` that stay as they are.
pub(super) fn measure(nodes: u32, effort: Effort) -> Measured {
    let lookups = (LOOKUPS_A_NODE * u64::from(nodes)).min(effort.lookups);
    let mut all = Measured::default();
    for seed in seeds(effort) {
        let plan = Plan { lookups, seed, ..Plan::still(nodes, 1) };
        all.merge(&super::super::run(&plan, &mut |_, _| {}));
    }
    all
}

/// The same lookups on paper: no messages, and fingers that are computed where they are needed.
pub(super) fn ideal(nodes: u32, effort: Effort) -> Histogram {
    let mut hops = Histogram::default();
    for seed in seeds(effort) {
        let mut dice = Dice::new(seed, "ideal", 0);
        let first = u32::try_from(dice.below(1 << 32)).unwrap_or(0);
        let circle = Circle::new((0..nodes).map(|node| Number(first.wrapping_add(node))));
        for _ in 0..effort.lookups.max(20_000) {
            let origin = Number(first.wrapping_add(u32::try_from(dice.below(u64::from(nodes))).unwrap_or(0)));
            hops.add(circle.hops(origin, key(&mut dice)));
        }
    }
    hops
}
