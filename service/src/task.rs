//! The task file: XML in, a checked and fully expanded [`Task`] out.
//!
//! [`parse`] reads the paper's Fig. 7 and what we added to it: sweeps, limits, requirements, an environment,
//! standard streams and retries. The schema is published as `docs/task.xsd` ([`SCHEMA`]); `parse` accepts
//! what the schema accepts, less what only a program can check (paths, variables, clashes, the budget).
//!
//! **Variables.** `${name}` is replaced in every text and in the attributes `as`, `from`, `to`, `step` and
//! `max`; `$${` stands for a plain `${`, and any other `$` is a plain `$`. A name is known when the caller
//! sets it or the sweep of the same sub-task does; the sweep itself, `Name` and `Budget` see only what the
//! caller sets. One name both set by the caller and swept is an error; one that nothing mentions is a
//! warning.
//!
//! **Spaces** around a text are dropped, except in `Param`, `Var` and `Value`, which mean exactly what is
//! written.

mod checkpoint;
mod deadline;
mod decimal;
pub(crate) mod document;
mod expansion;
mod fault;
mod feed;
mod file;
mod hint;
mod link;
mod notes;
pub(crate) mod path;
mod reader;
mod redundancy;
mod rule;
mod runtime;
mod schema;
mod stop;
mod structure;
mod sub_task;
mod sweep;
#[cfg(test)]
mod tests;
mod value;
mod variable;
mod warning;

pub use checkpoint::{CHECKPOINT_EXIT, CheckpointSpec, DEFAULT_COPIES, MAX_COPIES};
pub use deadline::Deadline;
pub use decimal::Decimal;
pub use fault::{Fault, FaultKind, Hint, Parsing};
pub use feed::{Feed, Produced, Slot};
pub use link::MAX_DEPENDENCIES;
pub use path::{PathProblem, inside};
pub use redundancy::{Comparison, MAX_REPLICAS, Probe, Redundancy, Replication, Verifier};
pub use rule::Rule;
pub use runtime::{RUNTIME_BYTES, kind_of, processor_of};
pub use stop::{StopCondition, StopPlace, StopWhen};
pub use warning::{Warning, WarningKind};

use proto::message::service::Runtime;
use proto::{Bytes, Capacity, Cycles, Layers, Money, Release, Reputation, Span};
use std::collections::BTreeMap;

/// The largest task file in bytes: 16 MiB. Callers look at the size before they read.
pub const MAX_TASK_FILE: usize = 16 << 20;
/// The most sub-tasks that a file may describe, sweeps expanded.
pub const MAX_SUB_TASKS: usize = 100_000;
/// The longest single text or attribute in bytes, before and after variables are replaced.
pub const MAX_TEXT: usize = 4096;
/// The most entries in one list: parameters, input files, output files, environment variables.
pub const MAX_ENTRIES: usize = 4096;
/// The most variables in one sweep.
pub const MAX_SWEEP_VARIABLES: usize = 16;
/// The most text in bytes that all sub-tasks together hold after expansion: 256 MiB.
pub const MAX_EXPANDED: usize = 256 << 20;
/// The most faults, and the most warnings, that one run reports.
pub const MAX_FAULTS: usize = 1000;

/// What `Limits/WallTime` is when not given: 24 hours, as in the default policy of sellers.
pub const DEFAULT_WALL_TIME: Span = Span::secs(24 * 3600);
/// What `Limits/Memory` is when not given: 512 MiB.
pub const DEFAULT_MEMORY: Bytes = Bytes::mib(512);
/// What `Limits/Disk` is when not given: 1 GiB.
pub const DEFAULT_DISK: Bytes = Bytes::gib(1);
/// What `Limits/Output` is when not given: 1 MiB.
pub const DEFAULT_OUTPUT: Bytes = Bytes::mib(1);
/// What `Limits/Processes` is when not given.
pub const DEFAULT_PROCESSES: u32 = 64;
/// What `Retry` is when not given: three more attempts after the first.
pub const DEFAULT_RETRIES: u32 = 3;

/// The published schema of task files, for `compup2p schema task`.
pub const SCHEMA: &str = include_str!("../../docs/task.xsd");

