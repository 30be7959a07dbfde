//! Rings of very many nodes: the shipping core of [`chord`] alone, measured as the Chord papers measured theirs.
//!
//! Nodes are named by numbers of four bytes, their places on the circle are computed from those. A run starts in a
//! ring that was repaired long ago. One plan gives one run, on every machine.

mod circle;
mod distance;
mod figures;
mod measured;
mod number;
mod plan;
mod population;
mod slab;
mod watch;
mod world;
mod yardstick;

pub use distance::Distance;
pub use figures::{Comparison, Effort, Figure, Load, Within};
pub use measured::{Histogram, Measured};
pub(crate) use number::mix;
pub use plan::Plan;
pub use yardstick::{Counts, MAX_NODES, MAX_THREADS, Yardstick, bare_queue};

/// Runs `plan`; `progress` hears how many of how many lookups have ended.
#[must_use]
pub fn run(plan: &Plan, progress: &mut dyn FnMut(u64, u64)) -> Measured {
    world::World::new(plan).run(progress)
}
