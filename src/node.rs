//! The real driver: it gives the pure node its clock, its network, its disk and its executor.

mod absence;
mod awake;
mod bank;
mod clock;
mod control;
mod driver;
mod executions;
mod explorer;
mod governance;
mod judge;
pub(crate) mod local;
mod market;
mod opening;
mod policy_file;
pub(crate) mod random;
mod record;
mod rules;
mod sellers;
mod spending;
mod start;
mod supply;
mod tasks;
mod told;

pub(crate) use bank::{
    Address, Exchanged, Mode, ORDERS_PER_KEY, Place, export_to, import_from, promote, run_bank,
    verify as verify_bank,
};
pub(crate) use start::run_join;
