//! How a program is run, and why it ended.

use super::control::{Control, Stop, Watch};
use super::environment::{self, VirtualClock};
use super::host::FIRST_DESCRIPTORS;
use super::module::Shelf;
use super::scratch;
use super::state::{Disk, Memory, Numbers, State};
use super::stream::{Capture, Source};
use super::{Ended, Execution, span_since};
use proto::Cycles;
use proto::message::service::Outcome;
use std::fs::File;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};
use wasmtime::{CallHook, Config, Engine, InstancePre, Store, Trap};
use wasmtime_wasi::{FsPerms, I32Exit, WasiCtxBuilder};

/// Cycles between two looks at the stop flag and the clock: 50 µs on a fast core, 50 ms at 10 Mc/s.
const SLICE: u64 = 500_000;
/// Stack of a program. How deep a recursion it allows depends on the processor's frames.
const STACK: usize = 1 << 20;
/// The same with what host functions need on top.
const STACK_WITH_HOST: usize = 2 << 20;
/// Longest reason given in an outcome, in bytes.
const MAX_REASON: usize = 200;

/// The engine with the settings that make programs the same everywhere.
pub(super) fn engine() -> wasmtime::Result<Engine> {
    let mut config = Config::new();
    config
        // Cycles. The cost of a fuel check is the whole price of metering: stopping needs no second counter.
        .consume_fuel(true)
        // A NaN is a NaN: x86 and ARM make different ones, and so do two ways to compile an addition.
        .cranelift_nan_canonicalization(true)
        // Relaxed instructions mean the same on all processors.
        .relaxed_simd_deterministic(true)
        // One memory of at most 4 GiB; other shapes would have other limits. Threads are not compiled in.
        .wasm_memory64(false)
        .wasm_multi_memory(false)
        .max_wasm_stack(STACK)
        .async_stack_size(STACK_WITH_HOST)
        .wasm_backtrace_max_frames(None);
    Engine::new(&config)
}

/// Runs a program to its end.
pub(super) fn run(shelf: &Arc<Shelf>, execution: &Execution, control: &Control, started: Instant) -> Ended {
    let watch = Watch { control: control.clone(), started, wall: execution.limits.wall };
    let module = match shelf.module(execution.program_hash, &execution.program, &watch) {
        Ok(module) => module,
        Err(outcome) => return Ended { prepared: span_since(started), ..Ended::before_start(outcome) },
    };
    let prepared = span_since(started);
    let taps = [control.stdout(), control.stderr()];
    let streams = taps.map(|tap| Capture::new(tap.clone(), execution.limits.output.0));
    let (outcome, cycles) = match store(shelf.engine(), execution, watch.clone(), &streams) {
        Ok(mut store) => execute(&mut store, &module, execution),
        Err(outcome) => (outcome, Cycles(0)),
    };
    control.publish(cycles);
    let [stdout, stderr] = streams.map(|stream| stream.take());
    Ended { outcome, cycles, stdout, stderr, elapsed: span_since(started), prepared }
}

/// A store with the program's world in it.
fn store(
    engine: &Engine,
    execution: &Execution,
    watch: Watch,
    [stdout, stderr]: &[Capture; 2],
) -> Result<Store<State>, Outcome> {
    let limits = execution.limits;
    let abandoned =
        |what: &str, error: &dyn std::fmt::Display| Outcome::Abandoned(format!("{what}: {error}"));
    let disk = Disk::new(execution.scratch.clone(), limits.disk)
        .map_err(|error| abandoned("its scratch directory cannot be read", &error))?;
    if disk.is_over() {
        return Err(Outcome::DiskLimit(limits.disk));
    }
    let stdin = execution.stdin.as_ref().map(File::open).transpose();
    let stdin = stdin.map_err(|error| abandoned("its standard input cannot be read", &error))?;
    let clock = VirtualClock::default();
    let mut wasi = WasiCtxBuilder::new();
    wasi.allow_blocking_current_thread(true)
        .arg(&execution.program_name)
        .args(&execution.arguments)
        .envs(&environment::variables(&execution.environment).into_iter().collect::<Vec<_>>())
        .stdin(Source::new(stdin))
        .stdout(stdout.clone())
        .stderr(stderr.clone())
        .wall_clock(clock.clone())
        .monotonic_clock(clock.clone())
        .secure_random(environment::randomness())
        .insecure_random(environment::randomness())
        .insecure_random_seed(0);
    for name in ["/", "."] {
        wasi.preopened_dir(&execution.scratch, name, FsPerms::ReadWrite)
            .map_err(|error| abandoned("its scratch directory cannot be opened", &error))?;
    }
    let state = State {
        wasi: wasi.build_p1(),
        clock,
        watch,
        memory: Memory::new(limits.memory),
        disk,
        directories: 0,
        highest: FIRST_DESCRIPTORS,
        numbers: Numbers::default(),
        listing: None,
    };
    let mut store = Store::new(engine, state);
    store.limiter(|state| &mut state.memory);
    store.call_hook(|context, hook| match hook {
        CallHook::CallingHost => Ok(context.data().watch.check()?),
        _ => Ok(()),
    });
    let filled = store.fuel_async_yield_interval(Some(SLICE)).and_then(|()| store.set_fuel(limits.cycles.0));
    filled.map_err(|error| abandoned("the meter cannot be set", &error))?;
    Ok(store)
}

