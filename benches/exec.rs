//! What it costs to run programs of others: `cargo bench --bench exec`. Both sides of every ratio are from the same run.
//!
//! - Five kernels (`exec/*.c`) as native code of `cc -O2`, as plain WebAssembly, with wasmtime's fuel, and as they run here:
//!   metered, pre-emptible, with canonical NaN and ready to be saved. Seconds on a core, best of three.
//! - Snapshots of programs with memories of several sizes: whole, and as a difference when a hundredth has changed.
//! - The start of a program whose module is at hand, and of one whose module is on disk.

use crate::exec::{Control, Engine, Execution, Snapshot, Whole};
use proto::message::service::{Limits, Outcome, Runtime};
use proto::{Bytes, Cycles, Hash, Span};
use rustix::time::{ClockId, clock_gettime};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const KERNELS: [&str; 5] = ["nbody", "matrix", "hash", "sieve", "queens"];
const TIMES: usize = 3;

pub(crate) fn run() -> io::Result<()> {
    let place = TempDir::new()?;
    let engine = Engine::new(None).map_err(io::Error::other)?;
    let mut out = io::stdout().lock();
    kernels(&engine, place.path(), &mut out)?;
    snapshots(&engine, place.path(), &mut out)?;
    starts(place.path(), &mut out)
}

/// A place for one execution of a file.
fn execution(place: &Path, program: PathBuf) -> io::Result<Execution> {
    let scratch = place.join("scratch");
    std::fs::create_dir_all(&scratch)?;
    Ok(Execution {
        program_hash: Hash::of(&std::fs::read(&program)?),
        program,
        program_name: "program".into(),
        arguments: Vec::new(),
        environment: Vec::new(),
        stdin: None,
        temporary: scratch.clone(),
        scratch,
        outputs: Vec::new(),
        limits: Limits {
            wall: Span::secs(600),
            memory: Bytes::mib(1_024),
            disk: Bytes::mib(8),
            output: Bytes::kib(64),
            cycles: Cycles(u64::MAX),
            processes: 1,
            cores: 1,
        },
        runtime: Runtime::WebAssembly,
        success: 0,
        checkpoint: None,
        resume: Vec::new(),
    })
}

fn kernels(engine: &Engine, place: &Path, out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "kernel    native   plain    fuel    here   plain/native  fuel/plain  here/plain  here/native"
    )?;
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/exec");
    let mut ratios: [Vec<f64>; 4] = Default::default();
    for name in KERNELS {
        let module = sources.join(format!("{name}.wasm"));
        let program = place.join(name);
        let made = Command::new("cc")
            .args(["-O2", "-ffp-contract=off", "-o"])
            .arg(&program)
            .arg(sources.join(format!("{name}.c")))
            .arg("-lm")
            .status()?;
        if !made.success() {
            return Err(io::Error::other("`cc` cannot compile the kernels"));
        }
        let execution = execution(place, module.clone())?;
        let bytes = std::fs::read(&module)?;
        let status = Command::new(&program).status()?.code().unwrap_or(-1);
        let native = best(|| {
            let started = children()?;
            let ended = Command::new(&program).status()?;
            agree(ended.code(), status)?;
            Ok(children()?.saturating_sub(started))
        })?;
        let plain = best(|| by_wasmtime(&bytes, false, status))?;
        let fuel = best(|| by_wasmtime(&bytes, true, status))?;
        let here = best(|| {
            let started = used();
            let ended = engine.run(&execution, &Control::default());
            let expected = if status == 0 { Outcome::Succeeded } else { Outcome::Exited(status) };
            if ended.outcome != expected {
                return Err(io::Error::other(format!("{name}: {:?}", ended.outcome)));
            }
            // The first of them has compiled it, too.
            Ok(used().saturating_sub(started))
        })?;
        let [native, plain, fuel, here] = [native, plain, fuel, here].map(|time| time.as_secs_f64());
        let of_this = [plain / native, fuel / plain, here / plain, here / native];
        let [first, second, third, fourth] = of_this;
        writeln!(
            out,
            "{name:8} {native:7.3} {plain:7.3} {fuel:7.3} {here:7.3} {first:14.2} {second:11.2} {third:11.2} {fourth:12.2}"
        )?;
        for (all, ratio) in ratios.iter_mut().zip(of_this) {
            all.push(ratio);
        }
    }
    let [first, second, third, fourth] = ratios.map(median);
    writeln!(out, "{:40} {first:14.2} {second:11.2} {third:11.2} {fourth:12.2}", "median")
}

