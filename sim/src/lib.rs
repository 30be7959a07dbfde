//! A world that can be repeated: complete nodes and a bank in virtual time, over a network with latency and loss,
//! with faults by schedule.
//!
//! [`run`] drives N [`service::Node`]s and one [`bank::Bank`], the same code as the real processes, from one
//! queue of events. After every event the invariants of ring, market, bank and contracts are checked
//! (`invariant`), at the end the promises to the users (`oracle`). One scenario and one seed give one trace: the
//! hash in the [`Report`] is the same in every process.
//!
//! [`court`] has the bank alone, with scripted parties that lie; [`bazaar`] has ring and market cores alone, in thousands, whose nodes come and go; [`ring`] the ring alone, in
//! millions.
//!
//! What is not modelled: the streams of the real network (here each message is lost or late by itself) and the
//! bytes of blobs (a store is a set of hashes; a transfer takes size by bandwidth).
//!
//! ```
//! let calm = sim::Scenario::named("calm").expect("it ships");
//! let report = sim::run(&calm, 1).expect("every invariant holds");
//! let again = sim::run(&calm, 1).expect("every invariant holds");
//! assert_eq!(report.trace, again.trace);
//! ```

pub mod bazaar;
pub mod churn;
mod circle;
mod clock;
pub mod court;
mod dice;
pub mod disk;
mod drawn;
pub mod experiment;
mod fault;
mod host;
mod invariant;
pub mod kinds;
mod machine;
pub mod measure;
pub mod model;
mod mutant;
mod net;
pub mod network;
pub mod nodes;
mod oracle;
mod place;
pub mod population;
pub mod price;
pub mod queue;
pub mod recording;
mod report;
pub mod ring;
mod scenario;
mod sight;
pub mod strategy;
mod teller;
mod trace;
pub mod trade;
mod violation;
pub mod workload;
mod world;

pub use clock::Clocks;
pub use dice::Dice;
pub use fault::{Act, Fault, Flood, Lie, Scheduled, Who};
pub use invariant::bounded::Load;
pub use mutant::{Honest, Mutant, Site};
pub use net::{Model, Traffic, Way};
pub use network::Latency;
pub use place::Place;
pub use report::{Report, Tally};
pub use scenario::{Checks, Expectation, Machines, Scenario, Served, Votes, Work};
pub use sight::Sight;
pub use violation::Violation;

/// Runs `scenario` in the world of `seed`.
///
/// # Errors
/// The first invariant that does not hold, or the first promise that is not kept.
pub fn run(scenario: &Scenario, seed: u64) -> Result<Report, Violation> {
    run_with(scenario, seed, &mut Honest)
}

/// Runs `scenario` with a known bug in it.
///
/// # Errors
/// The first invariant that does not hold, or the first promise that is not kept.
pub fn run_with(scenario: &Scenario, seed: u64, mutant: &mut dyn Mutant) -> Result<Report, Violation> {
    world::World::new(scenario, seed, mutant).run()
}
