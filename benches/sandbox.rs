//! What each wall around a native program costs at its start: `cargo bench --bench sandbox`.
//!
//! The program is `/bin/true`, so that what is measured is the way in and out. The medians of [`RUNS`] starts one after
//! the other, and how many times a bare start of the same program they are.

use crate::exec::{Control, Execution, Executor as _, Native, Scratch};
use proto::message::service::{Limits, Outcome, Runtime};
use proto::{Bytes, Capacity, Cycles, Hash, Span};
use service::policy::{Policy, Sandbox};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Starts of each kind.
const RUNS: usize = 101;
/// Names what makes namespaces; empty for none.
const CHOSEN: &str = "COMPUP2P_BWRAP";
const PROGRAM: &str = "/bin/true";

/// Measures everything and prints it.
pub(crate) fn run() -> std::io::Result<()> {
    let bare = median(|| {
        let status = Command::new(PROGRAM).stdin(Stdio::null()).status()?;
        if status.success() { Ok(()) } else { Err(std::io::Error::other("it failed")) }
    })?;
    match std::env::var_os(CHOSEN) {
        Some(none) if none.is_empty() => {
            row("limits, supervisor (sandbox = \"none\")", Sandbox::None, bare)?;
            row("and Landlock, seccomp (no namespaces)", Sandbox::Best, bare)
        }
        Some(_) => row("and namespaces by bubblewrap (all walls)", Sandbox::Best, bare),
        None => {
            say("a bare start", bare, bare)?;
            // What a machine without namespaces has is measured by another process, which makes none, and so is what one
            // has where the node may not make them.
            let path = std::env::var_os("PATH").unwrap_or_default();
            let bubblewrap =
                std::env::split_paths(&path).map(|place| place.join("bwrap")).find(|file| file.is_file());
            for chosen in [Some(PathBuf::new()), bubblewrap].into_iter().flatten() {
                Command::new(std::env::current_exe()?).env(CHOSEN, chosen).status()?;
            }
            row("and namespaces by the node (all walls)", Sandbox::Best, bare)
        }
    }
}

fn row(name: &str, sandbox: Sandbox, bare: Duration) -> std::io::Result<()> {
    let base = tempfile::TempDir::new()?;
    let native = Native::new(std::env::current_exe()?)?;
    let policy = Policy { share_native: true, sandbox, ..Policy::default() };
    native.govern(&policy, Capacity(1_000));
    say(name, median(|| start(&native, base.path()))?, bare)
}

fn start(native: &Native, base: &Path) -> std::io::Result<()> {
    let (scratch, temporary) = (Scratch::new(base)?, Scratch::new(base)?);
    let ended = native.run(&execution(&scratch, &temporary)?, &Control::default());
    if ended.outcome == Outcome::Succeeded {
        Ok(())
    } else {
        Err(std::io::Error::other(ended.outcome.to_string()))
    }
}

fn execution(scratch: &Scratch, temporary: &Scratch) -> std::io::Result<Execution> {
    Ok(Execution {
        program: PathBuf::from(PROGRAM),
        program_hash: Hash::of(&std::fs::read(PROGRAM)?),
        program_name: "true".into(),
        arguments: Vec::new(),
        environment: Vec::new(),
        stdin: None,
        scratch: scratch.path().to_path_buf(),
        temporary: temporary.path().to_path_buf(),
        outputs: Vec::new(),
        limits: Limits {
            wall: Span::secs(60),
            memory: Bytes::mib(256),
            disk: Bytes::mib(64),
            output: Bytes::kib(64),
            cycles: Cycles::giga(60),
            processes: 32,
            cores: 1,
        },
        runtime: Runtime::Native,
        success: 0,
        checkpoint: None,
        resume: Vec::new(),
    })
}

fn median(mut act: impl FnMut() -> std::io::Result<()>) -> std::io::Result<Duration> {
    let mut times = Vec::with_capacity(RUNS);
    for _ in 0..RUNS {
        let started = Instant::now();
        act()?;
        times.push(started.elapsed());
    }
    times.sort_unstable();
    Ok(times.get(RUNS / 2).copied().unwrap_or_default())
}

fn say(name: &str, time: Duration, bare: Duration) -> std::io::Result<()> {
    let (ms, times) = (time.as_secs_f64() * 1e3, time.as_secs_f64() / bare.as_secs_f64());
    writeln!(std::io::stdout(), "{name:<42} {ms:>8.2} ms {times:>7.1} ×")
}
