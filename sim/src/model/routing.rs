//! Nodes that pass on the lookups of others, or do not: selfish routing (reference §4.2) over the simulated ring of the shipping
//! core ([`crate::ring`]).
//!
//! A node that refuses answers everything else: it stays in the ring, and its own lookups go on. Whoever waits for it in vain takes
//! it for dead in this lookup and looks for a way around.

use super::churned::span;
use super::{CREDITS, RATIO, SHARE, metric, size};
use crate::dice::Dice;
use crate::experiment::{Metric, Model, Outcome, Parameter, RunError, Setting, SettingError};
use crate::measure::{gini, jain, mean, ratio};
use crate::network::Latency;
use crate::population::{Kind as PopulationKind, Populations};
use crate::price::{credits, rate};
use crate::ring::{self, Distance, Plan};
use crate::strategy::router::{Kind as RouterKind, Routers, SELFISH};
use chord::{Config, Style};
use proto::Span;

/// A ring, some of whose nodes pass nothing on.
#[derive(Clone)]
pub struct Routing {
    populations: Populations,
    routers: Routers,
}

const NODES: Parameter = Parameter::integer("network.nodes", 500, 2, 1_000_000, "nodes of the ring");
const SUCCESSORS: Parameter = Parameter::integer(
    "network.successors",
    8,
    1,
    32,
    "length of the successor list; below the number of nodes",
);
const LATENCY: Parameter = Parameter::real(
    "network.latency_ms",
    50.0,
    0.0,
    10_000.0,
    "mean time of a message, exponential (ToN 2003, V-E)",
);
const STYLE: Parameter = Parameter::choice(
    "rule.routing",
    "iterative",
    &["iterative", "recursive", "shipping"],
    "how lookups go: the asker goes from node to node (ToN 2003, V-A), the question does, or as in a public network that ships",
);
const PRICE: Parameter = Parameter::real(
    "rule.question_credits",
    0.0,
    0.0,
    1e6,
    "what a node is paid for a question of another's lookup that it answers",
);
const LOOKUPS: Parameter = Parameter::integer("work.lookups", 2_000, 1, 100_000_000, "lookups in a run");

const METRICS: &[Metric] = &[
    metric("refusing_share", SHARE, "nodes that pass nothing on"),
    metric(
        "closed_refusing_share",
        SHARE,
        "the same in the mean; where nodes go by the price and costs are spread evenly over 0 to 1, 1 - price",
    ),
    metric("answered_share", SHARE, "lookups that end with an answer"),
    metric(
        "closed_answered_share",
        SHARE,
        "the same for iterative lookups: only the predecessor of the key names its owner, so 1 - the share that refuses",
    ),
    metric("wrong_share", SHARE, "answers that name another node than the owner of the key"),
    metric("hops_count", "count", "nodes that a lookup asks"),
    metric("timeouts_count", "count", "nodes that a lookup waits for in vain"),
    metric("latency_mean_s", "s", "from the question to the answer, in the mean"),
    metric(
        "carried_count",
        "count",
        "questions of a lookup that other nodes than the owner answer, in the mean",
    ),
    metric("paid_credits", CREDITS, "what is paid to them for a lookup, in the mean"),
    metric("profit_credits", CREDITS, "what they earn by that above their cost, for a lookup"),
    metric("fairness_ratio", RATIO, "Jain's index of what nodes are asked to pass on, over those that do"),
    metric("inequality_ratio", RATIO, "the Gini coefficient of the same"),
];

impl Routing {
    /// With the strategies and populations that ship.
    #[must_use]
    pub fn standard() -> Self {
        Self { populations: Populations::standard(), routers: Routers::standard() }
    }

    /// The same with one more strategy of nodes.
    #[must_use]
    pub fn with_router(self, kind: RouterKind) -> Self {
        Self { routers: self.routers.with(kind), ..self }
    }

    /// The same with one more population of costs.
    #[must_use]
    pub fn with_population(self, kind: PopulationKind) -> Self {
        Self { populations: self.populations.with(kind), ..self }
    }
}