fn agree(found: Option<i32>, expected: i32) -> io::Result<()> {
    if found == Some(expected) { Ok(()) } else { Err(io::Error::other(format!("{found:?} and {expected}"))) }
}

/// Runs a kernel, which calls nothing but `proc_exit`, as wasmtime does it by itself.
fn by_wasmtime(bytes: &[u8], is_metered: bool, status: i32) -> io::Result<Duration> {
    let mut config = wasmtime::Config::new();
    config.consume_fuel(is_metered);
    let timed = || -> wasmtime::Result<(Duration, i32)> {
        let engine = wasmtime::Engine::new(&config)?;
        let module = wasmtime::Module::new(&engine, bytes)?;
        let mut linker = wasmtime::Linker::new(&engine);
        linker.func_wrap(
            "wasi_snapshot_preview1",
            "proc_exit",
            |mut caller: wasmtime::Caller<'_, i32>, status: i32| -> wasmtime::Result<()> {
                *caller.data_mut() = status;
                Err(wasmtime::Error::msg("ended"))
            },
        )?;
        let mut store = wasmtime::Store::new(&engine, 0);
        if is_metered {
            store.set_fuel(u64::MAX)?;
        }
        let instance = linker.instantiate(&mut store, &module)?;
        let start = instance.get_typed_func::<(), ()>(&mut store, "_start")?;
        let started = used();
        // It ends by the error of `proc_exit`, or by returning.
        let _ = start.call(&mut store, ());
        Ok((used().saturating_sub(started), *store.data()))
    };
    let (time, found) = timed().map_err(io::Error::other)?;
    agree(Some(found), status).map(|()| time)
}

/// The time that this process has had a core: what else runs on the machine does not count.
fn used() -> Duration {
    clock_gettime(ClockId::ProcessCPUTime).try_into().unwrap_or_default()
}

/// The same of its children that have ended, to a hundredth of a second (`/proc/self/stat`, fields 16 and 17).
fn children() -> io::Result<Duration> {
    let text = std::fs::read_to_string("/proc/self/stat")?;
    let fields = text.rsplit(')').next().unwrap_or_default().split_whitespace().skip(13).take(2);
    let ticks: u64 = fields.filter_map(|field| field.parse::<u64>().ok()).sum();
    Ok(Duration::from_millis(ticks * 10))
}

fn best(mut run: impl FnMut() -> io::Result<Duration>) -> io::Result<Duration> {
    let mut best = run()?;
    for _ in 1..TIMES {
        best = best.min(run()?);
    }
    Ok(best)
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or(0.0)
}

fn snapshots(engine: &Engine, place: &Path, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "\nsnapshot: memory, content       time    per MiB    size   per MiB   restored")?;
    for mib in [1, 16, 64, 256] {
        // A random number in every eighth byte, or a counter.
        for (content, mask) in [("random", "-1"), ("small numbers", "0xff")] {
            let file = place.join("filled.wasm");
            std::fs::write(&file, filled(mib, mask).map_err(io::Error::other)?)?;
            let mut execution = execution(place, file)?;
            let [whole, difference] = both(engine, &execution, mib)?;
            for (what, snapshot) in [(content, whole), ("a hundredth", difference)] {
                let saved = place.join(what);
                std::fs::write(&saved, &snapshot.bytes)?;
                execution.resume.push(saved);
                execution.limits.cycles = Cycles(1);
                let ended = engine.run(&execution, &Control::default());
                let restored = ended.elapsed.0.saturating_sub(ended.prepared.0) as f64 / 1e3;
                let (time, size) = (snapshot.took.0 as f64 / 1e3, snapshot.bytes.len() as f64 / 1_048_576.0);
                let each = mib as f64;
                writeln!(
                    out,
                    "{mib:7} MiB {what:14} {time:8.1} ms {:7.2} ms {size:7.2} MiB {:6.3} {restored:8.1} ms",
                    time / each,
                    size / each
                )?;
            }
        }
    }
    Ok(())
}

