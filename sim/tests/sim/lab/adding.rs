//! One more rule, population, strategy, workload, model and experiment: each is what one file holds, and joins by one line.

use super::models::Line;
use proto::Rate;
use sim::Dice;
use sim::experiment::{Experiment, Options, Parameter, Registry, Results, Shipped, run};
use sim::model::mechanism::{Case, Kind as MechanismKind, Mechanism, Traded};
use sim::model::{Auction, Tournament};
use sim::population::{Costs, Kind as PopulationKind};
use sim::strategy::buyer::{Buyer, Kind as BuyerKind};
use sim::strategy::owner::{Deal, Kind as OwnerKind, Owner, Stall};
use sim::strategy::seller::{Kind as SellerKind, Place, Seller};
use std::ops::ControlFlow;

/// A population: every seller has the same cost.
const EQUAL: PopulationKind = PopulationKind {
    name: "equal",
    about: "the same cost for all",
    source: "a test",
    parameters: || vec![COST],
    costs: |setting| Box::new(Equal(setting.real(&COST))),
};
const COST: Parameter =
    Parameter::real("population.equal_credits", 0.25, 0.0, 1e6, "the cost of all sellers");

struct Equal(f64);

impl Costs for Equal {
    fn cost(&self, _: usize, _: &mut Dice) -> f64 {
        self.0
    }
}

/// A strategy of sellers: twice the cost.
const DOUBLE: SellerKind = SellerKind {
    name: "double",
    about: "asks for twice its cost",
    parameters: Vec::new,
    seller: |_| Box::new(Double),
};

struct Double;

impl Seller for Double {
    fn report(&self, place: &Place<'_>) -> Rate {
        Rate(place.cost.0 * 2)
    }
}

/// A strategy of market owners: whoever listed last, at its ask.
const LAST: OwnerKind = OwnerKind {
    name: "last",
    about: "whoever listed last, at its ask",
    parameters: Vec::new,
    owner: |_| Box::new(Last),
};

struct Last;

impl Owner for Last {
    fn arrange(&self, stall: &Stall<'_>) -> Option<Deal> {
        let ask = stall.asks.last()?;
        Some(Deal { winner: ask.who, reported: ask.rate, to_seller: ask.rate, to_owner: Rate(0) })
    }
}

/// A pricing rule: the first buyer and the first seller trade half-way, if both gain.
const PAIR: MechanismKind = MechanismKind {
    name: "pair",
    about: "the first buyer and the first seller, half-way",
    parameters: Vec::new,
    mechanism: |_| Box::new(Pair),
};

struct Pair;

impl Mechanism for Pair {
    fn trade(&self, case: &Case<'_>) -> Vec<Traded> {
        let (bid, ask) = (case.bid(0), case.asks[0]);
        let price = Rate(bid.0.midpoint(ask.0));
        let trade = Traded { buyer: 0, seller: 0, pays: price, gets: price };
        if bid > ask { vec![trade] } else { Vec::new() }
    }
}

/// A strategy of buyers: a credit, whatever it is worth.
const CREDIT: BuyerKind =
    BuyerKind { name: "credit", about: "bids a credit", parameters: Vec::new, buyer: |_| Box::new(Credit) };

struct Credit;

impl Buyer for Credit {
    fn bids(&self, _: Rate) -> Vec<Rate> {
        vec![Rate(1_000_000)]
    }
}

/// An experiment that names the rule.
const RULE: &str = "name = \"e98\"\nmodel = \"tournament\"\nrepetitions = 2\nmetrics = [\"buyer_cost_credits\"]\n\
    [population]\ncosts = \"equal\"\nequal_credits = 0.2\nbuyers = 3\n[strategies]\nbuyers = \"credit\"\ndeviations = 0\n\
    [rule]\nmechanism = \"pair\"\n";

/// An experiment that names all of them.
const FILE: Shipped = Shipped {
    file: "e99-mine.toml",
    text: "name = \"e99\"\nmodel = \"auction\"\nrepetitions = 2\nmetrics = [\"price_credits\"]\n\
        [population]\ncosts = \"equal\"\nequal_credits = 0.2\n[strategies]\nsellers = \"double\"\n\
        [sweep]\nstrategies.owner = [\"honest\", \"last\"]\n",
};

fn ran(registry: &Registry, text: &str) -> Results {
    let experiment = Experiment::parse(text, registry).unwrap_or_else(|faults| panic!("{faults:?}"));
    run(&experiment, registry, Options::default(), &mut |_| ControlFlow::Continue(())).unwrap()
}

#[test]
fn a_rule_and_a_strategy_of_buyers_join_by_a_line_each() {
    let tournament = Tournament::standard().with_population(EQUAL).with_mechanism(PAIR).with_buyer(CREDIT);
    let results = ran(&Registry::empty().with(tournament), RULE);
    // Half-way between a bid of 1 and an ask of 0.2.
    let sample = results.points[0].sample(0);
    assert!(sample.len() == 2 && sample.iter().all(|price| (price - 0.6).abs() < 1e-9), "{sample:?}");
    let faults = Experiment::parse(RULE, &Registry::standard()).unwrap_err();
    assert!(
        faults.iter().any(|fault| fault.message.starts_with("`rule.mechanism`: expected one of")),
        "{faults:?}"
    );
}

#[test]
fn a_population_a_strategy_a_model_and_an_experiment_join_by_a_line_each() {
    let auction = Auction::standard().with_population(EQUAL).with_seller(DOUBLE).with_owner(LAST);
    let registry = Registry::empty().with(auction).with(Line).with_shipped(FILE);
    assert_eq!(registry.model("line").map(|model| model.name()), Some("line"));
    let results = ran(&registry, registry.shipped()[0].text);
    // All ask for twice 0.2: so that is the price, by the rule and at the last one's ask.
    for point in &results.points {
        let sample = point.sample(0);
        assert!(sample.len() == 2 && sample.iter().all(|price| (price - 0.4).abs() < 1e-9), "{sample:?}");
    }
    assert_eq!(results.points.len(), 2);
    // The registry that ships knows none of them.
    let faults = Experiment::parse(FILE.text, &Registry::standard()).unwrap_err();
    assert!(faults[0].message.starts_with("`population.costs`: expected one of"), "{faults:?}");
}