impl Model for Routing {
    fn name(&self) -> &'static str {
        "routing"
    }

    fn about(&self) -> &'static str {
        "A ring some of whose nodes drop the lookups of others, or pass them on for a price: what becomes of lookups, and who earns."
    }

    fn parameters(&self) -> Vec<Parameter> {
        let own = [NODES, SUCCESSORS, LATENCY, STYLE, PRICE, LOOKUPS];
        own.into_iter().chain(self.populations.parameters()).chain(self.routers.parameters()).collect()
    }

    fn metrics(&self) -> &'static [Metric] {
        METRICS
    }

    fn check(&self, setting: &Setting) -> Result<(), SettingError> {
        if setting.count(&SUCCESSORS) >= setting.count(&NODES) {
            return Err(SettingError::new(SUCCESSORS.key, "expected less than `network.nodes`"));
        }
        super::check_spread(setting)
    }

    fn run(&self, setting: &Setting, seed: u64) -> Result<Outcome, RunError> {
        let (costs, router) = (self.populations.costs(setting), self.routers.router(setting));
        let paid = credits(rate(setting.real(&PRICE)));
        let mut dice = Dice::new(seed, "routing", 0);
        let nodes = size(setting.count(&NODES));
        let costs: Vec<f64> = (0..nodes).map(|node| credits(rate(costs.cost(node, &mut dice)))).collect();
        let carriers: Vec<bool> = costs.iter().map(|cost| router.carries(*cost, paid, &mut dice)).collect();
        let measured = ring::run(&plan(setting, seed, carriers.clone()), &mut |_, _| {});
        let answered = measured.hops.total();
        if answered == 0 {
            return Err(RunError::Failed("no lookup is answered".into()));
        }
        let lookups = setting.count(&LOOKUPS) as f64;
        let carried = |node: usize| measured.carried.get(node).copied().unwrap_or(0) as f64;
        let willing = || carriers.iter().enumerate().filter(|(_, does)| **does).map(|(node, _)| node);
        let loads: Vec<f64> = willing().map(carried).collect();
        let profit: f64 =
            willing().zip(&loads).filter_map(|(node, load)| Some(load * (paid - costs.get(node)?))).sum();
        let questions: f64 = loads.iter().sum();
        let refuse = carriers.iter().map(|does| if *does { 0.0 } else { 1.0 }).collect::<Vec<_>>();
        Ok(Outcome::new(trace(&measured))
            .with_some("refusing_share", mean(&refuse))
            .with_some("closed_refusing_share", closed(setting, paid))
            .with("answered_share", answered as f64 / lookups)
            .with_some(
                "closed_answered_share",
                mean(&refuse).filter(|_| setting.text(&STYLE) == "iterative").map(|share| 1.0 - share),
            )
            .with("wrong_share", measured.wrong_owner as f64 / answered as f64)
            .with("hops_count", measured.hops.mean())
            .with("timeouts_count", measured.timeouts.mean())
            .with("latency_mean_s", measured.latency_mean() / 1_000.0)
            .with("carried_count", questions / lookups)
            .with("paid_credits", questions * paid / lookups)
            .with("profit_credits", profit / lookups)
            .with_some("fairness_ratio", jain(&loads))
            .with_some("inequality_ratio", gini(&loads).filter(|_| ratio(1.0, questions).is_some())))
    }
}

/// The settings of the paper, with stabilization, among nodes that stay.
fn plan(setting: &Setting, seed: u64, carriers: Vec<bool>) -> Plan {
    let nodes = u32::try_from(setting.count(&NODES)).unwrap_or(u32::MAX);
    let successors = size(setting.count(&SUCCESSORS));
    let mut config = Plan::paper(successors);
    match setting.text(&STYLE) {
        "recursive" => config.routing.style = Style::Recursive,
        "shipping" => config = Config { successors, ..Config::PUBLIC },
        _ => {}
    }
    Plan {
        lookups: setting.count(&LOOKUPS),
        seed,
        config,
        latency: Distance::Drawn(Latency::Exponential {
            least: Span(0),
            mean: span(setting.real(&LATENCY) / 1_000.0),
        }),
        // A tenth of a second between two lookups: some hundred of them between two rounds of stabilization.
        lookup_every: Span::millis(100),
        carriers: Some(carriers),
        ..Plan::still(nodes, successors)
    }
}