/// A whole snapshot of a program that has filled so much memory, and a difference to it some time later.
fn both(engine: &Engine, execution: &Execution, mib: u64) -> io::Result<[Snapshot; 2]> {
    let control = Control::default();
    let saved = std::thread::scope(|scope| {
        let run = scope.spawn(|| engine.run(execution, &control));
        // So many cycles from now, or the program has ended.
        let pass = |cycles: u64| {
            let until = control.cycles().0 + cycles;
            while control.cycles().0 < until && !run.is_finished() {
                std::thread::sleep(Duration::from_millis(5));
            }
        };
        // The filling is over by then: some ten cycles for eight bytes.
        pass(mib * 131_072 * 30);
        let both = control.snapshot(None).blocking_recv().and_then(|whole| {
            pass(10_000_000);
            let of = Whole { hash: whole.hash, most: Bytes(u64::MAX) };
            let difference = control.snapshot(Some(of)).blocking_recv()?;
            Ok([whole, difference])
        });
        control.stop();
        run.join().map(|_| both)
    });
    let both = saved.map_err(|_| io::Error::other("it failed"))?.map_err(io::Error::other)?;
    let [whole, difference] = &both;
    (difference.base == Some(whole.hash)).then_some(both).ok_or(io::Error::other("it is no difference"))
}

/// A program that fills its memory and then writes to every hundredth piece of it again and again.
fn filled(mib: u64, mask: &str) -> Result<Vec<u8>, wat::Error> {
    let (pages, end) = (mib * 16, mib << 20);
    wat::parse_str(format!(
        r#"(module (memory (export "memory") {pages})
        (func (export "_start") (local $at i32) (local $x i64)
            (local.set $x (i64.const 88172645463325252))
            (loop $more
                (local.set $x (i64.xor (local.get $x) (i64.shl (local.get $x) (i64.const 13))))
                (local.set $x (i64.xor (local.get $x) (i64.shr_u (local.get $x) (i64.const 7))))
                (local.set $x (i64.xor (local.get $x) (i64.shl (local.get $x) (i64.const 17))))
                (i64.store (local.get $at) (i64.and (local.get $x) (i64.const {mask})))
                (br_if $more (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 8))) (i32.const {end}))))
            (loop $again
                (local.set $at (i32.const 0))
                (loop $on
                    (local.set $x (i64.add (local.get $x) (i64.const 1)))
                    (i64.store (local.get $at) (i64.and (local.get $x) (i64.const {mask})))
                    (br_if $on (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 409600))) (i32.const {end}))))
                (br $again))))"#
    ))
}

fn starts(place: &Path, out: &mut impl Write) -> io::Result<()> {
    let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/noop/noop.wasm");
    let execution = execution(place, module)?;
    let cache = place.join("modules");
    let start = |engine: &Engine| {
        let started = Instant::now();
        let ended = engine.run(&execution, &Control::default());
        (ended.outcome == Outcome::Succeeded)
            .then_some(started.elapsed())
            .ok_or(io::Error::other("noop failed"))
    };
    let fresh = |cache: &Path| Engine::new(Some(cache)).map_err(io::Error::other);
    let cold = start(&fresh(&cache)?)?;
    // The cache writes on a thread of its own.
    std::thread::sleep(Duration::from_secs(1));
    let from_disk = start(&fresh(&cache)?)?;
    let warm_engine = fresh(&cache)?;
    let mut warm = Vec::new();
    for _ in 0..201 {
        warm.push(start(&warm_engine)?.as_secs_f64());
    }
    let millis = |time: f64| time * 1e3;
    writeln!(out, "\nstart of a program that does nothing, to its end")?;
    writeln!(out, "rewritten and compiled  {:8.2} ms", millis(cold.as_secs_f64()))?;
    writeln!(out, "module on disk          {:8.2} ms", millis(from_disk.as_secs_f64()))?;
    writeln!(out, "module at hand          {:8.2} ms (median of 201)", millis(median(warm)))
}
