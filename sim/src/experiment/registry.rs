//! Which models and experiments there are.

use super::Model;
use crate::model;

/// An experiment file of `sim/experiments/`, compiled in.
macro_rules! shipped {
    ($file:literal) => {
        Shipped { file: $file, text: include_str!(concat!("../../experiments/", $file)) }
    };
}

/// The models that an experiment file can name, and the experiments that ship. A value, so that a program or a test can
/// add its own.
pub struct Registry {
    models: Vec<Box<dyn Model>>,
    shipped: Vec<Shipped>,
}

/// An experiment that ships.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shipped {
    /// The name of its file.
    pub file: &'static str,
    /// What stands in it.
    pub text: &'static str,
}

impl Registry {
    /// Everything that ships: one line for each model, and one for each experiment file.
    #[must_use]
    pub fn standard() -> Self {
        Self {
            models: vec![
                Box::new(model::Draws),
                Box::new(model::Auction::standard()),
                Box::new(model::Sequence::standard()),
                Box::new(model::PricingGame::standard()),
                Box::new(model::Tournament::standard()),
                Box::new(model::Voting::standard()),
                Box::new(model::Honesty::standard()),
                Box::new(model::Routing::standard()),
                Box::new(model::Placements),
                Box::new(model::Churned),
                Box::new(model::Pool::standard()),
                Box::new(model::WholeNodes),
                Box::new(model::Capture),
            ],
            shipped: vec![
                shipped!("e00-draws.toml"),
                shipped!("e01-truth.toml"),
                shipped!("e02-sequence.toml"),
                shipped!("e03-bertrand.toml"),
                shipped!("e04-lowest.toml"),
                shipped!("e05-units.toml"),
                shipped!("e06-shading.toml"),
                shipped!("e07-cartel.toml"),
                shipped!("e07b-learners.toml"),
                shipped!("e07c-restless.toml"),
                shipped!("e08-lookup.toml"),
                shipped!("e09-hotspot.toml"),
                shipped!("e10-churn.toml"),
                shipped!("e11-tournament.toml"),
                shipped!("e11b-machines.toml"),
                shipped!("e12-speedup.toml"),
                shipped!("e13-voting.toml"),
                shipped!("e14-capture.toml"),
                shipped!("e15-pool.toml"),
                shipped!("e16-selfish.toml"),
                shipped!("e16b-toll.toml"),
                shipped!("e17-honesty.toml"),
            ],
        }
    }

    /// Nothing, to add to.
    #[must_use]
    pub const fn empty() -> Self {
        Self { models: Vec::new(), shipped: Vec::new() }
    }

    /// The same with one more model.
    #[must_use]
    pub fn with(mut self, model: impl Model + 'static) -> Self {
        self.models.push(Box::new(model));
        self
    }

    /// The same with one more experiment.
    #[must_use]
    pub fn with_shipped(mut self, shipped: Shipped) -> Self {
        self.shipped.push(shipped);
        self
    }

    /// All models.
    pub fn models(&self) -> impl Iterator<Item = &dyn Model> {
        self.models.iter().map(|model| &**model)
    }

    /// The model of this name.
    #[must_use]
    pub fn model(&self, name: &str) -> Option<&dyn Model> {
        self.models().find(|model| model.name() == name)
    }

    /// All experiments that ship.
    #[must_use]
    pub fn shipped(&self) -> &[Shipped] {
        &self.shipped
    }
}
