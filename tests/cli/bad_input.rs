//! Files and addresses that are wrong: exact message, exact exit code.

use super::harness::{Bank, NodeProcess, policy, run};
use serde_json::json;
use std::fs::File;
use tempfile::tempdir;

/// `task validate` of a file with this text says exactly this (`FILE` stands for its path), and ends with 2.
#[track_caller]
fn check(text: &str, expected: &str) {
    let home = tempdir().unwrap();
    let file = home.path().join("t.xml");
    std::fs::write(&file, text).unwrap();
    let path = file.to_str().unwrap();
    let finished = run(&["task", "validate", path], home.path());
    assert_eq!((finished.code, finished.stdout.as_str()), (2, ""), "{finished:?}");
    assert_eq!(finished.stderr.replace(path, "FILE"), expected, "{text}");
}

fn task(elements: &str) -> String {
    format!("<TaskFile>\n<SubTask>\n{elements}\n</SubTask>\n</TaskFile>\n")
}

#[test]
fn task_files_that_are_wrong_are_refused_with_line_and_column() {
    let file = "<File>/bin/sh</File>";
    check("", "FILE:1:1: not well-formed XML: there is no element in the file\n");
    check(
        "<TaskFile>\n<SubTask>\n</TaskFile>",
        "FILE:3:1: not well-formed XML: `</TaskFile>` does not close `<SubTask>`, which is still open\n",
    );
    check(
        &task(&format!("<CpuCycles>1</CpuCycles><Prise>1</Prise>{file}")),
        "FILE:2:1: `SubTask` has no `Price`: it needs one\nFILE:3:25: `Prise` is not an element of `SubTask`; did you mean `Price`? Allowed: `CpuCycles`, `Work`, `CheckPointDataSize`, `Price`, `File`, `InputParameters`, `InputFiles`, `OutputFiles`, `StdIn`, `StdOut`, `StdErr`, `Environment`, `Requirements`, `Limits`, `Retry`, `Sweep`, `DependsOn`, `Runtime`, `Deadline`, `Progress`, `Checkpoint`, `Redundancy`\n",
    );
    check(
        &task("<CpuCycles>1</CpuCycles><Price>1</Price><File>gone.wasm</File>"),
        "FILE:3:47: there is no file `gone.wasm` beside the task file\n",
    );
    check(
        &task(&format!("<CpuCycles>1</CpuCycles><Price>0</Price>{file}")),
        "FILE:3:32: a price must be more than 0 credits\n",
    );
    check(
        &task(&format!("<CpuCycles>-5</CpuCycles><Price>1</Price>{file}")),
        "FILE:3:12: `-5` is not a value for `CpuCycles`: expected a compute power more than 0, such as 1000\n",
    );
    check(
        &task(&format!("<CpuCycles>99999999999999999999</CpuCycles><Price>1</Price>{file}")),
        "FILE:3:12: `99999999999999999999` is too large or too exact for `CpuCycles`: expected at most \
         18446744073709551615 Mc/s\n",
    );
    let price = |price: &str| task(&format!("<CpuCycles>1</CpuCycles><Price>{price}</Price>{file}"));
    for wrong in ["-1", "1e3", "0.0000001", "ten"] {
        let expected = format!(
            "FILE:3:32: `{wrong}` is not a value for `Price`: expected credits, more than 0, with at most six \
             decimals, such as 12 or 0.25\n"
        );
        check(&price(wrong), &expected);
    }
    check(
        &price("18446744073710"),
        "FILE:3:32: `18446744073710` is too large or too exact for `Price`: expected at most \
         18446744073709.551615 credits\n",
    );
    let bomb =
        "<!DOCTYPE a [<!ENTITY a \"aaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]>\n<TaskFile>&b;</TaskFile>";
    check(
        bomb,
        "FILE:1:1: a document type (`<!DOCTYPE`) is not allowed in a task file, and with it no entities of one's own\n",
    );
}

#[test]
fn what_cannot_be_read_as_a_file_says_why() {
    let home = tempdir().unwrap();
    std::fs::create_dir(home.path().join("directory")).unwrap();
    // Reading it fails for everybody, root included: nothing is mapped at its beginning.
    let unreadable = "/proc/self/mem";
    let path = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
    for (file, why) in [
        (path("none.xml"), "No such file or directory (os error 2)"),
        (path("directory"), "it is a directory"),
        (unreadable.to_owned(), "Input/output error (os error 5)"),
    ] {
        for command in [&["task", "validate"][..], &["task", "submit", "--local", "2"], &["policy", "check"]]
        {
            let finished = run(&[command, &[&file]].concat(), home.path());
            let expected = format!("error: {file} cannot be read: {why}\n");
            assert_eq!((finished.code, finished.stdout, finished.stderr), (2, String::new(), expected));
        }
    }
}

