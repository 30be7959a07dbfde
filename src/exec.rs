//! The executor: other people's programs, run so that they reach nothing but their scratch directory.
//!
//! What runs a program of which kind is an [`Executor`]. The one here is for WebAssembly modules for WASI preview 1. They
//! are metered exactly (by the cost model [`COST_MODEL`] of the crate `instrument`), stopped at their limits, saved at any
//! moment and taken up elsewhere, and deterministic: the same program with the same files, arguments and environment
//! writes the same bytes and costs the same cycles on every machine. What of that is arranged where:
//!
//! - the crate `instrument`: what is rewritten in a module;
//! - [`environment`]: variables, clocks and randomness are the same everywhere;
//! - `wasi`: all that a program has of its host, as a value;
//! - `wasm`: the settings of the compiler, slices, snapshots, the limits and the reasons of an end.

mod calibrate;
mod clear;
mod control;
mod duty;
mod emulated;
pub(crate) mod environment;
mod executor;
mod format;
mod module;
pub(crate) mod native;
pub(crate) mod nice;
mod saved;
pub(crate) mod scratch;
mod state;
mod stream;
#[cfg(test)]
mod tests;
mod wasi;
mod wasm;

pub(crate) use control::Control;
pub(crate) use emulated::Emulated;
pub(crate) use executor::{Executor, Executors, Layer, LayerState};
pub(crate) use native::{Container, Native};
pub(crate) use saved::{Saved, Snapshot, Whole};
pub(crate) use scratch::Scratch;
pub(crate) use wasm::check_snapshots;

use module::Shelf;
use proto::message::service::{CheckpointMethod, Limits, Outcome, Runtime};
use proto::{Capacity, Cycles, Hash, Span};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// Which table of costs the meter applies; a calibration made under another is worth nothing, and neither is a snapshot.
pub(crate) const COST_MODEL: u32 = instrument::COST_MODEL;

/// Which kernel calibrates; a calibration by another is worth nothing. 2: two thirds of its time are floating point.
pub(crate) const KERNEL: u32 = 2;

/// Why an engine could not be made.
#[derive(Debug, thiserror::Error)]
#[error("the WebAssembly engine cannot start: {0}")]
pub(crate) struct EngineError(String);

/// One execution: a program with all that it gets.
#[derive(Clone, Debug)]
pub(crate) struct Execution {
    /// File of the program.
    pub(crate) program: PathBuf,
    /// Its BLAKE3 hash; the compiled module is kept under it.
    pub(crate) program_hash: Hash,
    /// Argument 0.
    pub(crate) program_name: String,
    /// The other arguments.
    pub(crate) arguments: Vec<String>,
    /// Variables over those of [`environment::FIXED`].
    pub(crate) environment: Vec<(String, String)>,
    /// File that is its standard input; none: empty.
    pub(crate) stdin: Option<PathBuf>,
    /// Directory that it sees as `/` and `.`, with its inputs in place. Nobody else may change it meanwhile.
    pub(crate) scratch: PathBuf,
    /// Empty directory for temporary files; programs of WebAssembly do not see it.
    pub(crate) temporary: PathBuf,
    /// Files that it has to leave there.
    pub(crate) outputs: Vec<String>,
    /// What it may use.
    pub(crate) limits: Limits,
    /// What kind of program it is.
    pub(crate) runtime: Runtime,
    /// The exit status that means success.
    pub(crate) success: u8,
    /// How it is saved while it runs, if it is to be.
    pub(crate) checkpoint: Option<CheckpointMethod>,
    /// Files of the snapshot from which it goes on, what it rests on first; none: it begins. The scratch directory has its
    /// inputs all the same.
    pub(crate) resume: Vec<PathBuf>,
}

/// How an execution ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    /// The verdict on it.
    pub(crate) outcome: Outcome,
    /// What was metered, exactly.
    pub(crate) cycles: Cycles,
    /// Its standard output, at most `limits.output`.
    pub(crate) stdout: Vec<u8>,
    /// Its standard error, at most `limits.output`.
    pub(crate) stderr: Vec<u8>,
    /// Wall time from the call of `run` to its return.
    pub(crate) elapsed: Span,
    /// What of it passed until the module was compiled (next to nothing if it was cached).
    pub(crate) prepared: Span,
    /// From what it can go on, if it can; who does not know of this goes by the outcome.
    pub(crate) saved: Option<Saved>,
}

/// Runs programs; one for a process. Clones share compiled modules.
#[derive(Clone)]
pub(crate) struct Engine {
    shelf: Arc<Shelf>,
}

impl Engine {
    /// Starts the engine, which keeps compiled modules in the directory `cache` between runs if it is given one. Nobody
    /// else may write there: what is in it is run as it is.
    ///
    /// # Errors
    /// If this machine cannot run compiled WebAssembly.
    pub(crate) fn new(cache: Option<&Path>) -> Result<Self, EngineError> {
        let engine = wasm::engine(cache).map_err(|error| EngineError(format!("{error:#}")))?;
        let linker = wasm::linker(&engine).map_err(|error| EngineError(format!("{error:#}")))?;
        Ok(Self { shelf: Arc::new(Shelf::new(engine, linker)) })
    }

    /// Runs a program to its end; returns whatever the program does, at the latest when its wall limit is over
    /// (which counts from here, so compiling is within it) or soon after `control.stop()`. Blocks: call it on a
    /// thread of its own, not on one of an async runtime.
    #[must_use]
    pub(crate) fn run(&self, execution: &Execution, control: &Control) -> Ended {
        let started = Instant::now();
        let run = || catch_unwind(AssertUnwindSafe(|| wasm::run(&self.shelf, execution, control, started)));
        let ended = std::thread::scope(|scope| {
            // A stack that is large enough whatever thread this is; the name is how its time is found.
            let name = std::thread::current().name().unwrap_or_default().to_owned();
            let thread = std::thread::Builder::new().name(name).stack_size(wasm::STACK_WITH_HOST);
            let thread = thread.spawn_scoped(scope, run).map_err(|error| error.to_string())?;
            thread
                .join()
                .and_then(|ended| ended)
                .map_err(|_| "the executor failed; its log has more".to_owned())
        });
        let mut ended = ended.unwrap_or_else(|why: String| Ended::before_start(Outcome::Abandoned(why)));
        ended.elapsed = span_since(started);
        ended
    }

    /// What one core executes of the calibration kernel, measured for about `time`: the best of a few slices,
    /// since whatever else runs here can only make a slice slower.
    #[must_use]
    pub(crate) fn calibrate(&self, time: Span) -> Capacity {
        calibrate::measure(self.shelf.engine(), time)
    }
}

impl Ended {
    /// The end of an execution that did not start.
    fn before_start(outcome: Outcome) -> Self {
        Self {
            outcome,
            cycles: Cycles(0),
            stdout: Vec::new(),
            stderr: Vec::new(),
            elapsed: Span(0),
            prepared: Span(0),
            saved: None,
        }
    }
}

impl Executor for Engine {
    fn runtime(&self) -> Runtime {
        Runtime::WebAssembly
    }

    fn layers(&self) -> Vec<Layer> {
        let active = |name, what| Layer { name, what, state: LayerState::Active };
        vec![
            active("webassembly", "instructions: nothing but its own memory can be named"),
            active("wasi", "calls: files of the scratch directory only, no network, no processes"),
        ]
    }

    fn run(&self, execution: &Execution, control: &Control) -> Ended {
        Self::run(self, execution, control)
    }
}

/// The time since `started`.
fn span_since(started: Instant) -> Span {
    Span(u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX))
}
