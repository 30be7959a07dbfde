//! What a sub-task costs before anything is bought: reading the file, and working out who waits for whom.
//!
//! Three kinds of files with 1,000, 10,000 and 100,000 sub-tasks: one sweep, as many elements, and a workflow in three
//! layers. The last column is the time for one sub-task against that of the smallest file: 1 is linear.

use service::graph::Graph;
use service::task::{MAX_TASK_FILE, parse};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::time::Instant;

/// What a file is called, and how it is made for so many sub-tasks.
type Kind = (&'static str, fn(usize) -> String);

const SIZES: [usize; 3] = [1_000, 10_000, 100_000];
/// Runs of which the fastest counts.
const RUNS: usize = 3;

const NEED: &str = "<CpuCycles>1000</CpuCycles><Work>2</Work><Price>1</Price><File>a.wasm</File>";

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "{:<12} {:>9} {:>10} {:>12} {:>8}", "file", "sub-tasks", "ms", "µs/sub-task", "ratio")?;
    let kinds: [Kind; 3] = [("sweep", sweep), ("elements", elements), ("workflow", workflow)];
    for (name, make) in kinds {
        let mut first = None;
        for size in SIZES {
            let text = make(size);
            if text.len() > MAX_TASK_FILE {
                writeln!(out, "{name:<12} {size:>9} larger than a task file may be")?;
                continue;
            }
            let seconds = best(&text, size)?;
            let each = seconds * 1e6 / size as f64;
            let ratio = each / *first.get_or_insert(each);
            writeln!(out, "{name:<12} {size:>9} {:>10.1} {each:>12.2} {ratio:>8.2}", seconds * 1e3)?;
        }
    }
    Ok(())
}

/// The fewest seconds of several runs.
fn best(text: &str, expected: usize) -> std::io::Result<f64> {
    let mut best = f64::MAX;
    for _ in 0..RUNS {
        best = best.min(measure(text, expected)?);
    }
    Ok(best)
}

/// Seconds to read `text` and rank its sub-tasks.
fn measure(text: &str, expected: usize) -> std::io::Result<f64> {
    let begin = Instant::now();
    let parsed = parse(text, "bench.xml", &BTreeMap::new());
    let fault = |faults: Vec<service::task::Fault>| {
        std::io::Error::other(faults.first().map(ToString::to_string).unwrap_or_default())
    };
    let task = parsed.map_err(fault)?.task;
    let before = task.sub_tasks.iter().map(|sub_task| sub_task.depends_on.clone()).collect();
    let ranks = Graph::new(before).unwrap_or_default().ranks(&vec![1; task.sub_tasks.len()]);
    let seconds = begin.elapsed().as_secs_f64();
    assert_eq!((task.sub_tasks.len(), ranks.len()), (expected, expected));
    Ok(seconds)
}

fn sweep(size: usize) -> String {
    format!(
        "<TaskFile><SubTask>{NEED}<InputParameters><Param>${{i}}</Param></InputParameters><StdOut>o/${{i}}</StdOut>\
         <Sweep><Var name='i' from='1' to='{size}'/></Sweep></SubTask></TaskFile>"
    )
}

fn elements(size: usize) -> String {
    let mut text = String::from("<TaskFile>\n");
    for number in 0..size {
        let _ = writeln!(text, "<SubTask>{NEED}<StdOut>o/{number}</StdOut></SubTask>");
    }
    text + "</TaskFile>"
}

/// Half of the sub-tasks make something, each of the others but one reads what one made, and the last one waits for all
/// of these.
fn workflow(size: usize) -> String {
    let (makers, readers) = (size / 2, size - size / 2 - 1);
    format!(
        "<TaskFile><SubTask name='a'>{NEED}<StdOut>a/${{i}}</StdOut><Sweep><Var name='i' from='1' to='{makers}'/></Sweep>\
         </SubTask><SubTask name='b'>{NEED}<StdIn>a/${{i}}</StdIn><StdOut>b/${{i}}</StdOut>\
         <Sweep><Var name='i' from='1' to='{readers}'/></Sweep></SubTask>\
         <SubTask name='c'>{NEED}<DependsOn>b</DependsOn></SubTask></TaskFile>"
    )
}