/// A task file, expanded: sweeps done, variables replaced, defaults filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// `Name`; when not given, the name of the file without its folder and without `.xml`.
    pub name: String,
    /// `Budget`: the most credits that all sub-tasks together may cost; the prices do not exceed it.
    pub budget: Option<Money>,
    /// `StopWhen`: the result that ends the task early.
    pub stop_when: Option<StopWhen>,
    /// The sub-tasks in the order of the file, each sweep in its own order; at least one.
    pub sub_tasks: Vec<SubTask>,
}

/// One sub-task: a program that one seller runs to the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubTask {
    /// Unique in the task: the attribute `name`, else the element's number in the file from 1; `[1]`, `[2]`,
    /// … appended for the points of a sweep.
    pub name: String,
    /// `CpuCycles`: the compute power asked for in Mc/s, rounded up, more than 0.
    pub power: Capacity,
    /// `Work`: the total in cycles, rounded up, more than 0.
    pub work: Option<Cycles>,
    /// `Price`: the most credits that the whole sub-task may cost, more than 0.
    pub price: Money,
    /// `File`: the program.
    pub program: LocalFile,
    /// `InputParameters`: the arguments, spaces kept.
    pub arguments: Vec<String>,
    /// `Environment`: variables by name, spaces kept.
    pub environment: BTreeMap<String, String>,
    /// `InputFiles`: what is put into the scratch directory before the start.
    pub inputs: Vec<LocalFile>,
    /// `OutputFiles`: what is fetched from the scratch directory after the end.
    pub outputs: Vec<OutputFile>,
    /// `StdIn`: path, relative to the task file, of the file that standard input comes from; none: empty.
    pub stdin: Option<String>,
    /// `StdOut`: path, relative to the results directory, that standard output is written to.
    pub stdout: Option<String>,
    /// `StdErr`: path, relative to the results directory, that standard error is written to.
    pub stderr: Option<String>,
    /// `Requirements`: what the seller's machine has to be.
    pub requirements: Requirements,
    /// `Limits`: what the sub-task may use before it is stopped.
    pub limits: Limits,
    /// `Retry/@max`: the most further attempts after a failed one.
    pub retries: u32,
    /// `Retry/@backoff`: how long to wait after a failed attempt; 0 unless stated.
    pub backoff: Span,
    /// `Retry/@successExitCode`: the exit status that means success, 0 unless stated.
    pub success: u8,
    /// `Runtime`: what kind of program it is; none: by the first bytes of the file.
    pub runtime: Option<Runtime>,
    /// `Progress`: the file in the scratch directory in which the program says how far it is.
    pub progress: Option<String>,
    /// `Deadline`: by when it has to have ended.
    pub deadline: Option<Deadline>,
    /// `DependsOn`, and what the inputs tell: which sub-tasks have to succeed before, as indices of the expanded list,
    /// each once, in order.
    pub depends_on: Vec<u32>,
    /// Outputs of other sub-tasks that are inputs of this one.
    pub feeds: Vec<Feed>,
    /// `Checkpoint`: how it is saved while it runs.
    pub checkpoint: Option<CheckpointSpec>,
    /// `Redundancy`: how often it is executed, and when a result is believed.
    pub redundancy: Redundancy,
}

/// A file of the buyer and its name in the scratch directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LocalFile {
    /// Path text on the buyer's machine, relative to the task file unless absolute.
    pub path: String,
    /// Relative name inside the scratch directory, `/`-separated: the attribute `as`, else the path's last
    /// part.
    pub name: String,
    /// `sha256`: what the content has to hash to.
    pub sha256: Option<[u8; 32]>,
    /// `search`: where it is looked for.
    pub search: Search,
}

/// Where a file is looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Search {
    /// On the buyer's machine, then in the network, by its name or code id.
    #[default]
    Network,
    /// `search="false"`: on the buyer's machine only.
    Here,
}

/// A file that the program leaves in the scratch directory, and where the buyer wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputFile {
    /// Relative name inside the scratch directory, `/`-separated.
    pub name: String,
    /// Path relative to the results directory: the attribute `as`, else the same as the name. No two writers
    /// of a task have the same, and none is a folder of another.
    pub destination: String,
}

