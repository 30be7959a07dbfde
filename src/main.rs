//! compup2p: a market for idle computing power without a server that schedules anything.

mod cli;
mod control;
mod exec;
mod log;
mod net;
mod node;
mod output;
mod sensor;

use std::process::ExitCode;

fn main() -> ExitCode {
    log::start();
    cli::run(std::env::args_os())
}
