//! How a program is run, and why it ended.

mod machine;
mod pieces;
mod snapshot;

use super::control::{Control, Stop, Watch};
use super::module::{Program, Shelf};
use super::saved::{Judgement, Saved, judge};
use super::state::{Memory, Meter, State};
use super::wasi::{Beginning, Exit, HostFailed, Tree, Wasi};
use super::{Ended, Execution, span_since};
use instrument::layout;
use machine::{End, Machine};
use proto::Cycles;
use proto::message::service::{Limits, Outcome};
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use wasmtime::{Caller, Config, Engine, Linker, Trap};

pub(super) use machine::look;
pub(crate) use snapshot::check_snapshots;

/// Frames of a program on the engine's stack: four times what the pass allows it, so that its own limit, which is the
/// same everywhere, is always met first.
const STACK: usize = 8 << 20;
/// Stack of the thread that runs a program, with what host functions need on top.
pub(super) const STACK_WITH_HOST: usize = STACK + (2 << 20);
/// Longest reason given in an outcome, in bytes.
const MAX_REASON: usize = 200;
/// Most disk that compiled modules may take between runs.
const MAX_CACHE: u64 = 512 << 20;
/// Most compiled modules kept between runs.
const MAX_CACHED: u64 = 256;

/// The engine. What makes programs the same everywhere is in the modules by then: metering, pre-emption and canonical
/// NaN come from the rewriting pass, so the compiler is asked for neither. Compiled modules are kept in `cache`.
pub(super) fn engine(cache: Option<&Path>) -> wasmtime::Result<Engine> {
    let mut config = Config::new();
    config
        .relaxed_simd_deterministic(true)
        // The second memory holds the frames of a program that is saved.
        .wasm_multi_memory(true)
        .wasm_memory64(false)
        .wasm_branch_hinting(true)
        .memory_init_cow(true)
        .parallel_compilation(true)
        .max_wasm_stack(STACK)
        // Not used; but the other may not be larger.
        .async_stack_size(STACK_WITH_HOST)
        .wasm_backtrace_max_frames(None);
    if let Some(directory) = cache {
        let mut kept = wasmtime::CacheConfig::new();
        kept.with_directory(directory)
            .with_files_total_size_soft_limit(MAX_CACHE)
            .with_file_count_soft_limit(MAX_CACHED);
        config.cache(Some(wasmtime::Cache::new(kept)?));
    }
    Engine::new(&config)
}

/// All that a program may import.
pub(super) fn linker(engine: &Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    super::wasi::add_to_linker(&mut linker)?;
    linker.func_wrap(layout::HOST, layout::POLL, |mut caller: Caller<'_, State>, left: i64| {
        machine::poll(caller.data_mut(), left)
    })?;
    Ok(linker)
}

/// Runs a program to its end.
pub(super) fn run(shelf: &Arc<Shelf>, execution: &Execution, control: &Control, started: Instant) -> Ended {
    let watch = Watch { control: control.clone(), started, wall: execution.limits.wall };
    let program = match shelf.module(execution.program_hash, &execution.program, &watch) {
        Ok(program) => program,
        Err(outcome) => return Ended { prepared: span_since(started), ..Ended::before_start(outcome) },
    };
    let prepared = span_since(started);
    let ((outcome, saved), cycles) = match machine(shelf.engine(), &program, execution, watch) {
        Ok(mut machine) => {
            let result = machine.run();
            (verdict(result, machine.state(), execution), machine.cycles())
        }
        Err(outcome) => ((outcome, None), Cycles(0)),
    };
    control.publish(cycles);
    let [stdout, stderr] = [control.stdout(), control.stderr()].map(super::stream::Tap::take);
    Ended { outcome, cycles, stdout, stderr, elapsed: span_since(started), prepared, saved }
}

/// A program with its world, at its start or where its snapshot was taken.
fn machine(
    engine: &Engine,
    program: &Arc<Program>,
    execution: &Execution,
    watch: Watch,
) -> Result<Machine, Outcome> {
    let limits = execution.limits;
    let abandoned =
        |what: &str, error: &dyn std::fmt::Display| Outcome::Abandoned(format!("{what}: {error}"));
    let tree = Tree::scan(&execution.scratch, limits.disk)
        .map_err(|error| abandoned("its scratch directory cannot be read", &error))?;
    if tree.is_over() {
        return Err(Outcome::DiskLimit(limits.disk));
    }
    let stdin = execution.stdin.as_ref().map(File::open).transpose();
    let stdin = stdin.map_err(|error| abandoned("its standard input cannot be read", &error))?;
    let (stdout, stderr) = (watch.control.stdout().clone(), watch.control.stderr().clone());
    for stream in [&stdout, &stderr] {
        stream.begin(Vec::new(), limits.output.0);
    }
    let own = std::iter::once(&execution.program_name).chain(&execution.arguments);
    let wasi = Wasi::new(Beginning {
        arguments: own.cloned().collect(),
        environment: execution.environment.clone(),
        stdin,
        stdout,
        stderr,
        tree,
    });
    let memory = Memory::new(limits.memory, program.layout.memory);
    let state =
        State { wasi, watch, memory, meter: Meter::new(0, limits.cycles), parts: None, is_taken_up: false };
    let machine = Machine::new(engine, Arc::clone(program), execution.program_hash, state);
    let mut machine = machine.map_err(|(error, state)| failure(&error, &state, limits))?;
    machine.restore(&execution.resume, limits).map_err(Outcome::NotResumed)?;
    Ok(machine)
}