#[test]
fn arguments_that_are_wrong_are_refused_before_anything_is_started() {
    let home = tempdir().unwrap();
    let noop = "examples/noop/tasks.xml";
    for (args, message) in [
        (
            &["join", "examples/policy.toml", "--bootstrap", "bank:0"][..],
            "error: invalid value 'bank:0' for '--bootstrap <[KEY@]HOST:PORT>': `0` is not a port: expected 1 \
             to 65535",
        ),
        (
            &["task", "submit", "--local", "1", noop],
            "error: invalid value '1' for '--local <N>': 1 is not in 2..=64",
        ),
        (
            &["task", "status", "first"],
            "error: invalid value 'first' for '[TASK]': expected the number of a task, or `last`",
        ),
        (&["task", "validate", noop, "--set", "a=1", "--set", "a=2"], "error: --set: `a` is set twice"),
    ] {
        let finished = run(args, home.path());
        let first = finished.stderr.lines().next();
        assert_eq!((finished.code, first), (2, Some(message)), "{finished:?}");
        assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0, "{args:?} left something");
    }
}

#[test]
fn a_task_file_of_100_mb_is_refused_by_its_size() {
    let home = tempdir().unwrap();
    let file = home.path().join("t.xml");
    File::create(&file).unwrap().set_len(100_000_000).unwrap();
    let path = file.to_str().unwrap();
    let finished = run(&["task", "submit", path], home.path());
    assert_eq!(finished.code, 2, "{finished:?}");
    assert_eq!(
        finished.stderr.replace(path, "FILE"),
        "FILE: the file has 100000000 bytes: a task file has at most 16777216 bytes\nhint: describe sub-tasks that differ in a few values only by one `Sweep`\n"
    );
}

#[test]
fn a_policy_with_an_unknown_key_is_refused_with_what_was_meant() {
    let home = tempdir().unwrap();
    let file = home.path().join("p.toml");
    std::fs::write(&file, "version = 1\n[cpu]\nmax_core = 2\n").unwrap();
    let path = file.to_str().unwrap();
    for args in [&["policy", "check", path][..], &["join", path, "--bootstrap", "127.0.0.1:1"]] {
        let finished = run(args, home.path());
        assert_eq!(finished.code, 2, "{finished:?}");
        let expected = "FILE:3:1: `max_core` is not a key of [cpu]; did you mean `max_cores`?\n";
        assert_eq!(finished.stderr.replace(path, "FILE"), expected, "{args:?}");
    }
}

#[test]
fn a_bootstrap_server_or_a_bank_that_does_not_answer_is_named() {
    let home = tempdir().unwrap();
    let file = home.path().join("p.toml");
    std::fs::write(&file, policy("0.1", 1)).unwrap();
    let finished = run(&["join", file.to_str().unwrap(), "--bootstrap", "127.0.0.1:1"], home.path());
    let hint = "hint: check the address, and that `compup2p bank serve` runs there\n";
    let expected = format!("error: the bank and bootstrap server at 127.0.0.1:1 does not answer\n{hint}");
    assert_eq!((finished.code, finished.stderr), (4, expected));

    let mut bank = Bank::start(home.path());
    let node = NodeProcess::start(home.path(), &bank, "n", &policy("0.1", 1));
    bank.kill9();
    let finished = node.run(&["bank", "balance"]);
    let expected =
        format!("error: the bank and bootstrap server at {} does not answer\n{hint}", bank.address);
    assert_eq!((finished.code, finished.stderr), (4, expected));

    let finished = run(&["status"], home.path());
    assert_eq!(finished.code, 4, "{finished:?}");
    assert!(finished.stderr.starts_with("error: no node is running in"), "{finished:?}");
}

#[test]
fn an_error_in_json_is_one_value_on_standard_output() {
    let home = tempdir().unwrap();
    let json = |args: &[&str], code: i32| {
        let finished = run(&[args, &["--json"]].concat(), home.path());
        assert_eq!((finished.code, finished.stderr.as_str()), (code, ""), "{finished:?}");
        finished.json()
    };
    let error = json!({
        "code": "no_file",
        "message": "examples/none.xml cannot be read: No such file or directory (os error 2)",
        "hint": "",
        "retryable": false,
    });
    let expected = json!({ "schema": "compup2p/error/v1", "error": error });
    assert_eq!(json(&["task", "validate", "examples/none.xml"], 2), expected);

    let file = home.path().join("t.xml");
    let file_name = file.to_str().unwrap();
    let text = task("<CpuCycles>1</CpuCycles><Price>0</Price><File>/bin/sh</File>");
    std::fs::write(&file, text).unwrap();
    let what = "a price must be more than 0 credits";
    let error = json!({
        "code": "task_invalid",
        "message": format!("{file_name}:3:32: {what}"),
        "hint": "",
        "retryable": false,
        "faults": [{ "file": file_name, "line": 3, "column": 32, "message": what }],
    });
    let expected = json!({ "schema": "compup2p/error/v1", "error": error });
    assert_eq!(json(&["task", "validate", file_name], 2), expected);

    let error = &json(&["status"], 4)["error"];
    assert_eq!((&error["code"], &error["retryable"]), (&"no_node".into(), &true.into()), "{error}");
}
