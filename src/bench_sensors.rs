//! The sensors with `benches/sensors.rs` around them: `cargo bench --bench sensors`.

#![expect(dead_code, unused_imports, reason = "the rest of the sensors and of the executor, and their tests")]

mod emulated;
mod exec;
#[path = "../benches/sensors.rs"]
mod looks;
mod sensor;

fn main() -> std::io::Result<()> {
    looks::run()
}
