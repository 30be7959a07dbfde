//! compup2p: a market for idle computing power without a server that schedules anything.

mod cli;
mod control;
mod emulated;
mod exec;
mod log;
mod net;
mod node;
mod output;
mod sensor;

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    if args.next().is_some_and(|word| word == exec::native::WORD) {
        return exec::native::enter(args);
    }
    log::start();
    cli::run(std::env::args_os())
}
