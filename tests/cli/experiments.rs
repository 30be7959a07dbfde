//! Experiments on the command line.

use super::harness::run;
use std::fs;
use tempfile::tempdir;

#[test]
fn an_experiment_is_run_kept_gone_on_with_and_compared() {
    let home = tempdir().unwrap();
    let [first, second] = ["first", "second"].map(|name| home.path().join(name).to_str().unwrap().to_owned());
    let small = ["sim", "run", "e0", "--quick", "--json"];
    let finished = run(&[&small[..], &["--out", &first, "--plot", "mean_ratio.svg"]].concat(), home.path());
    assert_eq!(finished.code, 0, "{finished:?}");
    let result = finished.json();
    assert_eq!((&result["name"], &result["points"], &result["runs"]), (&"e0".into(), &2.into(), &6.into()));
    assert_eq!(result["files"].as_array().unwrap().len(), 8);
    let again = run(&[&small[..], &["--out", &first]].concat(), home.path());
    assert_eq!((again.code, again.json()["error"]["code"].as_str()), (2, Some("has_results")), "{again:?}");
    let resumed = run(&[&small[..], &["--out", &first, "--resume"]].concat(), home.path());
    assert_eq!(resumed.json()["trace"], result["trace"], "{resumed:?}");
    let other = run(&[&small[..], &["--out", &second, "--threads", "1"]].concat(), home.path());
    assert_eq!(other.json()["trace"], result["trace"], "{other:?}");
    for name in ["runs.csv", "runs.parquet", "summary.csv", "summary.parquet", "result.json", "report.html"] {
        let read = |directory: &str| fs::read(format!("{directory}/{name}")).unwrap();
        assert_eq!(read(&first), read(&second), "{name}");
    }
    let same = run(&["sim", "compare", &first, &second, "--json"], home.path());
    assert_eq!((same.code, same.json()["significant"].as_u64()), (0, Some(0)), "{same:?}");
    let third = home.path().join("third").to_str().unwrap().to_owned();
    run(&[&small[..], &["--set", "work.most=3", "--out", &third]].concat(), home.path());
    let differs = run(&["sim", "compare", &first, &third], home.path());
    assert_eq!(differs.code, 1, "{differs:?}");
}

#[test]
fn what_can_be_run_is_listed_and_shown() {
    let home = tempdir().unwrap();
    let list = run(&["sim", "list", "--json"], home.path()).json();
    let of = |key: &str, name: &str| {
        let found = list[key].as_array().unwrap().iter().find(|entry| entry["name"] == name).cloned();
        found.unwrap_or_else(|| panic!("{name} is not in {list}"))
    };
    assert!(!of("experiments", "e0")["hypothesis"].as_str().unwrap().is_empty());
    assert!(!of("experiments", "e0")["expected"].as_str().unwrap().is_empty());
    assert!(!of("scenarios", "calm")["about"].as_str().unwrap().is_empty());
    // What is shown is a file that can be run.
    let shown = run(&["sim", "show", "e0"], home.path());
    fs::write(home.path().join("mine.toml"), &shown.stdout).unwrap();
    let file = home.path().join("mine.toml").to_str().unwrap().to_owned();
    let finished = run(&["sim", "run", &file, "--quick", "--json"], home.path());
    assert_eq!((finished.code, &finished.json()["name"]), (0, &"e0".into()), "{finished:?}");
    let model = run(&["sim", "model", "show", "draws", "--json"], home.path());
    assert_eq!(model.json()["parameters"][0]["key"], "work.draws", "{model:?}");
}

#[test]
fn what_is_wrong_with_an_experiment_is_said_before_anything_starts() {
    let home = tempdir().unwrap();
    let path = home.path().join("mine.toml");
    fs::write(&path, "name = \"mine\"\nmodel = \"draws\"\n[work]\ndraw = 5\n").unwrap();
    let file = path.to_str().unwrap();
    let faulty = run(&["sim", "run", file], home.path());
    let expected = format!("{file}:4:1: `work.draw`: there is no such key; the nearest is `work.draws`\n");
    assert_eq!((faulty.code, faulty.stderr.as_str()), (2, expected.as_str()));
    for (words, code) in [
        (["sim", "run", "e0", "--set", "work.draws=0"], "setting"),
        (["sim", "run", "calm", "--reps", "3"], "usage"),
        (["sim", "run", "none", "--seed", "3"], "no_scenario"),
    ] {
        let refused = run(&[&words[..], &["--json"]].concat(), home.path());
        assert_eq!((refused.code, refused.json()["error"]["code"].as_str()), (2, Some(code)), "{refused:?}");
    }
}

#[test]
fn a_run_of_an_experiment_of_complete_nodes_is_kept_as_a_file_and_run_again() {
    let home = tempdir().unwrap();
    let trace = home.path().join("e12.trace").to_str().unwrap().to_owned();
    let one =
        ["--set", "work.sub_tasks=1", "--set", "work.work_gc=1", "--set", "population.fastest_mc_s=1000"];
    let record =
        [&["sim", "record", "e12"], &one[..], &["--repetition", "1", "--out", &trace, "--json"]].concat();
    let recorded = run(&record, home.path());
    let setting = "nodes population.fastest_mc_s=1000.0 work.sub_tasks=1 work.work_gc=1.0";
    assert_eq!((recorded.code, &recorded.json()["setting"]), (0, &setting.into()), "{recorded:?}");
    let again = run(&["sim", "replay", &trace, "--json"], home.path());
    assert_eq!((again.code, &again.json()["hash"]), (0, &recorded.json()["hash"]), "{again:?}");
    let small = home.path().join("small.trace").to_str().unwrap().to_owned();
    for (words, code, error) in [
        (vec!["shrink", &trace, "--out", &small], 1, "nothing_broken"),
        (vec!["record", "e12", "--out", &small], 2, "setting"),
        (vec!["record", "e0", "--set", "work.draws=10", "--out", &small], 2, "not_recorded"),
        (vec!["record", "outage", "--out", &small], 2, "not_recorded"),
        (vec!["record", "none", "--out", &small], 2, "no_scenario"),
        (vec!["record", "calm", "--repetition", "1", "--out", &small], 2, "usage"),
    ] {
        let refused = run(&[&["sim"], &words[..], &["--json"]].concat(), home.path());
        assert_eq!(
            (refused.code, refused.json()["error"]["code"].as_str()),
            (code, Some(error)),
            "{refused:?}"
        );
        assert!(!home.path().join("small.trace").exists(), "{words:?}");
    }
}
