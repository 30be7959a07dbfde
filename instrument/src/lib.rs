//! Rewrites WebAssembly modules so that a program is metered, can be stopped anywhere, and can be saved and go on elsewhere.
//!
//! Pure: bytes in, bytes out. The executor in `src/exec` runs what comes out. One pass over a core module for WASI
//! preview 1 makes it
//!
//! - *metered*: every run of instructions is charged in cycles, by the versioned table of [`cost`];
//! - *pre-emptible*: with each turn of a loop and each entry of a function it looks whether its budget is used up;
//! - *deterministic*: where the bits of a computed NaN could be seen they are made the canonical ones, and recursion
//!   ends at the same depth everywhere;
//! - *suspendable*: it writes its frames into a memory of its own and takes them up again, in the same instance or
//!   in a fresh one on another machine.
//!
//! How a host drives the result is told in [`layout`]; the design in `docs/work/instrument.md`. What cannot be
//! supported is refused by name ([`Refused`]); no module makes the pass panic.

mod bits;
pub mod cost;
mod emit;
mod features;
mod flat;
pub mod layout;
mod live;
mod module;
mod nan;
mod refused;
mod regions;
mod survey;
mod work;

pub use cost::COST_MODEL;
pub use layout::Layout;
pub use refused::{Feature, Refused};

/// Bounds for what comes out. Part of the rules of a network, as the costs are: another bound ends another program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Bytes of frames that a program may have on its stack, counted as they would be saved. The engine's own
    /// stack should be four times that, so that this limit is always met first.
    pub stack: u32,
    /// Bytes that the rewritten module may have.
    pub output: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { stack: 2 << 20, output: 256 << 20 }
    }
}

/// A module that can be metered, stopped and saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instrumented {
    /// The rewritten module. Its engine needs multiple memories, and does well with branch hints.
    pub module: Vec<u8>,
    /// What there is to save of it.
    pub layout: Layout,
}

/// Rewrites a module.
///
/// # Errors
/// If it is not valid, or has something that cannot be supported or saved; see [`Refused`].
pub fn instrument(module: &[u8], options: &Options) -> Result<Instrumented, Refused> {
    features::validate(module)?;
    let survey = survey::survey(module)?;
    module::rewrite(module, &survey, options)
}
