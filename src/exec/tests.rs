//! The executor, by programs that do well and programs that do not.

mod determinism;
mod emulated;
mod ends;
mod holding;
mod limits;
mod scratch;
mod snapshots;
mod stopping;

use super::scratch::Scratch;
use super::{Control, Ended, Engine, Execution};
use proto::message::service::{Limits, Outcome, Runtime};
use proto::{Bytes, Cycles, Hash, Span};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use tempfile::TempDir;

/// Limits that no well-behaved program of these tests meets.
const WIDE: Limits = Limits {
    wall: Span::secs(120),
    memory: Bytes::mib(64),
    disk: Bytes::mib(8),
    output: Bytes::kib(64),
    cycles: Cycles::giga(2),
    processes: 1,
    cores: 1,
};

/// One engine for all tests, as a process has one.
fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| Engine::new(None).unwrap())
}

/// A program of `examples/`.
fn example(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name)).unwrap()
}

/// A program of WebAssembly text with one page of memory, `body` being its `_start`.
fn text(imports: &str, body: &str) -> Vec<u8> {
    wat::parse_str(format!(
        "(module {imports} (memory (export \"memory\") 1) (func (export \"_start\") {body}))"
    ))
    .unwrap()
}

/// A place for one execution.
struct Bench {
    base: TempDir,
    scratch: Scratch,
    execution: Execution,
}

impl Bench {
    fn new(program: &[u8], arguments: &[&str], limits: Limits) -> Self {
        let base = TempDir::new().unwrap();
        let file = base.path().join("program");
        std::fs::write(&file, program).unwrap();
        let scratch = Scratch::new(base.path()).unwrap();
        let execution = Execution {
            program: file,
            program_hash: Hash::of(program),
            program_name: "program".into(),
            arguments: arguments.iter().map(ToString::to_string).collect(),
            environment: Vec::new(),
            stdin: None,
            scratch: scratch.path().to_path_buf(),
            temporary: scratch.path().to_path_buf(),
            outputs: Vec::new(),
            limits,
            runtime: Runtime::WebAssembly,
            success: 0,
            checkpoint: None,
            resume: Vec::new(),
        };
        Self { base, scratch, execution }
    }

    fn outputs(mut self, names: &[&str]) -> Self {
        self.execution.outputs = names.iter().map(ToString::to_string).collect();
        self
    }

    fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.base.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    fn run(&self) -> Ended {
        engine().run(&self.execution, &Control::default())
    }
}

/// Runs a program and holds its end against the expected one.
fn check(program: &[u8], limits: Limits, expected: &Outcome) -> Ended {
    let ended = Bench::new(program, &[], limits).run();
    assert_eq!(&ended.outcome, expected, "stderr: {}", String::from_utf8_lossy(&ended.stderr));
    ended
}