/// Runs the program of a store, and says how it ended and what it took.
fn execute(
    store: &mut Store<State>,
    module: &InstancePre<State>,
    execution: &Execution,
) -> (Outcome, Cycles) {
    let limit = execution.limits.cycles;
    let result = drive(store, module, limit);
    let left = store.get_fuel().unwrap_or(0);
    let cycles = Cycles(limit.0.saturating_sub(left));
    (verdict(result, store.data_mut(), execution), cycles)
}

/// Runs the program in slices of [`SLICE`] cycles, on a stack of its own; looks between them whether it has to end.
fn drive(store: &mut Store<State>, module: &InstancePre<State>, limit: Cycles) -> wasmtime::Result<()> {
    let watch = store.data().watch.clone();
    watch.check()?;
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut program = pin!(async {
        let instance = module.instantiate_async(&mut *store).await?;
        let start = instance.get_typed_func::<(), ()>(&mut *store, "_start")?;
        start.call_async(&mut *store, ()).await
    });
    let mut metered = 0_u64;
    loop {
        if let Poll::Ready(result) = program.as_mut().poll(&mut context) {
            return result;
        }
        metered = metered.saturating_add(SLICE).min(limit.0);
        watch.control.publish(Cycles(metered));
        watch.check()?;
        // A program at the end of its slice has already woken us; this would only wait for a host function.
        std::thread::park_timeout(Duration::from_millis(10));
    }
}

/// Wakes the thread that runs the program.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// What the end of a program means.
fn verdict(result: wasmtime::Result<()>, state: &mut State, execution: &Execution) -> Outcome {
    let limits = execution.limits;
    let error = match result {
        Ok(()) => return delivered(state, execution),
        Err(error) => error,
    };
    if let Some(stop) = error.downcast_ref::<Stop>() {
        return match stop {
            Stop::Disk => Outcome::DiskLimit(limits.disk),
            Stop::Output => Outcome::OutputLimit(limits.output),
            Stop::Cancelled | Stop::Wall => stopped(*stop, &state.watch),
        };
    }
    if let Some(I32Exit(0)) = error.downcast_ref() {
        return delivered(state, execution);
    }
    if error.downcast_ref() == Some(&Trap::OutOfFuel) {
        return Outcome::CycleLimit(limits.cycles);
    }
    if state.memory.is_denied {
        return Outcome::MemoryLimit(limits.memory);
    }
    if state.memory.is_short {
        return Outcome::Abandoned("this machine has no memory left".into());
    }
    match error.downcast_ref() {
        Some(I32Exit(status)) => Outcome::Exited(*status),
        None => Outcome::Trapped(error.downcast_ref().map_or_else(|| cut(&error), |trap| words(*trap))),
    }
}

/// What an end from outside means.
pub(super) const fn stopped(stop: Stop, watch: &Watch) -> Outcome {
    match stop {
        Stop::Wall => Outcome::WallLimit(watch.wall),
        Stop::Cancelled | Stop::Disk | Stop::Output => Outcome::Cancelled,
    }
}

/// Whether a program that ended well left what it had to, within its limit.
fn delivered(state: &mut State, execution: &Execution) -> Outcome {
    if state.disk.measure(0).is_err() {
        return Outcome::DiskLimit(execution.limits.disk);
    }
    let is_missing = |name: &&String| scratch::output(&execution.scratch, name).is_none();
    match execution.outputs.iter().find(is_missing) {
        Some(missing) => Outcome::OutputMissing(missing.clone()),
        None => Outcome::Succeeded,
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
    let mut text = format!("{error:#}").replace('\n', " ");
    if text.len() > MAX_REASON {
        let end = (0..=MAX_REASON).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
    text
}
