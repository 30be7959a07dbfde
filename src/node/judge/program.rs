//! Programs of the user that judge results: WebAssembly, run by this node's own executor.
//!
//! A program that **compares** gets two directories, `one` and `other`, with the outputs by their names and the standard
//! output as `stdout`, and these two names as its arguments. Status 0 means that they agree; what it prints is shown as
//! the difference. A program that **verifies** gets the inputs and the outputs by their names, and the standard output as
//! its standard input. Status 0 means that the result is right.

use super::{difference, fault, shown};
use crate::net::store::Store;
use crate::node::executions::Runner;
use proto::message::service::{Blob, Job, Limits, NamedBlob, Outcome, Runtime};
use proto::{Bytes, Cycles, Span};
use service::{Comparing, Difference, Execution, Testing};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What such a program may use.
const LIMITS: Limits = Limits {
    wall: Span::secs(60),
    memory: Bytes::gib(1),
    disk: Bytes::gib(1),
    output: Bytes::mib(1),
    cycles: Cycles(u64::MAX),
    processes: 1,
    cores: 1,
};

/// What the user's program says of two results.
pub(super) fn compare(comparing: &Comparing, runner: &Runner, store: &Arc<Store>) -> Option<Difference> {
    let Some(program) = comparing.program else { return Some(fault("there is no program".into())) };
    let mut inputs = Vec::new();
    for (name, one, other) in &comparing.pairs {
        let name = if name.contains(' ') { "stdout" } else { name };
        for (directory, blob) in [("one", one), ("other", other)] {
            inputs.extend(blob.map(|blob| NamedBlob { name: format!("{directory}/{name}"), blob }));
        }
    }
    let job = job(program, vec!["one".into(), "other".into()], inputs, None);
    let (execution, said) = run(job, runner, store);
    match execution.outcome {
        Outcome::Succeeded => None,
        Outcome::Exited(1) => {
            Some(difference("all", (String::new(), "what agrees by the user's program".into(), said)))
        }
        other => Some(fault(format!("the user's program {other}: {said}"))),
    }
}

/// What the user's program says of one result.
pub(super) fn test(testing: &Testing, runner: &Runner, store: &Arc<Store>) -> Result<(), String> {
    let all = testing.inputs.iter().chain(&testing.outputs);
    // An output of the name of an input is what the program has made of it.
    let files: BTreeMap<&str, Blob> = all.map(|file| (file.name.as_str(), file.blob)).collect();
    let inputs = files.into_iter().map(|(name, blob)| NamedBlob { name: name.into(), blob }).collect();
    let job = job(testing.program, Vec::new(), inputs, testing.stdout);
    let (execution, said) = run(job, runner, store);
    match execution.outcome {
        Outcome::Succeeded => Ok(()),
        other => Err(format!("it {other}, and says {said}")),
    }
}

fn job(program: Blob, arguments: Vec<String>, inputs: Vec<NamedBlob>, stdin: Option<Blob>) -> Job {
    Job {
        program,
        arguments,
        environment: Vec::new(),
        inputs,
        outputs: Vec::new(),
        stdin,
        limits: LIMITS,
        resume: None,
        runtime: Runtime::WebAssembly,
        success: 0,
        progress: None,
        checkpoint: None,
        repeats: Vec::new(),
    }
}

/// Runs a program; how it ended, and what it said.
fn run(job: Job, runner: &Runner, store: &Arc<Store>) -> (Execution, String) {
    let execution = runner.run(job, Arc::clone(store));
    let said = execution.stdout.and_then(|blob| std::fs::read(store.path(&blob.hash)?).ok());
    let said = shown(said.as_deref().unwrap_or_default());
    (execution, said)
}
