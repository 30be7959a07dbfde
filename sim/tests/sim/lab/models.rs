//! Models to try the laboratory with. Each is one file's worth, and joins a registry by one line: as in
//! `docs/sim.md`.

use sim::experiment::{Metric, Model, Outcome, Parameter, Registry, RunError, Setting, SettingError};

/// y = slope × x, plus noise of a known size.
pub(crate) struct Line;

const X: Parameter = Parameter::real("work.x", 1.0, 0.0, 1e6, "where");
const SLOPE: Parameter = Parameter::real("rule.slope", 2.0, -100.0, 100.0, "how steep");
const NOISE: Parameter =
    Parameter::real("work.noise", 0.0, 0.0, 100.0, "most of what is added or taken away");
const COUNT: Parameter = Parameter::integer("population.count", 3, 1, 1_000, "how many");
const SHAPE: Parameter = Parameter::choice("population.shape", "even", &["even", "odd"], "which");
const FAILS: Parameter = Parameter::choice(
    "work.fails",
    "not",
    &["not", "no_trade", "unwritten", "not_finite", "empty"],
    "what goes wrong",
);

const METRICS: &[Metric] = &[
    Metric { name: "y_credits", unit: "credits", about: "the value" },
    Metric { name: "closed_y_credits", unit: "credits", about: "slope × x" },
    Metric { name: "steps_count", unit: "count", about: "the seed's last digit" },
];

impl Model for Line {
    fn name(&self) -> &'static str {
        "line"
    }

    fn about(&self) -> &'static str {
        "A straight line with noise."
    }

    fn parameters(&self) -> Vec<Parameter> {
        vec![X, SLOPE, NOISE, COUNT, SHAPE, FAILS]
    }

    fn metrics(&self) -> &'static [Metric] {
        METRICS
    }

    fn check(&self, setting: &Setting) -> Result<(), SettingError> {
        if setting.text(&SHAPE) == "odd" && setting.count(&COUNT).is_multiple_of(2) {
            return Err(SettingError::new(
                COUNT.key,
                "expected an odd number where `population.shape` is \"odd\"",
            ));
        }
        Ok(())
    }

    fn run(&self, setting: &Setting, seed: u64) -> Result<Outcome, RunError> {
        let closed = setting.real(&SLOPE) * setting.real(&X);
        // From −1 to 1, evenly enough.
        let drawn = f64::from(u32::try_from(seed % 2_001).unwrap()) / 1_000.0 - 1.0;
        let outcome = Outcome::new(*blake3::hash(&seed.to_le_bytes()).as_bytes())
            .with("y_credits", closed + setting.real(&NOISE) * drawn)
            .with("closed_y_credits", closed)
            .with("steps_count", f64::from(u32::try_from(seed % 10).unwrap()));
        match setting.text(&FAILS) {
            "no_trade" => Err(RunError::NoTrade),
            "unwritten" => Ok(Outcome::new([0; 32]).with("y_credits", 1.0).with("steps_count", 1.0)),
            "not_finite" => Ok(outcome.with("y_credits", f64::NAN)),
            "empty" => Ok(outcome.with_some("closed_y_credits", None)),
            _ => Ok(outcome),
        }
    }
}

/// The registry that ships, with one line more.
pub(crate) fn registry() -> Registry {
    Registry::standard().with(Line)
}
