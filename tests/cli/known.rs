//! Local networks whose results are known.

use super::harness::{Finished, run};
use proto::Money;
use serde_json::Value;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
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

/// Everything that was paid is in the sub-tasks, and the balances of all add up to the same before and after.
#[track_caller]
pub(crate) fn check_money(run: &Value) {
    let task = &run["task"];
    let sub_tasks = task["sub_tasks"].as_array().unwrap();
    let paid: i128 = sub_tasks.iter().map(|one| micro(&one["paid"]) + micro(&one["fee"])).sum();
    assert_eq!(paid, micro(&task["spent"]), "{run:#}");
    let balances = run["balances"].as_array().unwrap();
    let sum = |side: &str| -> i128 { balances.iter().map(|one| micro(&one[side])).sum() };
    assert_eq!(sum("before"), i128::from(Money::credits(1_000).0) * 3, "{run:#}");
    assert_eq!(sum("after") + sum("held"), sum("before"), "{run:#}");
    assert_eq!(balances.iter().map(|one| micro(&one["change"])).sum::<i128>(), 0, "{run:#}");
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
}

#[test]
fn figure_7_of_the_paper_runs_unchanged_and_its_table_has_every_column() {
    let home = tempdir().unwrap();
    let finished = local("examples/figure7/tasks.xml", &[], home.path());
    assert_eq!(finished.code, 0, "{finished:?}");
    assert_eq!(result(home.path(), "joboutput.out"), "3 4 hypotenuse 5 paths 35\n");
    for word in
        ["sub-task", "seller", "asks seen", "price/Gc", "Gc", "time", "verdict", "before", "after", "total"]
    {
        assert!(finished.stdout.contains(word), "`{word}` is not in:\n{}", finished.stdout);
    }
    assert!(finished.stdout.contains("1 of 1 sub-task succeeded"), "{}", finished.stdout);
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
    let first = result(home.path(), "results/seed-1.txt");
    assert!(first.starts_with("seed=1\nn=2000\n"), "{first}");
    assert_eq!(blake3::hash(first.as_bytes()).to_hex().to_string(), EXPECTED_FIRST, "{first}");
}

/// BLAKE3 of the result of seed 1 with 2,000 paths.
const EXPECTED_FIRST: &str = "31394fe926fc159128a711afe12cf10e7b0bf32dea94b913560c8c4517dad5bd";
