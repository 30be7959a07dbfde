//! Contracts before the bank: the settlement protocol (DESIGN §5.4, 6 and 7) with liars on every side.
//!
//! Here is the real [`bank::Bank`] with its real journal, behind a network that loses, doubles and overtakes messages;
//! buyers, sellers, market owners and arbiters are scripts. Each follows the protocol, or lies in one chosen way
//! ([`Buyer`], [`Seller`], [`Owner`], [`Arbiter`]); the bank is killed, stays away, and its clock leaps ([`Upset`]).
//! There is no ring, no market and no execution: what work comes to is a hash that everybody can compute.
//!
//! After every record all accounts are kept a second time from the records alone, each hold's state is derived a
//! second time, its end is computed a second time, and what each honest party may lose is compared with a bound
//! (`docs/bank/deals.md`, who can lose what). At the end nothing is held, and the journal passes [`bank::audit`]. One case and
//! one seed give one journal.

mod arbiter;
mod bounds;
mod buyer;
mod case;
mod deal;
mod desk;
mod docket;
mod draw;
mod forger;
mod named;
mod outcome;
mod papers;
mod party;
mod seller;
mod shares;
mod world;

pub use case::{Arbiter, Buyer, Case, Expected, Owner, Roles, Seller, Upset};
pub use outcome::Outcome;
pub use shares::Gains;

use crate::mutant::{Honest, Mutant};
use crate::violation::Violation;

/// Tries `case` in the world of `seed`.
///
/// # Errors
/// The first invariant that does not hold, or an end that the case does not expect.
pub fn run(case: &Case, seed: u64) -> Result<Outcome, Violation> {
    run_with(case, seed, &mut Honest)
}

/// Tries `case` with a known bug in what the bank puts out ([`Mutant::bank`]).
///
/// # Errors
/// The first invariant that does not hold, or an end that the case does not expect.
pub fn run_with(case: &Case, seed: u64, mutant: &mut dyn Mutant) -> Result<Outcome, Violation> {
    world::World::new(case, seed, mutant).run()
}
