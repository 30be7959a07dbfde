//! Table II: a share of all nodes fails at once, and nobody repairs anything.

use super::super::measured::Measured;
use super::super::plan::Plan;
use super::{Comparison, Effort, Within, compare, float, seeds};

/// Nodes that fail in a thousand, the mean path and the mean time-outs on it.
const TABLE_2: [(u32, f64, f64); 6] = [
    (0, 3.84, 0.0),
    (100, 4.03, 0.60),
    (200, 4.22, 1.17),
    (300, 4.44, 2.02),
    (400, 4.69, 3.23),
    (500, 5.09, 5.10),
];

pub(super) fn run(effort: Effort, progress: &mut dyn FnMut(u64, u64)) -> Vec<Comparison> {
    let mut rows = Vec::new();
    for (done, (fail, path, timeouts)) in (1..).zip(TABLE_2) {
        let all = measure(fail, effort);
        let case = format!("p = {:.1}", f64::from(fail) / 1_000.0);
        rows.push(compare(&case, "mean hops", all.hops.mean(), path, Within::Share(0.03)));
        // Our lookups go on to the owner itself. The dead between the key and the first live node after it are p/(1-p)
        // in the mean; the paper, which stops at the predecessor, does not count them.
        let share = f64::from(fail) / 1_000.0;
        let on_path = all.timeouts.mean() - share / (1.0 - share);
        let within = if fail < 200 { Within::Any } else { Within::Share(0.15) };
        rows.push(compare(&case, "time-outs on path", on_path, timeouts, within));
        rows.push(compare(&case, "failed lookups", float(all.failed + all.wrong_owner), 0.0, Within::AtMost));
        progress(done, 6);
    }
    rows
}

/// 1,000 nodes with 20 successors, of whom `fail` in a thousand fail.
pub(super) fn measure(fail: u32, effort: Effort) -> Measured {
    let mut all = Measured::default();
    for seed in seeds(effort) {
        let mut plan = Plan { lookups: effort.lookups, seed, fail, ..Plan::still(1_000, 20) };
        plan.config.confirm = true;
        all.merge(&super::super::run(&plan, &mut |_, _| {}));
    }
    all
}
