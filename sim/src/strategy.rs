//! How the sides of a market behave: one strategy a file, and one line in a registry.
//!
//! [`seller`]: what a seller lists in one auction. [`owner`]: what a market owner makes of the listings. [`repeated`]: how a
//! seller prices round after round, seeing what the others did. Buyers that wait are in the model `tournament`, sellers that
//! lie about results in the model `voting`; both are a parameter there.

pub mod owner;
pub mod repeated;
pub mod seller;