/// What a seller's machine has to be; `None` asks for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requirements {
    /// `OS` in small letters, such as `linux`.
    pub os: Option<String>,
    /// `Arch` in small letters, such as `x86_64`.
    pub arch: Option<String>,
    /// `OSVersion`: at least this version of the operating system; zero for any.
    pub os_version: Release,
    /// `Sandbox`: the layers of the sandbox that have to stand around native programs.
    pub sandbox: Layers,
    /// `MinCores`: at least this many cores, at least 1.
    pub min_cores: Option<u32>,
    /// `MinMemory`: at least this much memory in bytes.
    pub min_memory: Option<Bytes>,
    /// `MinDisk`: at least this much free disk space in bytes.
    pub min_disk: Option<Bytes>,
    /// `MinReputation`: at least this share of its contracts the seller has kept, by the word of the bank.
    pub min_reputation: Option<Reputation>,
}

/// What one attempt may use before it is stopped; all more than 0. There is no network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// `WallTime`: from start to end, in microseconds.
    pub wall_time: Span,
    /// `Memory` in bytes.
    pub memory: Bytes,
    /// `Disk`: the scratch directory, inputs included, in bytes.
    pub disk: Bytes,
    /// `Output`: standard output, and the same again for standard error, in bytes.
    pub output: Bytes,
    /// `Processes`: processes and threads at the same time.
    pub processes: u32,
    /// `CpuTime`: at the compute power asked for, so that it is a number of cycles; none: as the price allows.
    pub cpu_time: Option<Span>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            wall_time: DEFAULT_WALL_TIME,
            memory: DEFAULT_MEMORY,
            disk: DEFAULT_DISK,
            output: DEFAULT_OUTPUT,
            processes: DEFAULT_PROCESSES,
            cpu_time: None,
        }
    }
}

/// A task and what the reader wants to say about its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed {
    /// The task.
    pub task: Task,
    /// What is allowed but looks like a mistake, in the order of the file.
    pub warnings: Vec<Warning>,
}

/// Reads the task file `text`, called `file_name` in messages, with the variables that the caller `set`s.
///
/// # Errors
/// All faults that were found, in the order of the file, at least one and at most [`MAX_FAULTS`] and a last
/// one that says so. A file that is not XML has one fault; a sweep is read no further than its first faulty
/// point; the budget is compared once everything else is right.
pub fn parse(text: &str, file_name: &str, set: &BTreeMap<String, String>) -> Result<Parsed, Vec<Fault>> {
    parse_with(text, file_name, &Given { set, lines: &BTreeMap::new() })
}

/// What a task file may need beside its text.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    /// The variables that the caller sets.
    pub set: &'a BTreeMap<String, String>,
    /// The texts of the files that [`line_files`] names, by their paths.
    pub lines: &'a BTreeMap<String, String>,
}

/// Like [`parse`], for a file whose sweeps go over the lines of others.
///
/// # Errors
/// As [`parse`]; lines that are not given are a fault.
pub fn parse_with(text: &str, file_name: &str, given: &Given<'_>) -> Result<Parsed, Vec<Fault>> {
    let document = document::open(text).map_err(|fault| vec![fault.in_file(text, file_name)])?;
    let root = document.root_element();
    let mut notes = notes::Notes::default();
    let mut task =
        Task { name: named_after(file_name), budget: None, stop_when: None, sub_tasks: Vec::new() };
    if structure::check(root, &mut notes) {
        variable::check_set(given.set, root, &mut notes);
        expansion::fill(&mut task, root, given, &mut notes);
    }
    let warnings = notes.finish(text, file_name)?;
    Ok(Parsed { task, warnings })
}

/// The files over whose lines sweeps of the task file `text` go, each once, with the byte offset at which it is named
/// first. Empty where the text is no task file, which [`parse_with`] then says.
#[must_use]
pub fn line_files(text: &str, set: &BTreeMap<String, String>) -> Vec<(String, usize)> {
    let Ok(document) = document::open(text) else { return Vec::new() };
    let scope = variable::Scope { set, lines: &BTreeMap::new(), point: Vec::new() };
    let mut found: BTreeMap<String, usize> = BTreeMap::new();
    for given in document.descendants().filter_map(|node| node.attribute_node("each-line")) {
        if let Some(path) = variable::replace("each-line", given.value(), &scope, |_| {}) {
            found.entry(reader::trimmed(&path).to_owned()).or_insert(given.range_value().start);
        }
    }
    found.into_iter().collect()
}

/// The name of a task that gives none: its file's name without folder and `.xml`.
fn named_after(file_name: &str) -> String {
    let last = file_name.rsplit(['/', '\\']).next().unwrap_or(file_name);
    last.strip_suffix(".xml").unwrap_or(last).to_owned()
}
