//! Markets of very many nodes that come and go: ring and market cores alone, with scripted buyers and sellers.
//!
//! A node here is a [`chord::Chord`] and a [`market::Marketplace`], wired as [`service::Node`] wires them. There is no
//! bank, no staging and no execution: a hold is a pause, a contract is a seller that has accepted a ticket and keeps
//! its slice until the work would have ended. So thousands of nodes fit where the whole-node world has dozens, and
//! what is measured is the market: whether a request finds a seller that is there, at which match, after how long,
//! and what it costs in messages.
//!
//! Machines and purchases are drawn by the world, or given by a [`Script`]: then buyers wait for their results, and buy once more
//! what a machine that is gone has lost.
//!
//! Hosts alternate between stays and absences ([`Churn`](crate::churn::Churn), reference §6.2), and start in equilibrium. One plan gives one run, on every machine.

mod deals;
mod figures;
mod node;
mod plan;
mod population;
mod script;
mod scripted;
mod world;

pub use figures::Churned;
pub use plan::{Departure, Plan};
pub use script::{Bought, Machine, Pooled, Script, Wanted};

use crate::violation::Violation;

/// Runs `plan`; `progress` hears how much of how much virtual time has passed, in microseconds.
///
/// # Errors
/// The first invariant of a market that does not hold, if the plan has them checked.
pub fn run(plan: &Plan, progress: &mut dyn FnMut(u64, u64)) -> Result<Churned, Violation> {
    world::World::new(plan).run(progress)
}