/// What the end of a program means.
fn verdict(result: wasmtime::Result<End>, state: &State, execution: &Execution) -> Judgement {
    let limits = execution.limits;
    if state.meter.is_over() {
        return (Outcome::CycleLimit(limits.cycles), None);
    }
    let error = match result {
        Ok(End::Returned) => return exited(0, state, execution),
        Ok(End::Suspended(snapshot)) => {
            let outcome = Outcome::Abandoned("it was saved, to go on elsewhere".into());
            return (outcome, Some(Saved::Snapshot(snapshot)));
        }
        Ok(End::TooDeep) => return (blamed(state, limits, "call stack exhausted".into()), None),
        Err(error) => error,
    };
    match error.downcast_ref() {
        Some(Exit(status)) => exited(*status, state, execution),
        None => (failure(&error, state, limits), None),
    }
}

/// What the end of a program means that ended by itself.
fn exited(status: i32, state: &State, execution: &Execution) -> Judgement {
    match judge(execution, status) {
        (Outcome::Exited(status), None) => {
            (for_memory(state, execution.limits).unwrap_or(Outcome::Exited(status)), None)
        }
        judgement => judgement,
    }
}

/// What the end of a program means that was ended, or trapped.
fn failure(error: &wasmtime::Error, state: &State, limits: Limits) -> Outcome {
    if let Some(stop) = error.downcast_ref::<Stop>() {
        return match stop {
            Stop::Disk => Outcome::DiskLimit(limits.disk),
            Stop::Output => Outcome::OutputLimit(limits.output),
            Stop::Cancelled | Stop::Wall => stopped(*stop, &state.watch),
        };
    }
    if let Some(failed) = error.downcast_ref::<HostFailed>() {
        return Outcome::Abandoned(failed.to_string());
    }
    blamed(state, limits, error.downcast_ref().map_or_else(|| cut(error), |trap| words(*trap)))
}

/// A trap, if it is not memory that was missing.
fn blamed(state: &State, limits: Limits, words: String) -> Outcome {
    for_memory(state, limits).unwrap_or(Outcome::Trapped(words))
}

/// Memory that a program did not get, as the reason of its failure.
fn for_memory(state: &State, limits: Limits) -> Option<Outcome> {
    if state.memory.is_denied {
        return Some(Outcome::MemoryLimit(limits.memory));
    }
    state.memory.is_short.then(|| Outcome::Abandoned("this machine has no memory left".into()))
}

/// What an end from outside means.
pub(super) const fn stopped(stop: Stop, watch: &Watch) -> Outcome {
    match stop {
        Stop::Wall => Outcome::WallLimit(watch.wall),
        Stop::Cancelled | Stop::Disk | Stop::Output => Outcome::Cancelled,
    }
}

/// A trap in plain words.
fn words(trap: Trap) -> String {
    match trap {
        Trap::UnreachableCodeReached => "unreachable executed".into(),
        Trap::StackOverflow => "call stack exhausted".into(),
        Trap::MemoryOutOfBounds => "memory accessed out of bounds".into(),
        Trap::TableOutOfBounds => "table accessed out of bounds".into(),
        Trap::IndirectCallToNull => "function called through an empty table entry".into(),
        Trap::BadSignature => "function called with another signature than its own".into(),
        Trap::IntegerOverflow => "integer overflow".into(),
        Trap::IntegerDivisionByZero => "integer divided by zero".into(),
        Trap::BadConversionToInteger => "number does not fit into an integer".into(),
        other => other.to_string(),
    }
}

/// An error with its causes, cut to a length that fits into a report.
pub(super) fn cut(error: &wasmtime::Error) -> String {
    shorten(format!("{error:#}"))
}

/// A text on one line, cut to a length that fits into a report.
pub(super) fn shorten(text: String) -> String {
    let mut text = text.replace('\n', " ");
    if text.len() > MAX_REASON {
        let end = (0..=MAX_REASON).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
    text
}
