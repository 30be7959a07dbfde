//! How the sides of a market behave: one strategy a file, and one line in a registry.
//!
//! [`seller`]: what a seller lists in one auction. [`owner`]: what a market owner makes of the listings. [`repeated`]: how a
//! seller prices round after round, seeing what the others did. [`buyer`]: what buyers bid. [`liar`]: which
//! results liars give in a vote. [`router`]: who passes on the lookups of others. Buyers and sellers that lie about a result before
//! the bank are those of [`crate::court`].

pub mod buyer;
pub mod liar;
pub mod owner;
pub mod repeated;
pub mod router;
pub mod seller;
