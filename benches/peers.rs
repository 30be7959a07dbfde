//! What a sub-task costs beside its work, next to HyperQueue and GNU parallel: the same commands on this machine, one
//! after the other in the same run. A sub-task here is matched, paid in advance, run in a sandbox, checked and settled.
//!
//! HyperQueue is the package `hyperqueue` of PyPI, run by the Python that `COMPUP2P_BENCH_PYTHON` names (`python3`); GNU
//! parallel is Debian's `parallel`. What is not there is left out, and said. The goals are those of the issue.

#![expect(clippy::panic, reason = "a bench stops where it cannot go on")]

#[path = "../tests/common/harness.rs"]
#[expect(dead_code, clippy::indexing_slicing, reason = "written for tests")]
mod harness;

use harness::{Bank, NodeProcess, Within};
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Runs of the trivial sub-task; their median counts.
const RUNS: usize = 21;

/// The parts that can be run alone: `cargo bench --bench peers -- thousand`.
const PARTS: [&str; 5] = ["alone", "thousand", "many", "efficiency", "figure-8"];

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let is_any = words.iter().any(|word| PARTS.contains(&word.as_str()));
    let is_wanted = |part: &str| !is_any || words.iter().any(|word| word == part);
    if ["alone", "thousand", "many"].into_iter().any(is_wanted) {
        four(&is_wanted);
    }
    if ["efficiency", "figure-8"].into_iter().any(is_wanted) {
        ten(&is_wanted);
    }
}

/// What is measured with four sellers.
fn four(is_wanted: &dyn Fn(&str) -> bool) {
    let directory = tempfile::tempdir().unwrap_or_else(|error| panic!("no directory: {error}"));
    let farm = Farm::start(directory.path(), 4);
    if is_wanted("alone") {
        alone(&farm);
    }
    for (part, count) in [("thousand", 1_000), ("many", 10_000)] {
        if is_wanted(part) {
            many(&farm, count);
        }
    }
}

/// What is measured with ten sellers.
fn ten(is_wanted: &dyn Fn(&str) -> bool) {
    let ten = tempfile::tempdir().unwrap_or_else(|error| panic!("no directory: {error}"));
    let farm = Farm::start(ten.path(), 10);
    if is_wanted("efficiency") {
        efficiency(&farm);
    }
    if is_wanted("figure-8") {
        figure_8(&farm);
    }
}

/// One trivial sub-task, from the command to its end.
fn alone(farm: &Farm) {
    say("one trivial sub-task, warm, by the command line (median)");
    let median = |mut run: Box<dyn FnMut() -> Option<Duration> + '_>| {
        let mut spans: Vec<Duration> = (0..RUNS).map_while(|_| run()).collect();
        spans.sort_unstable();
        spans.get(spans.len() / 2).copied()
    };
    let task = farm.task(Program::Nothing, 1);
    row("compup2p, WebAssembly", median(Box::new(|| Some(farm.submit(&task)))), None);
    let task = farm.task(Program::Native(&["true"]), 1);
    row("compup2p, native", median(Box::new(|| Some(farm.submit(&task)))), None);
    row("HyperQueue", hyperqueue(4, 1, &["true"]), None);
    row("GNU parallel", median(Box::new(|| parallel(4, 1, &["true"]))), None);
}

/// Many trivial sub-tasks on four nodes.
fn many(farm: &Farm, count: u32) {
    say(&format!("{count} trivial sub-tasks on 4 nodes of one core"));
    let hyperqueue = hyperqueue(4, count, &["true"]);
    row("HyperQueue", hyperqueue, Some(count));
    row("GNU parallel", parallel(4, count, &["true"]), Some(count));
    for (name, program, goal) in [
        ("compup2p, WebAssembly", Program::Nothing, 3.0),
        ("compup2p, native", Program::Native(&["true"]), 1.2),
    ] {
        let ours = farm.submit(&farm.task(program, count));
        row(name, Some(ours), Some(count));
        if let Some(theirs) = hyperqueue {
            mark("HyperQueue's time by ours", theirs.as_secs_f64() / ours.as_secs_f64(), goal);
        }
    }
}

/// 200 sub-tasks of 100 ms on ten nodes: what could be by what is.
fn efficiency(farm: &Farm) {
    say("200 sub-tasks that sleep for 0.1 s on 10 nodes: ideal by measured time");
    let ideal = 2.0;
    let sleep = ["sleep", "0.1"];
    let ours = farm.submit(&farm.task(Program::Native(&sleep), 200));
    mark("compup2p", ideal / ours.as_secs_f64(), 0.98);
    for (name, theirs) in
        [("HyperQueue", hyperqueue(10, 200, &sleep)), ("GNU parallel", parallel(10, 200, &sleep))]
    {
        let shown = theirs.map_or("not here".into(), |theirs| format!("{:.3}", ideal / theirs.as_secs_f64()));
        say(&format!("  {name:<28}{shown}"));
    }
}

/// The paper's Fig. 8: 1 to 10 coarse sub-tasks on ten nodes should take as long as one.
fn figure_8(farm: &Farm) {
    say("1 to 10 sub-tasks of 2 s on 10 nodes (paper, Fig. 8): measured by ideal time; goal 1.01");
    let sleep = ["sleep", "2"];
    for count in [1, 2, 5, 10] {
        let ours = farm.submit(&farm.task(Program::Native(&sleep), count));
        let theirs = hyperqueue(10, count, &sleep);
        let theirs = theirs.map_or("not here".into(), |theirs| format!("{:.3}", theirs.as_secs_f64() / 2.0));
        say(&format!("  {count:>2}: compup2p {:.3}, HyperQueue {theirs}", ours.as_secs_f64() / 2.0));
    }
}

