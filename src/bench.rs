//! The program once more, with `benches/ring.rs` instead of its command line: `cargo bench --bench ring`.

#![expect(dead_code, unused_imports, reason = "the command line, and tests that are not run here")]

mod cli;
mod control;
mod emulated;
mod exec;
mod log;
mod net;
mod node;
mod output;
#[path = "../benches/ring.rs"]
mod ring;
mod sensor;

use std::process::ExitCode;

fn main() -> ExitCode {
    // With a command it is the program itself: it starts its processes so.
    let is_command = std::env::args().nth(1).is_some_and(|word| word == "join" || word == "bank");
    if is_command {
        log::start();
        cli::run(std::env::args_os())
    } else {
        ring::run()
    }
}
