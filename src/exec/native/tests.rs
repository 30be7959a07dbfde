//! Native programs, run for real: what they can do, and what they cannot.
//!
//! Each test runs behind the walls that this machine has, and where it says so also without namespaces, as on a machine
//! that has no bubblewrap. Nothing is skipped where a wall is missing: the test then fails and says which.

mod ends;
mod escapes;
mod groups;
mod holding;
mod images;
mod leftovers;
mod limits;
mod rooms;

use super::walls::Walls;
use super::{Container, Native};
use crate::exec::{Control, Ended, Execution, Executor as _, Scratch};
use proto::message::service::{Limits, Outcome, Runtime};
use proto::{Bytes, Capacity, Cycles, Hash, Span};
use service::policy::{Policy, Sandbox};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use tempfile::TempDir;

/// Limits that no well-behaved program of these tests meets.
const WIDE: Limits = Limits {
    wall: Span::secs(60),
    memory: Bytes::mib(256),
    disk: Bytes::mib(64),
    output: Bytes::kib(64),
    cycles: Cycles::giga(60),
    processes: 32,
    cores: 1,
};
/// What a core of this machine is said to execute.
const PER_CORE: Capacity = Capacity(1_000);

/// The walls under test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Behind {
    /// All of them, with namespaces of our own making.
    All,
    /// All of them, with bubblewrap's.
    Bubblewrap,
    /// Those of a machine without namespaces.
    NoNamespaces,
}

/// All kinds, as far as programs are run behind them: root runs none without namespaces.
fn kinds() -> Vec<Behind> {
    let mut kinds = vec![Behind::All, Behind::Bubblewrap];
    if !rustix::process::geteuid().is_root() {
        kinds.push(Behind::NoNamespaces);
    }
    kinds
}

fn without_namespaces(walls: Walls) -> Walls {
    let none = || "not in this test".to_owned();
    Walls { rooms: Err(none()), bubblewrap: Err(none()), ..walls }
}

/// The program itself, which takes the step into the sandbox: it lies beside the directory of this test's own file.
fn helper() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let helper = own.parent().and_then(Path::parent).unwrap().join("compup2p");
    assert!(helper.is_file(), "build the program first (cargo build): there is no {}", helper.display());
    helper
}

/// An executor whose owner allows native programs.
fn governed() -> Native {
    let native = Native::new(helper()).unwrap();
    native.govern(&Policy { share_native: true, sandbox: Sandbox::Best, ..Policy::default() }, PER_CORE);
    native
}

/// One executor for all tests of a kind, as a process has one.
fn native(behind: Behind) -> &'static Arc<Native> {
    static ALL: OnceLock<Arc<Native>> = OnceLock::new();
    static BUBBLEWRAP: OnceLock<Arc<Native>> = OnceLock::new();
    static FEWER: OnceLock<Arc<Native>> = OnceLock::new();
    match behind {
        Behind::All => ALL.get_or_init(|| {
            let native = governed();
            assert_eq!(native.walls.missing(), None, "a wall is missing here: {:?}", native.walls);
            assert_eq!(native.walls.rooms, Ok(()), "namespaces are not to be made here");
            Arc::new(native)
        }),
        Behind::Bubblewrap => BUBBLEWRAP.get_or_init(|| {
            let mut native = governed();
            native.walls.rooms = Err("not in this test".into());
            assert_eq!(native.walls.missing(), None, "a wall is missing here: {:?}", native.walls);
            Arc::new(native)
        }),
        Behind::NoNamespaces => FEWER.get_or_init(|| {
            let mut native = governed();
            assert!(native.walls.landlock > 0, "without namespaces Landlock is needed: {:?}", native.walls);
            native.walls = without_namespaces(native.walls);
            Arc::new(native)
        }),
    }
}

/// How many there have been.
static BENCHES: AtomicU32 = AtomicU32::new(0);

/// A place for one execution.
struct Bench {
    base: TempDir,
    scratch: Scratch,
    temporary: Scratch,
    execution: Execution,
}

