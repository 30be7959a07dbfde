//! The simulator, and by it the network: scenarios with faults, a known bug for each invariant, experiments.
//!
//! One program, and not one for each file: five and twenty would each be linked for themselves, and leave a core idle at
//! their ends.

#![cfg(test)]

mod bazaar;
mod checkpoints;
mod court;
mod court_mutants;
mod determinism;
mod disk;
mod faults;
mod growing;
mod journal;
mod lab;
mod market_faults;
mod market_mutants;
mod models;
mod mutants;
mod notes;
mod overlay;
mod pricing;
mod recording;
mod ring;
mod scenarios;
mod series;
mod settlement;
mod trust;
mod workflow;
