//! One more population, strategy, model and experiment: each is what one file holds, and joins by one line.

use super::models::Line;
use proto::Rate;
use sim::Dice;
use sim::experiment::{Experiment, Options, Parameter, Registry, Results, Shipped, run};
use sim::model::Auction;
use sim::population::{Costs, Kind as PopulationKind};
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
