//! One seed gives one trace: twice in one process, and in two processes.

use sim::{Report, Scenario, run};
use std::process::Command;

/// Set for the process that is only to print its trace.
const ONLY_PRINT: &str = "SIM_PRINT_TRACE";

fn report(name: &str, seed: u64) -> Report {
    run(&Scenario::named(name).unwrap(), seed).unwrap_or_else(|violation| panic!("{violation}"))
}

#[test]
fn the_same_seed_gives_the_same_report_and_another_seed_another() {
    let first = report("restart", 1);
    assert_eq!(first, report("restart", 1));
    assert_ne!(first.trace, report("restart", 2).trace);
}

#[test]
fn two_processes_see_the_same_trace() {
    let trace = report("storm", 5).trace.to_hex();
    if std::env::var_os(ONLY_PRINT).is_some() {
        println!("\ntrace {trace}");
        return;
    }
    let mut child = Command::new(std::env::current_exe().unwrap());
    let output = child
        .args(["determinism::two_processes_see_the_same_trace", "--exact", "--nocapture"])
        .env(ONLY_PRINT, "1")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let printed: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("trace ")).collect();
    assert_eq!(printed, [trace], "{text}");
}
