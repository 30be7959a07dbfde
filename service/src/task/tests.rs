//! Tests of the whole: texts in, tasks or exact messages out.

mod bad;
mod bounds;
mod fuzz;
mod good;
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
