//! The figures and tables of the Chord papers, beside what is measured here (reference §1.3 to §1.6).
//!
//! Each figure is run with the shipping core, but for the placement of keys, which needs no messages at all.

mod churn;
mod failures;
mod load;
mod path;
mod stretch;
mod ways;

pub use load::Load;

/// A figure of Stoica et al., IEEE/ACM ToN 11(1), 2003.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figure {
    /// Fig. 8: how evenly keys are spread over nodes.
    Load,
    /// Fig. 9: the same with virtual nodes.
    VirtualNodes,
    /// Fig. 10: how many hops a lookup takes, by the size of the ring.
    PathLength,
    /// Table II: half of the nodes fail at once.
    Failures,
    /// Table III: nodes come and go, with the settings of the paper.
    Churn,
    /// Table III with lookups that the owner confirms.
    ChurnConfirmed,
    /// Table III with the settings of a public network.
    ChurnDefault,
    /// Table IV: how much longer a lookup takes than the straight way.
    Stretch,
    /// Every way of looking up that this program knows, in peace and under churn.
    Ways,
}

/// How near to the paper's value a measured one has to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Within {
    /// So far away at most.
    Absolute(f64),
    /// So far away at most, as a share of the paper's value.
    Share(f64),
    /// Not above it.
    AtMost,
    /// It is only shown.
    Any,
}

/// One value of a figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// Which case: a size, a rate.
    pub case: String,
    /// What is measured.
    pub quantity: &'static str,
    /// The value in the paper, or that follows from its theory.
    pub expected: f64,
    /// The value here.
    pub measured: f64,
    /// How near they have to be.
    pub within: Within,
}

impl Comparison {
    /// Whether the measured value is as near to the expected one as asked for.
    #[must_use]
    pub fn is_met(&self) -> bool {
        let apart = (self.measured - self.expected).abs();
        match self.within {
            Within::Absolute(most) => apart <= most,
            Within::Share(most) => apart <= most * self.expected.abs(),
            Within::AtMost => self.measured <= self.expected,
            Within::Any => true,
        }
    }
}

/// How much work a figure is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effort {
    /// The seed of the first run.
    pub seed: u64,
    /// Rings that are made for each case; the paper's own number where it says one is 20 (Fig. 8).
    pub reps: u64,
    /// Lookups in each ring; in Fig. 10 at most.
    pub lookups: u64,
}

impl Figure {
    /// Runs it; `progress` hears how many of how many cases are done.
    #[must_use]
    pub fn run(self, effort: Effort, progress: &mut dyn FnMut(u64, u64)) -> Vec<Comparison> {
        match self {
            Self::Load => load::by_keys(effort, progress),
            Self::VirtualNodes => load::by_virtual_nodes(effort, progress),
            Self::PathLength => path::run(effort, progress),
            Self::Failures => failures::run(effort, progress),
            Self::Stretch => stretch::run(effort, progress),
            Self::Ways => ways::run(effort, progress),
            Self::Churn | Self::ChurnConfirmed | Self::ChurnDefault => churn::run(self, effort, progress),
        }
    }
}

/// Seeds of the runs of one case.
fn seeds(effort: Effort) -> impl Iterator<Item = u64> {
    (0..effort.reps.max(1)).map(move |run| effort.seed.wrapping_add(run))
}

/// One value.
fn compare(case: &str, quantity: &'static str, measured: f64, expected: f64, within: Within) -> Comparison {
    Comparison { case: case.to_owned(), quantity, expected, measured, within }
}

#[expect(clippy::cast_precision_loss, reason = "figures to be shown")]
const fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests;