impl Bench {
    fn new(program: &[u8], arguments: &[&str], limits: Limits) -> Self {
        let base = TempDir::new().unwrap();
        let file = base.path().join("program");
        // Programs that are the same share a file, which is in the directory of the first of them.
        let number = BENCHES.fetch_add(1, Ordering::Relaxed);
        let is_program = program.starts_with(b"#!") || program.starts_with(b"\x7fELF");
        let mark = if is_program { format!("\n# {number}\n") } else { String::new() };
        let program = &[program, mark.as_bytes()].concat();
        std::fs::write(&file, program).unwrap();
        let [scratch, temporary] = [(); 2].map(|()| Scratch::new(base.path()).unwrap());
        let execution = Execution {
            program: file,
            program_hash: Hash::of(program),
            program_name: "program".into(),
            arguments: arguments.iter().map(ToString::to_string).collect(),
            environment: Vec::new(),
            stdin: None,
            scratch: scratch.path().to_path_buf(),
            temporary: temporary.path().to_path_buf(),
            outputs: Vec::new(),
            limits,
            runtime: Runtime::Native,
            success: 0,
            checkpoint: None,
            resume: Vec::new(),
        };
        Self { base, scratch, temporary, execution }
    }

    /// With its directories as the next sub-task of the same contract gets them.
    fn renewed(self) -> Self {
        let [scratch, temporary] = [self.scratch, self.temporary].map(|scratch| scratch.renewed().unwrap());
        let [into, beside] = [&scratch, &temporary].map(|scratch| scratch.path().to_path_buf());
        let execution = Execution { scratch: into, temporary: beside, ..self.execution };
        Self { base: self.base, scratch, temporary, execution }
    }

    /// A script for the shell.
    fn shell(script: &str, limits: Limits) -> Self {
        Self::new(format!("#!/bin/sh\n{script}\n").as_bytes(), &[], limits)
    }

    /// A script for Python.
    fn python(script: &str, limits: Limits) -> Self {
        Self::new(format!("#!/usr/bin/python3\n{script}\n").as_bytes(), &[], limits)
    }

    fn outputs(mut self, names: &[&str]) -> Self {
        self.execution.outputs = names.iter().map(ToString::to_string).collect();
        self
    }

    fn run(&self, behind: Behind) -> Ended {
        native(behind).run(&self.execution, &Control::default())
    }

    /// Runs a container of it, by an executor of its own: images are kept below the directory of this bench.
    fn contain(&self) -> Ended {
        self.contain_by(&Container(Arc::new(governed())))
    }

    fn contain_by(&self, container: &Container) -> Ended {
        container.run(&self.execution, &Control::default())
    }
}

/// What is left in the directory of a bench, the file of its program that is kept for the next run aside.
fn left(base: &Path) -> Vec<OsString> {
    let names =
        |path: &Path| std::fs::read_dir(path).unwrap().flatten().map(|entry| entry.file_name()).collect();
    let mut left: Vec<OsString> = names(base);
    left.retain(|name| name == "program" || names(&base.join(name)) != ["program"]);
    left
}

/// What it printed and how it ended, for people.
fn told(ended: &Ended) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}\nstdout: {}\nstderr: {}", ended.outcome, text(&ended.stdout), text(&ended.stderr))
}

/// Runs `bench`, and holds its end against the expected one.
fn check(bench: &Bench, behind: Behind, expected: &Outcome) -> Ended {
    let ended = bench.run(behind);
    assert_eq!(&ended.outcome, expected, "{behind:?}: {}", told(&ended));
    ended
}

/// Runs `bench`, which has to succeed and to print `expected`.
fn prints(bench: &Bench, behind: Behind, expected: &str) {
    let ended = check(bench, behind, &Outcome::Succeeded);
    assert_eq!(String::from_utf8_lossy(&ended.stdout), expected, "{behind:?}: {}", told(&ended));
}
