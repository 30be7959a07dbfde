//! The executor with `benches/exec.rs` around it: `cargo bench --bench exec`.

#![expect(dead_code, unused_imports, reason = "the rest of the executor, and its tests")]

mod exec;
#[path = "../benches/exec.rs"]
mod kernels;

fn main() -> std::io::Result<()> {
    kernels::run()
}
