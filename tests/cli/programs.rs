//! Programs that fail: each is reported as exactly what it did, and is not paid.

use super::known::{check_money, local, result};
use serde_json::Value;
use std::fmt::Write as _;
use tempfile::tempdir;

/// Program, more elements of its sub-task, and what has to be said: code and words.
const FAULTS: &[(&str, &str, &str, &str)] = &[
    ("trap.wasm", "", "trapped", "failed: the program trapped: unreachable executed"),
    ("exit3.wasm", "<StdErr>exit3.err</StdErr>", "exited", "failed: the program exited with status 3"),
    (
        "spin.wasm",
        "<Limits><WallTime>1s</WallTime></Limits><Retry max=\"0\"/>",
        "wall_limit",
        "failed: the program ran longer than its limit of 1.00 s",
    ),
    (
        "hog.wasm",
        "<Limits><Memory>32MiB</Memory></Limits>",
        "memory_limit",
        "failed: the program needed more memory than its limit of 32.0 MiB",
    ),
    (
        "chatter.wasm",
        "<Limits><Output>64KiB</Output></Limits>",
        "output_limit",
        "failed: the program printed more than its limit of 64.0 KiB",
    ),
    (
        "bigfile.wasm",
        "<Limits><Disk>4MiB</Disk></Limits>",
        "disk_limit",
        "failed: the program wrote more files than its limit of 4.0 MiB",
    ),
    (
        "nofile.wasm",
        "<OutputFiles><OutputFile>missing.txt</OutputFile></OutputFiles>",
        "output_missing",
        "failed: the program did not leave its declared output `missing.txt`",
    ),
    (
        "trap.c",
        "",
        "not_runnable",
        "failed: the program is not a program that can be run: the file starts with 2f 2f 20 45, not with a \
         WebAssembly module",
    ),
    ("escape.wasm", "<StdOut>escape.out</StdOut>", "succeeded", "succeeded"),
];

#[test]
fn programs_that_fail_are_reported_as_what_they_did_and_are_not_paid() {
    let home = tempdir().unwrap();
    let mut text = String::from("<TaskFile>");
    for (program, more, ..) in FAULTS {
        let path = std::fs::canonicalize(format!("examples/faults/{program}")).unwrap();
        write!(
            text,
            "<SubTask name=\"{program}\"><CpuCycles>1</CpuCycles><Work>50</Work><Price>20</Price>\
             <File>{}</File>{more}</SubTask>",
            path.display()
        )
        .unwrap();
    }
    text.push_str("</TaskFile>");
    let file = home.path().join("faults.xml");
    std::fs::write(&file, text).unwrap();
    let finished = local(file.to_str().unwrap(), &["--json"], home.path());
    assert_eq!(finished.code, 1, "{finished:?}");
    let run = finished.json();
    check_money(&run);
    for (program, _, code, words) in FAULTS {
        let sub_tasks = run["task"]["sub_tasks"].as_array().unwrap();
        let one = sub_tasks.iter().find(|one: &&Value| one["name"] == *program).unwrap();
        assert_eq!((one["reason_code"].as_str(), one["why"].as_str()), (Some(*code), Some(*words)));
        assert_eq!(one["paid"] == "0", *code != "succeeded" || one["gcycles"].as_f64() < Some(1e-6), "{one}");
    }
    assert_eq!(result(home.path(), "exit3.err"), "about to fail\n");
    assert!(!result(home.path(), "escape.out").contains("OPENED"));
}

/// One sub-task of `noop` with these elements has to end with `exit`, `code` and words that contain `words`.
#[track_caller]
fn check(elements: &str, more: &[&str], exit: i32, code: &str, words: &str) {
    let home = tempdir().unwrap();
    let path = std::fs::canonicalize("examples/noop/noop.wasm").unwrap();
    let text = format!("<TaskFile><SubTask>{elements}<File>{}</File></SubTask></TaskFile>", path.display());
    let file = home.path().join("one.xml");
    std::fs::write(&file, text).unwrap();
    let finished = local(file.to_str().unwrap(), &[&["--json"], more].concat(), home.path());
    assert_eq!(finished.code, exit, "{finished:?}");
    let run = finished.json();
    check_money(&run);
    let one = &run["task"]["sub_tasks"][0];
    assert_eq!(one["reason_code"], code, "{one}");
    assert!(one["why"].as_str().unwrap().contains(words), "{one}");
}

#[test]
fn more_money_than_there_is_and_power_that_nobody_has_are_refused_with_the_figures() {
    let dear = "<CpuCycles>1</CpuCycles><Price>5000</Price>";
    check(dear, &[], 6, "not_enough_money", "the account has 1000 credits available, 5000 are needed");
    let strong = "<CpuCycles>10000000</CpuCycles><Price>5</Price>";
    check(strong, &["--patience", "1s"], 3, "not_placed", "not placed: 0 listings at");
    let cheap = "<CpuCycles>100</CpuCycles><Work>1000</Work><Price>0.02</Price>";
    check(cheap, &["--patience", "1s"], 3, "not_placed", "above the bid");
}
