//! What a trade costs under both placement schemes, and who bears the load of the market owners (E8, E9).
//!
//! Rings and placement are the shipping ones ([`crate::trade`]); the ring was repaired long ago.

use crate::experiment::{Metric, Model, Outcome, Parameter, RunError, Setting, SettingError};
use crate::trade::{self, Spread, Trades};
use proto::Placement;

/// Look-ups, market owners and messages of purchases.
#[derive(Clone, Copy, Debug)]
pub struct Placements;

const NODES: Parameter = Parameter::integer("network.nodes", 1_000, 2, 1 << 20, "nodes of the base ring");
const SUCCESSORS: Parameter = Parameter::integer(
    "network.successors",
    1,
    1,
    64,
    "length of the successor lists; 1: fingers alone find the way",
);
const MARKETS: Parameter = Parameter::integer(
    "population.markets",
    100,
    1,
    1 << 16,
    "markets in which somebody is listed; a network has at most 96 of compute power, more are finer classes",
);
const WINDOW: Parameter = Parameter::real(
    "population.window_share",
    1.0,
    0.001,
    1.0,
    "share of the scale of capacities in which all these markets lie (φ of E9)",
);
const SPREAD: Parameter = Parameter::choice(
    "population.spread",
    "uniform",
    &["uniform", "narrow", "log-normal", "log-uniform", "fractal"],
    "how the markets lie within the window",
);
const PLACEMENT: Parameter = Parameter::choice(
    "rule.placement",
    "processor",
    &["single", "processor"],
    "the placement scheme (paper, IV-A)",
);
const TRADES: Parameter =
    Parameter::integer("work.trades", 2_000, 1, 1_000_000, "purchases that are counted");

const METRICS: &[Metric] = &[
    Metric { name: "base_hops_count", unit: "count", about: "nodes asked in a look-up in the base ring" },
    Metric {
        name: "closed_base_hops_count",
        unit: "count",
        about: "half the binary logarithm of the nodes (ToN 2003, V-B)",
    },
    Metric { name: "overlay_hops_count", unit: "count", about: "nodes asked in a search of the second ring" },
    Metric {
        name: "closed_overlay_hops_count",
        unit: "count",
        about: "half the binary logarithm of the markets",
    },
    Metric { name: "asked_count", unit: "count", about: "market owners asked in a trade" },
    Metric {
        name: "messages_count",
        unit: "count",
        about: "messages of a trade, look-ups and searches included",
    },
    Metric { name: "owners_count", unit: "count", about: "nodes that own a market with listings" },
    Metric {
        name: "closed_owners_count",
        unit: "count",
        about: "markets and nodes of the window dealt out at random: φN·M / (φN + M − 1), φ = 1 where keys are hashed",
    },
    Metric {
        name: "most_to_mean_ratio",
        unit: "ratio",
        about: "markets of the busiest owner, over the mean of all",
    },
    Metric {
        name: "fairness_share",
        unit: "share",
        about: "Jain's index of markets over all nodes: (Σx)² / (N·Σx²) (reference §5.6)",
    },
    Metric {
        name: "closed_fairness_share",
        unit: "share",
        about: "Jain's index where each market falls on a random arc of the window: φ·m / (1 + 2m) for m = M / φN, φ as above",
    },
    Metric { name: "wrong_count", unit: "count", about: "trades that ended at a wrong market: a defect" },
];

impl Model for Placements {
    fn name(&self) -> &'static str {
        "placement"
    }

    fn about(&self) -> &'static str {
        "What a trade costs in look-ups and messages, and how the markets fall on their owners, by placement scheme."
    }

    fn parameters(&self) -> Vec<Parameter> {
        vec![NODES, SUCCESSORS, MARKETS, WINDOW, SPREAD, PLACEMENT, TRADES]
    }

    fn metrics(&self) -> &'static [Metric] {
        METRICS
    }

    fn check(&self, setting: &Setting) -> Result<(), SettingError> {
        let is_small = setting.count(&SUCCESSORS) < setting.count(&NODES);
        let why = "expected fewer successors than there are nodes";
        if is_small { Ok(()) } else { Err(SettingError::new(SUCCESSORS.key, why)) }
    }

    fn run(&self, setting: &Setting, seed: u64) -> Result<Outcome, RunError> {
        let placement = match setting.text(&PLACEMENT) {
            "single" => Placement::Single,
            _ => Placement::Processor,
        };
        let spread = match setting.text(&SPREAD) {
            "narrow" => Spread::Narrow,
            "log-normal" => Spread::LogNormal,
            "log-uniform" => Spread::LogUniform,
            "fractal" => Spread::Fractal,
            _ => Spread::Uniform,
        };
        let plan = Trades {
            nodes: small(setting.count(&NODES)),
            markets: small(setting.count(&MARKETS)),
            window: per_mille(setting.real(&WINDOW)),
            spread,
            placement,
            trades: small(setting.count(&TRADES)),
            successors: usize::try_from(setting.count(&SUCCESSORS)).unwrap_or(1),
            counts_upkeep: false,
            seed,
        };
        let traded = trade::run(&plan);
        let (nodes, markets) = (f64::from(plan.nodes), f64::from(plan.markets));
        let is_overlaid = placement == Placement::Processor;
        // Hashed keys lie all over the ring, wherever the classes are.
        let share = if is_overlaid { 1.0 } else { f64::from(plan.window) / 1_000.0 };
        let owners = share * nodes * markets / (share * nodes + markets - 1.0).max(1.0);
        // n nodes of the window cut it into arcs of exponential length: E[x²] = m + 2m² for m = M/n markets in the mean.
        let there = share * nodes;
        let mean = markets / there;
        let fairness = share * mean / (1.0 + 2.0 * mean);
        let trace = *blake3::hash(format!("{plan:?} {traded:?}").as_bytes()).as_bytes();
        Ok(Outcome::new(trace)
            .with("base_hops_count", traded.base_hops)
            .with("closed_base_hops_count", libm::log2(nodes) / 2.0)
            .with_some("overlay_hops_count", is_overlaid.then_some(traded.overlay_hops))
            .with_some("closed_overlay_hops_count", is_overlaid.then(|| libm::log2(markets) / 2.0))
            .with("asked_count", traded.asked)
            .with("messages_count", traded.messages())
            .with("owners_count", f64::from(traded.owners))
            .with("closed_owners_count", owners.max(1.0))
            .with("most_to_mean_ratio", traded.most_to_mean)
            .with("fairness_share", traded.fairness)
            .with_some("closed_fairness_share", (there >= 10.0).then_some(fairness))
            .with("wrong_count", f64::from(traded.wrong)))
    }
}

fn small(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 1 to 1,000")]
fn per_mille(share: f64) -> u32 {
    libm::round(share * 1_000.0) as u32
}
