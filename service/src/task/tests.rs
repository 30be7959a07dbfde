//! Tests of the whole: texts in, tasks or exact messages out.

mod bad;
mod bad_values;
mod bounds;
mod fuzz;
mod good;
mod links;
mod reliability;
mod samples;
mod schema;

use super::*;

/// The variables of a caller.
fn set(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// A file of one sub-task that has what it needs on the first line, and `more` from the second line on.
fn with(more: &str) -> String {
    format!(
        "<TaskFile><SubTask><CpuCycles>1</CpuCycles><Price>2</Price><File>a</File>\n{more}\n</SubTask></TaskFile>"
    )
}

/// The messages of all faults of a file called `t.xml`.
fn faults(text: &str, set: &BTreeMap<String, String>) -> Vec<String> {
    match parse(text, "t.xml", set) {
        Ok(parsed) => panic!("no fault in {text}: {parsed:?}"),
        Err(faults) => faults.iter().map(ToString::to_string).collect(),
    }
}

/// The task and the messages of all warnings of a file called `t.xml`.
fn parsed(text: &str, set: &BTreeMap<String, String>) -> (Task, Vec<String>) {
    let parsed = parse(text, "t.xml", set).unwrap_or_else(|faults| panic!("{text}: {faults:?}"));
    (parsed.task, parsed.warnings.iter().map(ToString::to_string).collect())
}

/// What may stand in a `SubTask`, as messages list it; tables write `[all]` for it.
const ALL: &str = "`CpuCycles`, `Work`, `CheckPointDataSize`, `Price`, `File`, `InputParameters`, `InputFiles`, \
                   `OutputFiles`, `StdIn`, `StdOut`, `StdErr`, `Environment`, `Requirements`, `Limits`, `Retry`, \
                   `Sweep`, `DependsOn`, `Runtime`, `Deadline`, `Progress`, `Checkpoint`, `Redundancy`";

/// Runs a table of cases. A case is a line `> text`, where `\n` and `\0` stand for those characters and
/// `frame` makes a file of it, then lines `+ name=value` for what the caller sets, then all messages that are
/// expected.
fn check_faults(frame: impl Fn(&str) -> String, table: &str) {
    let cases: Vec<_> = table.trim_start().split("\n> ").collect();
    assert!(cases.len() > 5);
    for case in cases {
        let mut lines = case.trim_start_matches("> ").lines();
        let text = unescaped(lines.next().unwrap());
        let (pairs, expected): (Vec<_>, Vec<_>) = lines.partition(|line| line.starts_with("+ "));
        let pairs: Vec<_> = pairs.iter().map(|pair| unescaped(pair.trim_start_matches("+ "))).collect();
        let pairs: Vec<_> = pairs.iter().map(|pair| pair.split_once('=').unwrap()).collect();
        let found: Vec<_> =
            faults(&frame(&text), &set(&pairs)).iter().map(|message| message.replace(ALL, "[all]")).collect();
        assert_eq!(found, expected, "{text}");
    }
}

fn unescaped(text: &str) -> String {
    text.replace("\\n", "\n").replace("\\0", "\0")
}
