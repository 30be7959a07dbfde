//! Local networks whose results are known.

use super::harness::{Finished, run, wait_until};
use proto::Money;
use serde_json::{Value, json};
use std::panic::catch_unwind;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tempfile::tempdir;

/// Whole networks take both processors of a small machine: one at a time.
pub(crate) static ALONE: Mutex<()> = Mutex::new(());

/// Runs a task file on a local network of three nodes; its results go to `results` in `home`.
pub(crate) fn local(file: &str, more: &[&str], home: &Path) -> Finished {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let results = home.join("results-of-the-task");
    let to = results.to_str().unwrap();
    run(&[&["task", "submit", "--local", "3", file, "--to", to], more].concat(), home)
}

pub(crate) fn result(home: &Path, name: &str) -> String {
    let path = home.join("results-of-the-task").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn micro(value: &Value) -> i128 {
    let text = value.as_str().unwrap_or_else(|| panic!("{value} is no text"));
    let (sign, amount) = text.strip_prefix('-').map_or((1, text), |amount| (-1, amount));
    let money: Money = amount.trim_start_matches('+').parse().unwrap();
    sign * i128::from(money.0)
}

/// Everything that was paid is in the sub-tasks; each change is the difference of its balances; and what all have
/// together is the same before and after, to the millionth. What is held is part of a balance.
#[track_caller]
pub(crate) fn check_money(run: &Value) {
    let task = &run["task"];
    let sub_tasks = task["sub_tasks"].as_array().unwrap();
    let paid: i128 = sub_tasks.iter().map(|one| micro(&one["paid"]) + micro(&one["fee"])).sum();
    assert_eq!((paid, &task["held"]), (micro(&task["spent"]), &"0".into()), "{run:#}");
    let balances = run["balances"].as_array().unwrap();
    for one in balances {
        assert_eq!(micro(&one["change"]), micro(&one["after"]) - micro(&one["before"]), "{one}");
        assert_eq!(one["held"], "0", "{one}");
    }
    let sum = |side: &str| -> i128 { balances.iter().map(|one| micro(&one[side])).sum() };
    assert_eq!(sum("before"), i128::from(Money::credits(1_000).0) * 3, "{run:#}");
    assert_eq!(sum("after"), sum("before"), "{run:#}");
    let total = &run["total"];
    assert_eq!(
        (&total["before"], &total["after"], &total["adds_up"]),
        (&"3000".into(), &"3000".into(), &true.into()),
        "{run:#}"
    );
}

/// The command lines of all processes that mention `home`.
fn processes_of(home: &Path) -> Vec<String> {
    let processes = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    // A process may end while it is looked at, and then has no command line.
    let lines = processes.filter_map(|process| std::fs::read(process.path().join("cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
    lines.filter(|line| line.contains(home.to_str().unwrap())).collect()
}

#[test]
fn queens_of_a_local_network_have_the_known_total() {
    let home = tempdir().unwrap();
    let finished = local("examples/queens/tasks.xml", &["--json"], home.path());
    assert_eq!(finished.code, 0, "{finished:?}");
    let run = finished.json();
    check_money(&run);
    assert_eq!(run["task"]["state"], "succeeded");
    let count = |column: u32| -> u64 {
        let line = result(home.path(), &format!("results/column-{column}.txt"));
        line.split_whitespace().nth(2).unwrap().parse().unwrap()
    };
    assert_eq!((0..16).map(count).sum::<u64>(), 14_772_512);
    let left: Vec<_> =
        std::fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["results-of-the-task"], "the network's directory is gone");
    assert_eq!(processes_of(home.path()), Vec::<String>::new(), "no process of the network is left");
}

#[test]
fn figure_7_of_the_paper_runs_unchanged_and_its_table_has_every_column() {
    let home = tempdir().unwrap();
    let finished = local("examples/figure7/tasks.xml", &[], home.path());
    assert_eq!(finished.code, 0, "{finished:?}");
    assert_eq!(result(home.path(), "joboutput.out"), "3 4 hypotenuse 5 paths 35\n");
    let lines: Vec<&str> = finished.stdout.lines().collect();
    let words = |line: usize| lines[line].split_whitespace().collect::<Vec<_>>();
    assert_eq!(lines[0], "task 1 (tasks): succeeded");
    let columns = "sub-task seller asks seen price/Gc Gc time paid fee verdict";
    assert_eq!(words(1).join(" "), columns);
    assert_eq!((words(2)[0], words(2).last()), ("1", Some(&"succeeded")), "{}", finished.stdout);
    assert!(lines[3].starts_with("1 of 1 sub-task succeeded; spent 0.0"), "{}", finished.stdout);
    assert_eq!(lines[4], "");
    assert_eq!(words(5).join(" "), "node account before after held change");
    let nodes: Vec<_> = (6..9).map(|line| (words(line)[0], words(line)[2], words(line)[4])).collect();
    let expected = ["node-1", "node-2", "node-3"].map(|name| (name, "1000.00", "0.00"));
    assert_eq!(nodes, expected, "{}", finished.stdout);
    assert_eq!((words(9).join(" ").as_str(), lines.len()), ("total 3000.00 3000.00", 10));
}

#[test]
fn options_of_any_seller_have_the_same_bytes() {
    let home = tempdir().unwrap();
    let text = std::fs::read_to_string("examples/options/tasks.xml").unwrap();
    let program = std::fs::canonicalize("examples/options/options.wasm").unwrap();
    let text = text
        .replace("<Param>500000</Param>", "<Param>2000</Param>")
        .replace("options.wasm", program.to_str().unwrap());
    let file = home.path().join("tasks.xml");
    std::fs::write(&file, text).unwrap();
    let finished = local(file.to_str().unwrap(), &["--json"], home.path());
    assert_eq!(finished.code, 0, "{finished:?}");
    check_money(&finished.json());
    assert_eq!(result(home.path(), "results/seed-1.txt"), SEED_1);
}

/// What `options.wasm` writes for seed 1 and 2,000 paths, also in another executor (Node.js, `node:wasi`). Compiled for
/// this machine (`cc -O2 -ffp-contract=off examples/options/options.c -lm`) it writes the same but for the last digits
/// of the geometric sums (…589 and …291): the exponential of glibc is not quite that of wasi-libc.
const SEED_1: &str = "\
seed=1
n=2000
geometric_sum=11238.407029794591
geometric_sumsq=189597.57852198294
arithmetic_sum=11676.544628759168
arithmetic_sumsq=203886.85521783121
";

#[test]
fn money_that_appears_or_vanishes_is_seen() {
    let balance = |after: &str, change: &str| json!({ "before": "1000", "after": after, "held": "0", "change": change });
    let run = json!({
        "task": { "spent": "3.5", "held": "0", "sub_tasks": [{ "paid": "3", "fee": "0.5" }] },
        "balances": [balance("996.5", "-3.5"), balance("1003", "+3"), balance("1000.5", "+0.5")],
        "total": { "before": "3000", "after": "3000", "adds_up": true },
    });
    check_money(&run);
    for (place, wrong) in [
        ("/task/spent", json!("3.500001")),
        ("/task/held", json!("0.000001")),
        ("/task/sub_tasks/0/paid", json!("2.999999")),
        ("/task/sub_tasks/0/fee", json!("0")),
        ("/balances/0", balance("996.500001", "-3.499999")),
        ("/balances/1/after", json!("1003.000001")),
        ("/balances/2/change", json!("-0.5")),
        ("/balances/2/held", json!("0.5")),
        ("/total/after", json!("2999.999999")),
        ("/total/adds_up", json!(false)),
    ] {
        let mut mutant = run.clone();
        *mutant.pointer_mut(place).unwrap() = wrong;
        assert!(catch_unwind(|| check_money(&mutant)).is_err(), "nobody sees {place} in {mutant}");
    }
}

#[test]
fn a_process_that_is_left_is_seen() {
    let home = tempdir().unwrap();
    let left = home.path().join("none");
    // It waits for its standard input and mentions a path below `home`.
    let mut cat =
        Command::new("cat").arg("-").arg(&left).stdin(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let expected = [format!("cat - {} ", left.display())];
    wait_until("it is seen", Duration::from_secs(10), || {
        (processes_of(home.path()) == expected).then_some(())
    });
    drop(cat.stdin.take());
    cat.wait().unwrap();
    assert_eq!(processes_of(home.path()), Vec::<String>::new());
}
