//! The ring as a whole: many cores in a small deterministic world.

mod churn;
mod faults;
mod growth;
mod isolation;
mod leaving;
mod lookups;
mod model;
mod world;
