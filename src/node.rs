//! The real driver: it gives the pure node its clock, its network, its disk and its executor.

mod bank;
mod clock;
mod control;
mod driver;
mod executions;
mod explorer;
pub(crate) mod local;
mod market;
mod random;
mod record;
mod start;
mod supply;
mod tasks;

pub(crate) use bank::run_bank;
pub(crate) use start::run_join;
