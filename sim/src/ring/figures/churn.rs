//! Table III: lookups while nodes come and go.

use super::super::measured::{Measured, ratio};
use super::super::plan::Plan;
use super::{Comparison, Effort, Figure, Within, compare, float, seeds};
use chord::Config;
use proto::Span;

/// Joins (and departures) in a thousand seconds, the mean path and the mean time-outs.
const TABLE_3: [(u64, f64, f64); 8] = [
    (50, 3.90, 0.05),
    (100, 3.83, 0.11),
    (150, 3.84, 0.16),
    (200, 3.81, 0.23),
    (250, 3.83, 0.30),
    (300, 3.91, 0.34),
    (350, 3.94, 0.42),
    (400, 4.06, 0.46),
];

pub(super) fn run(figure: Figure, effort: Effort, progress: &mut dyn FnMut(u64, u64)) -> Vec<Comparison> {
    let mut rows = Vec::new();
    for (done, (rate, path, timeouts)) in (1..).zip(TABLE_3) {
        let all = measure(figure, rate, effort);
        let case = format!("R = {:.2}", float(rate) / 1_000.0);
        let is_paper = figure == Figure::Churn;
        let within = |share| if is_paper { Within::Share(share) } else { Within::Any };
        rows.push(compare(&case, "mean hops", all.hops.mean(), path, within(0.03)));
        rows.push(compare(&case, "time-outs", all.timeouts.mean(), timeouts, within(0.10)));
        let most = match (is_paper, rate) {
            (true, ..=100) => 5.0,
            (true, _) => 100.0,
            (false, ..=200) => 0.0,
            (false, _) => 2.0,
        };
        let per_10_000 = |count| 10_000.0 * ratio(count, all.begun);
        rows.push(compare(&case, "failed in 10,000", per_10_000(all.failed), most, Within::AtMost));
        // The paper does not tell wrong answers from right ones by the truth of the moment: shown, not judged.
        rows.push(compare(&case, "wrong in 10,000", per_10_000(all.wrong_owner), 0.0, Within::Any));
        let seconds = all.lasted.as_secs_f64().max(1e-9);
        let traffic = float(all.bytes) / seconds / float(all.nodes.max(1));
        rows.push(compare(&case, "bytes/s a node", traffic, 0.0, Within::Any));
        progress(done, 8);
    }
    rows
}

/// 1,000 nodes; `rate` of them in a thousand seconds come, and as many leave.
pub(super) fn measure(figure: Figure, rate: u64, effort: Effort) -> Measured {
    let config = match figure {
        Figure::ChurnDefault => Config::PUBLIC,
        Figure::ChurnConfirmed => Config { confirm: true, ..Plan::paper(20) },
        _ => Plan::paper(20),
    };
    let mut all = Measured::default();
    for seed in seeds(effort) {
        let gap = Span(1_000_000_000 / rate.max(1));
        let plan = Plan { lookups: effort.lookups, seed, ..Plan::churning(config.clone(), gap) };
        all.merge(&super::super::run(&plan, &mut |_, _| {}));
    }
    all
}
