//! Native programs on local networks.

use super::harness::run;
use super::known::{check_money, local, result};
use serde_json::Value;
use std::fs;
use tempfile::tempdir;

#[test]
fn the_primes_of_the_example_are_all_there() {
    let home = tempdir().unwrap();
    let finished = local("examples/native/tasks.xml", &["--json"], home.path());
    assert_eq!(finished.code, 0, "{finished:?}");
    let shown: Value = serde_json::from_str(&finished.stdout).unwrap();
    check_money(&shown);
    let count = |first: u64| -> u64 {
        let text = result(home.path(), &format!("results/from-{first}.txt"));
        text.split_whitespace().last().and_then(|word| word.parse().ok()).unwrap()
    };
    let counts: Vec<u64> = (0..8).map(|part| count(part * 12_500_000)).collect();
    // The primes below 100,000,000: OEIS A006880.
    assert_eq!(counts.iter().sum::<u64>(), 5_761_455, "{counts:?}");
}

/// Runs a shell script as a sub-task that has to leave `out`; gives its reason code and why.
fn script(text: &str, more: &str) -> (String, String) {
    let home = tempdir().unwrap();
    fs::write(home.path().join("program"), format!("#!/bin/sh\n{text}\n")).unwrap();
    let file = home.path().join("task.xml");
    let elements = "<CpuCycles>1</CpuCycles><Price>5</Price><File>program</File>\
        <OutputFiles><OutputFile>out</OutputFile></OutputFiles><Retry max=\"0\"/>";
    fs::write(&file, format!("<TaskFile><SubTask>{elements}{more}</SubTask></TaskFile>")).unwrap();
    let finished = local(file.to_str().unwrap(), &["--json"], home.path());
    let shown: Value = serde_json::from_str(&finished.stdout).unwrap();
    check_money(&shown);
    let one = &shown["task"]["sub_tasks"][0];
    (one["reason_code"].as_str().unwrap_or_default().into(), one["why"].as_str().unwrap_or_default().into())
}

#[test]
fn a_script_is_told_by_its_first_bytes_and_fails_by_its_own_reasons() {
    for (text, more, code, why) in [
        ("id -un > out", "", "succeeded", ""),
        ("ln -s /etc/passwd out", "", "output_missing", "`out`"),
        ("exit 3", "", "exited", "status 3"),
        ("kill -SEGV $$", "", "trapped", "SIGSEGV"),
        ("sleep 1000", "<Limits><WallTime>1s</WallTime></Limits>", "wall_limit", "1.00 s"),
    ] {
        let (got, said) = script(text, more);
        assert_eq!(got, code, "{text}: {said}");
        assert!(said.contains(why), "{text}: {said}");
    }
}

#[test]
fn doctor_tells_every_wall_and_whether_they_are_enough() {
    let home = tempdir().unwrap();
    let told = run(&["doctor", "--json"], home.path());
    let doctor: Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!(doctor["schema"], "compup2p/doctor/v1", "{doctor}");
    let layers = doctor["layers"].as_array().unwrap();
    let names: Vec<&str> = layers.iter().filter_map(|layer| layer["name"].as_str()).collect();
    assert_eq!(
        names,
        ["own-user", "namespaces", "rooms", "bubblewrap", "landlock", "seccomp", "limits", "cgroups"]
    );
    for layer in layers {
        // Whatever is missing is explained.
        assert_eq!(layer["active"].as_bool(), Some(layer["missing"].is_null()), "{layer}");
    }
    let is_enough = layers.iter().all(|layer| layer["active"] == true || layer["required"] == false);
    assert_eq!((doctor["ready"].as_bool(), told.code), (Some(is_enough), i32::from(!is_enough)), "{doctor}");
    let shown = run(&["doctor"], home.path());
    assert!(names.iter().all(|name| shown.stdout.contains(name)), "{shown:?}");
}