/// Where nodes go by the price: the part of them whose cost, spread evenly over 0 to 1, is above it.
fn closed(setting: &Setting, paid: f64) -> Option<f64> {
    use crate::population::uniform::Uniform;
    let is_unit =
        Populations::name(setting) == "uniform" && Uniform::of(setting) == Uniform { low: 0.0, high: 1.0 };
    match Routers::name(setting) {
        "willing" => Some(0.0),
        "refusing" => Some(setting.real(&SELFISH)),
        "priced" if is_unit => Some((1.0 - paid).max(0.0)),
        _ => None,
    }
}

/// A hash over what the lookups came to.
fn trace(measured: &ring::Measured) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    for word in [measured.events, measured.messages, measured.lasted.0].iter().chain(&measured.carried) {
        hasher.update(&word.to_le_bytes());
    }
    *hasher.finalize().as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::tests::{closed_near, run, value};

    fn play(more: &[(&str, &str)]) -> Outcome {
        let small = [("network.nodes", "200"), ("work.lookups", "1000")];
        run(&Routing::standard(), &[&small, more].concat(), 1)
    }

    #[test]
    fn where_all_pass_lookups_on_all_are_answered_over_half_the_logarithm_of_nodes() {
        let outcome = play(&[]);
        let exact = ["refusing_share", "answered_share", "wrong_share"];
        assert_eq!(exact.map(|metric| value(&outcome, metric)), [0.0, 1.0, 0.0]);
        // Of exponential ways of 50 ms, one there and one back exceed 500 ms together once in 2,000 times.
        assert!(value(&outcome, "timeouts_count") < 0.01, "{outcome:?}");
        // log2(200) / 2 = 3.8, less what the successor list saves.
        assert!((2.4..4.2).contains(&value(&outcome, "hops_count")), "{outcome:?}");
        // Arcs differ by an order of magnitude, and with them who is asked: income is far from even.
        assert!(value(&outcome, "fairness_ratio") < 0.9, "{outcome:?}");
    }

    #[test]
    fn refusals_cost_time_and_answers() {
        let few = play(&[("strategies.routers", "refusing"), ("strategies.selfish_share", "0.1")]);
        let many = play(&[("strategies.routers", "refusing"), ("strategies.selfish_share", "0.4")]);
        for metric in ["timeouts_count", "latency_mean_s"] {
            assert!(value(&few, metric) < value(&many, metric), "{metric}: {few:?} {many:?}");
        }
        for outcome in [&few, &many] {
            // Three standard deviations: arcs of 200 nodes differ, and with them whose keys are asked for.
            closed_near(outcome, "answered_share", 0.15);
            assert!(value(outcome, "wrong_share") < 0.01, "{outcome:?}");
        }
    }

    #[test]
    fn a_network_as_it_ships_asks_the_owner_itself_and_needs_nobody_else() {
        let outcome = play(&[
            ("strategies.routers", "refusing"),
            ("strategies.selfish_share", "0.4"),
            ("rule.routing", "shipping"),
        ]);
        assert!(value(&outcome, "answered_share") > 0.99, "{outcome:?}");
        assert_eq!(value(&outcome, "wrong_share"), 0.0, "{outcome:?}");
    }

    #[test]
    fn at_a_price_those_pass_lookups_on_whom_it_pays() {
        let outcome = play(&[("strategies.routers", "priced"), ("rule.question_credits", "0.7")]);
        closed_near(&outcome, "refusing_share", 0.13);
        assert!(value(&outcome, "profit_credits") > 0.0, "{outcome:?}");
        let paid = value(&outcome, "paid_credits");
        assert!((paid - 0.7 * value(&outcome, "carried_count")).abs() < 1e-9, "{outcome:?}");
    }
}
