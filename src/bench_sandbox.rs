//! The executor with `benches/sandbox.rs` around it: `cargo bench --bench sandbox`.

#![expect(dead_code, unused_imports, reason = "the rest of the executor, and its tests")]

mod exec;
#[path = "../benches/sandbox.rs"]
mod starts;

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    // It is its own step into the sandbox.
    if args.next().is_some_and(|word| word == exec::native::WORD) {
        return exec::native::enter(args);
    }
    if starts::run().is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
