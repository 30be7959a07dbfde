//! The mean of uniform draws: to try the tool, and to see that its statistics are right.

use crate::dice::Dice;
use crate::experiment::{Metric, Model, Outcome, Parameter, RunError, Setting};

/// The mean of uniform draws.
#[derive(Clone, Copy, Debug)]
pub struct Draws;

const DRAWS: Parameter = Parameter::integer("work.draws", 100, 1, 1_000_000, "numbers drawn in a run");
const LEAST: Parameter = Parameter::real("work.least", 0.0, -1e9, 1e9, "the lowest number that is drawn");
const MOST: Parameter = Parameter::real("work.most", 1.0, -1e9, 1e9, "the highest number that is drawn");

const METRICS: &[Metric] = &[
    Metric { name: "mean_ratio", unit: "ratio", about: "the mean of the numbers drawn" },
    Metric {
        name: "closed_mean_ratio",
        unit: "ratio",
        about: "the middle between lowest and highest number",
    },
];

/// Draws are made of whole numbers below this.
const STEPS: u64 = 1 << 53;

impl Model for Draws {
    fn name(&self) -> &'static str {
        "draws"
    }

    fn about(&self) -> &'static str {
        "The mean of numbers drawn evenly between two limits: to try the tool, and to check its statistics."
    }

    fn parameters(&self) -> Vec<Parameter> {
        vec![DRAWS, LEAST, MOST]
    }

    fn metrics(&self) -> &'static [Metric] {
        METRICS
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "draws below 2^53 and at most a million of them are exact"
    )]
    fn run(&self, setting: &Setting, seed: u64) -> Result<Outcome, RunError> {
        let (least, most) = (setting.real(&LEAST), setting.real(&MOST));
        let count = setting.count(&DRAWS);
        let mut dice = Dice::new(seed, "draws", 0);
        let mut trace = blake3::Hasher::new();
        let mut sum = 0.0;
        for _ in 0..count {
            let drawn = dice.below(STEPS);
            trace.update(&drawn.to_le_bytes());
            sum += drawn as f64 / STEPS as f64;
        }
        let mean = least + (most - least) * sum / count as f64;
        Ok(Outcome::new(*trace.finalize().as_bytes())
            .with("mean_ratio", mean)
            .with("closed_mean_ratio", f64::midpoint(least, most)))
    }
}
