//! How experiments are run.

use super::models::registry;
use super::reading::parse;
use sim::experiment::{Experiment, LabError, Options, Progress, Results, open, run, trace};
use std::num::NonZeroUsize;
use std::ops::ControlFlow;

pub(crate) fn ran(experiment: &Experiment) -> Result<Results, LabError> {
    run(experiment, &registry(), Options::default(), &mut |_| ControlFlow::Continue(()))
}

fn threads(number: usize) -> Options {
    Options { threads: NonZeroUsize::new(number), ..Options::default() }
}

const SWEEP: &str = "repetitions = 4\n[work]\nnoise = 1\n[sweep]\nwork.x = { from = 1, to = 9, step = 1 }\n";

#[test]
fn any_number_of_threads_gives_the_same_results() {
    let experiment = parse(SWEEP).unwrap();
    let with =
        |number| run(&experiment, &registry(), threads(number), &mut |_| ControlFlow::Continue(())).unwrap();
    let one = with(1);
    assert_eq!((one.points.len(), one.runs()), (9, 36));
    for number in [2, 3, 16] {
        assert_eq!(with(number), one, "{number} threads");
    }
}

#[test]
fn adding_points_and_repetitions_changes_no_other_result() {
    let of = |body: &str| ran(&parse(body).unwrap()).unwrap();
    let few = of("repetitions = 2\n[work]\nnoise = 1\n[sweep]\nwork.x = [2, 5]\n");
    let many = of("repetitions = 3\n[work]\nnoise = 1\n[sweep]\nwork.x = [5, 1, 2]\nrule.slope = [2, 3]\n");
    for point in &few.points {
        // A slope of 2 is the default.
        let same = many.points.iter().find(|other| {
            many.value(other, "work.x") == few.value(point, "work.x")
                && many.value(other, "rule.slope").and_then(|slope| slope.number()) == Some(2.0)
        });
        let same = same.unwrap();
        for (run, other) in point.runs.iter().zip(&same.runs) {
            assert_eq!((run.seed, &run.values, run.trace), (other.seed, &other.values, other.trace));
        }
        assert_eq!((point.runs.len(), same.runs.len()), (2, 3));
    }
    let seeds: std::collections::BTreeSet<u64> =
        many.points.iter().flat_map(|point| point.runs.iter().map(|run| run.seed)).collect();
    assert_eq!(seeds.len(), 18, "no two runs share their randomness");
}

#[test]
fn another_seed_gives_another_trace_and_the_same_one_the_same() {
    let mut experiment = parse(SWEEP).unwrap();
    let first = trace(&ran(&experiment).unwrap());
    assert_eq!(first, trace(&ran(&experiment).unwrap()));
    experiment.seed = 2;
    assert_ne!(first, trace(&ran(&experiment).unwrap()));
}

#[test]
fn a_point_is_run_until_its_mean_is_known_well_enough() {
    let rule = "[stop]\nmetric = \"y_credits\"\nrelative_half_width = 0.05\nat_most = 60\n";
    let body = format!("repetitions = 5\n[work]\nx = 1\n{rule}[sweep]\nwork.noise = [0, 0.5, 2]\n");
    let results = ran(&parse(&body).unwrap()).unwrap();
    let runs: Vec<usize> = results.points.iter().map(|point| point.runs.len()).collect();
    // Without noise five are enough; with noise as large as the mean, sixty are not.
    assert_eq!((runs[0], runs[2]), (5, 60));
    assert!(runs[1] > 5 && runs[1] < 60, "{runs:?}");
    let middle = results.points[1].cell(0).unwrap();
    assert!(middle.half_width.unwrap() <= 0.05 * middle.mean);
    let before = sim::experiment::Interval::of(&results.points[1].sample(0)[..runs[1] - 5]).unwrap();
    assert!(before.half_width.unwrap() > 0.05 * before.mean, "it did not stop before it had to");
}

fn fails(how: &str, expected: &str) {
    let body = format!("[sweep]\nwork.fails = [\"{how}\"]\n");
    assert_eq!(ran(&parse(&body).unwrap()).unwrap_err().to_string(), expected);
}

#[test]
fn a_run_without_figures_is_an_error_that_names_what_is_missing() {
    let at = |how: &str, what: &str| format!("run 0 of the point work.fails = \"{how}\": {what}");
    fails("no_trade", &at("no_trade", "no trade took place"));
    fails("unwritten", &at("unwritten", "the metric `closed_y_credits` was never written"));
    fails("not_finite", &at("not_finite", "the metric `y_credits` is not a finite number"));
    fails("empty", "the metric `closed_y_credits` has a value in no run");
    // Nobody asks for it: then it need not be written.
    let experiment = parse("metrics = [\"y_credits\"]\n[work]\nfails = \"unwritten\"\n").unwrap();
    assert_eq!(ran(&experiment).unwrap().metrics.len(), 1);
}

/// Runs into `directory`, and stops after `after` runs.
fn stopped(
    experiment: &Experiment,
    directory: &std::path::Path,
    after: u64,
    goes_on: bool,
) -> Result<Results, LabError> {
    let registry = registry();
    let model = experiment.model(&registry).unwrap();
    let (journal, finished) = open(directory, experiment, model, goes_on)?;
    let options = Options { journal: Some(journal), finished, ..threads(2) };
    let stop = &mut |Progress { done, .. }| {
        if done >= after { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    run(experiment, &registry, options, stop)
}

#[test]
fn what_was_interrupted_goes_on_and_comes_to_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let mut experiment = parse(SWEEP).unwrap();
    let whole = ran(&experiment).unwrap();
    let error = stopped(&experiment, directory.path(), 10, false).unwrap_err();
    assert!(matches!(error, LabError::Stopped { done: 10.., all: 36 }), "{error}");
    assert!(matches!(stopped(&experiment, directory.path(), 99, false), Err(LabError::Occupied(_))));
    let mut first = None;
    let registry = registry();
    let (journal, finished) =
        open(directory.path(), &experiment, experiment.model(&registry).unwrap(), true).unwrap();
    let kept = u64::try_from(finished.len()).unwrap();
    assert!(kept >= 10, "{kept}");
    let options = Options { journal: Some(journal), finished, ..threads(2) };
    let resumed = run(&experiment, &registry, options, &mut |progress| {
        first.get_or_insert(progress.done);
        ControlFlow::Continue(())
    });
    // The threads may have finished everything before they were told to stop.
    let expected = (kept < 36).then_some(kept + 1);
    assert_eq!((resumed.unwrap(), first), (whole, expected), "what was finished was not run again");
    // More repetitions can be added; another setting is another experiment.
    experiment.repetitions = 5;
    assert_eq!(stopped(&experiment, directory.path(), 99, true).unwrap().runs(), 45);
    experiment.given.insert("rule.slope".into(), sim::experiment::Value::Integer(9));
    assert!(matches!(stopped(&experiment, directory.path(), 99, true), Err(LabError::Other(_))));
}
