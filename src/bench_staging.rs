//! The program once more, with `benches/staging.rs` instead of its command line: `cargo bench --bench staging`.

#![expect(dead_code, unused_imports, reason = "the command line, and tests that are not run here")]

mod cli;
mod control;
mod emulated;
mod exec;
mod log;
mod net;
mod node;
mod output;
mod sensor;
#[path = "../benches/staging.rs"]
mod staging;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    staging::run()
}