/// What a sub-task executes.
#[derive(Clone, Copy)]
enum Program<'a> {
    /// A WebAssembly module that does nothing.
    Nothing,
    /// A program of this machine with its arguments.
    Native(&'a [&'a str]),
}

/// A bank, nodes that sell one core each, and a node that buys.
struct Farm {
    _bank: Bank,
    _sellers: Vec<NodeProcess>,
    buyer: NodeProcess,
    directory: std::path::PathBuf,
}

impl Farm {
    fn start(directory: &Path, sellers: u32) -> Self {
        let bank = Bank::start_with(Within::new(), &directory.join("bank"), &["--grant", "100000"]);
        let policy = |is_seller: bool| {
            format!(
                "version = 1\n[share]\ncompute = {is_seller}\nnative = {is_seller}\n[market]\nmarginal_cost = 0.001\n[cpu]\n\
                 assume_idle = true\nmax_cores = 1\n[network]\nlisten = \"127.0.0.1:0\"\n"
            )
        };
        let start = |name: &str, is_seller| NodeProcess::start(directory, &bank, name, &policy(is_seller));
        let all: Vec<NodeProcess> = (1..=sellers).map(|number| start(&format!("s{number}"), true)).collect();
        let buyer = start("buyer", false);
        let is_listed = |node: &NodeProcess| {
            node.json(&["status"]).get("listed").is_some_and(serde_json::Value::is_string)
        };
        harness::wait_until("all sellers are in the market", harness::PATIENCE, || {
            all.iter().all(is_listed).then_some(())
        });
        let farm = Self { _bank: bank, _sellers: all, buyer, directory: directory.into() };
        // As HyperQueue's workers before it is measured.
        farm.submit(&farm.task(Program::Native(&["true"]), sellers));
        farm
    }

    /// A task file with `count` of them.
    fn task(&self, program: Program<'_>, count: u32) -> String {
        let (file, arguments) = match program {
            Program::Nothing => (root("examples/noop/noop.wasm"), String::new()),
            Program::Native(words) => {
                let (name, rest) = words.split_first().unwrap_or((&"true", &[]));
                let list: String = rest.iter().map(|word| format!("<Param>{word}</Param>")).collect();
                (format!("/usr/bin/{name}"), format!("<InputParameters>{list}</InputParameters>"))
            }
        };
        let text = format!(
            "<TaskFile><SubTask><CpuCycles>1</CpuCycles><Price>0.5</Price><File>{file}</File>{arguments}<Limits>\
             <WallTime>60s</WallTime><Memory>64MiB</Memory><Disk>1MiB</Disk></Limits><Sweep><Var name=\"i\" \
             from=\"1\" to=\"{count}\"/></Sweep></SubTask></TaskFile>"
        );
        let path = self.directory.join("task.xml");
        std::fs::write(&path, text).unwrap_or_else(|error| panic!("no task file: {error}"));
        harness::text(&path).to_owned()
    }

    /// From the command to its end.
    fn submit(&self, task: &str) -> Duration {
        let started = Instant::now();
        let finished = self.buyer.run(&["task", "submit", "--wait", "--quiet", task]);
        let span = started.elapsed();
        assert_eq!(finished.code, 0, "{finished:?}");
        span
    }
}

/// HyperQueue with so many workers of one core, if it is here.
fn hyperqueue(workers: u32, count: u32, command: &[&str]) -> Option<Duration> {
    let python = std::env::var("COMPUP2P_BENCH_PYTHON").unwrap_or_else(|_| "python3".into());
    let mut run = Command::new(python);
    run.arg(root("benches/peers/with_hyperqueue.py"))
        .args([workers.to_string(), count.to_string()])
        .args(command);
    let said = run.stderr(Stdio::null()).output().ok()?;
    let said = String::from_utf8(said.stdout).ok()?;
    said.lines().last()?.parse().ok().map(Duration::from_secs_f64)
}

/// GNU parallel with so many jobs at once, if it is here.
fn parallel(workers: u32, count: u32, command: &[&str]) -> Option<Duration> {
    let mut run = Command::new("parallel");
    run.args(["--will-cite", "-j", &workers.to_string(), "-n0"]).args(command);
    let started = Instant::now();
    let mut child = run.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
    let numbers: String = (0..count).map(|number| format!("{number}\n")).collect();
    child.stdin.take()?.write_all(numbers.as_bytes()).ok()?;
    child.wait().ok().filter(std::process::ExitStatus::success).map(|_| started.elapsed())
}

/// A file of the repository.
fn root(path: &str) -> String {
    format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))
}

fn row(name: &str, span: Option<Duration>, count: Option<u32>) {
    let Some(span) = span else { return say(&format!("  {name:<28}is not here")) };
    let rate =
        count.map_or(String::new(), |count| format!("{:>10.0}/s", f64::from(count) / span.as_secs_f64()));
    say(&format!("  {name:<28}{:>10.1} ms{rate}", span.as_secs_f64() * 1e3));
}

fn mark(name: &str, ratio: f64, goal: f64) {
    let verdict = if ratio >= goal { "reached" } else { "MISSED" };
    say(&format!("    {name}: {ratio:.3}, goal {goal}: {verdict}"));
}

fn say(line: &str) {
    let _is_read = writeln!(std::io::stdout(), "{line}").is_ok();
}
