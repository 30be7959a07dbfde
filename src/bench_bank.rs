//! The program once more, with `benches/bank.rs` instead of its command line: `cargo bench --bench bank`.

#![expect(dead_code, unused_imports, reason = "the command line, and tests that are not run here")]

mod cli;
mod control;
mod emulated;
mod exec;
mod log;
#[path = "../benches/bank.rs"]
mod money;
mod net;
mod node;
mod output;
mod sensor;

use std::process::ExitCode;

fn main() -> ExitCode {
    // With a command it is the program itself: it starts its bank so.
    if std::env::args().nth(1).is_some_and(|word| word == "bank") {
        log::start();
        cli::run(std::env::args_os())
    } else {
        money::run()
    }
}
