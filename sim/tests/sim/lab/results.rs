//! What the figures say of the claims.

use super::reading::parse;
use super::running::ran;
use sim::experiment::{Verdict, judge, overall};

/// The verdict on `claim` for y = 2 x at x = 1, 2, 3, with noise of up to `noise` in eight repetitions.
fn check(noise: f64, claim: &str, expected: Verdict) {
    let body = format!(
        "repetitions = 8\n[work]\nnoise = {noise:?}\n[sweep]\nwork.x = [1, 2, 3]\n[[claim]]\nmetric = \"y_credits\"\n{claim}\n"
    );
    let experiment = parse(&body).unwrap();
    let judged = judge(&experiment.claims, &ran(&experiment).unwrap());
    assert_eq!(overall(&judged), Some(expected), "{noise} {claim}: {judged:?}");
}

#[test]
fn exact_figures_agree_with_a_claim_or_contradict_it() {
    use Verdict::{Contradicts, Supports, Undecided};
    check(0.0, "equals = \"closed_y_credits\"", Supports);
    check(0.0, "equals = 2\nwhere = { work.x = 1 }", Supports);
    check(0.0, "equals = 2\nwhere = { work.x = [1, 2] }", Contradicts);
    check(0.0, "equals = 4\ntolerance = 2", Supports);
    check(0.0, "equals = 4\ntolerance = 1.9", Contradicts);
    check(0.0, "equals = 4\ntolerance_pct = 50", Supports);
    check(0.0, "equals = 4\ntolerance_pct = 49", Contradicts);
    check(0.0, "at_most = 6", Supports);
    check(0.0, "at_most = 5.9", Contradicts);
    check(0.0, "at_least = 2", Supports);
    check(0.0, "at_least = 2.1", Contradicts);
    check(0.0, "at_most = \"closed_y_credits\"", Supports);
    check(0.0, "rises_with = \"work.x\"", Supports);
    check(0.0, "falls_with = \"work.x\"", Contradicts);
    check(0.0, "equals = 2\nwhere = { work.x = 7 }", Undecided);
}

#[test]
fn noisy_figures_decide_where_their_interval_does() {
    use Verdict::{Contradicts, Supports, Undecided};
    check(0.01, "equals = \"closed_y_credits\"", Supports);
    check(0.01, "equals = 2", Contradicts);
    // An interval as wide as the figure supports no equality, although it contains it.
    check(5.0, "equals = \"closed_y_credits\"", Undecided);
    check(0.1, "rises_with = \"work.x\"", Supports);
    check(5.0, "rises_with = \"work.x\"", Undecided);
    check(0.1, "at_most = 8", Supports);
    check(5.0, "at_most = 6", Undecided);
}

#[test]
fn a_single_run_decides_nothing() {
    let body = "[[claim]]\nmetric = \"y_credits\"\nequals = 2\n";
    let experiment = parse(body).unwrap();
    let judged = judge(&experiment.claims, &ran(&experiment).unwrap());
    assert_eq!(overall(&judged), Some(Verdict::Undecided));
    assert_eq!(overall(&[]), None);
}

#[test]
fn a_line_that_is_flat_does_not_rise() {
    let body = "repetitions = 2\n[rule]\nslope = 0\n[sweep]\nwork.x = [1, 2]\n[[claim]]\nmetric = \"y_credits\"\n\
        rises_with = \"work.x\"\n[[claim]]\nmetric = \"y_credits\"\nrises_with = \"work.x\"\ntolerance = 0.1\n";
    let experiment = parse(body).unwrap();
    let judged = judge(&experiment.claims, &ran(&experiment).unwrap());
    let verdicts: Vec<Verdict> = judged.iter().map(|judged| judged.verdict).collect();
    assert_eq!(verdicts, [Verdict::Contradicts, Verdict::Supports]);
    assert_eq!(judged[0].claim, "y_credits rises with work.x");
    assert_eq!(judged[1].claim, "y_credits rises with work.x ± 0.1");
}

#[test]
fn a_true_claim_is_contradicted_about_as_rarely_as_promised() {
    // Draws have the mean that their closed form says. Two hundred experiments of five points: 5 % of 200 are 10; more than
    // 20 have a probability below 0.2 %.
    let text = "name = \"t\"\nmodel = \"draws\"\nrepetitions = 6\n[sweep]\nwork.draws = [1, 2, 3, 4, 5]\n\
        [[claim]]\nmetric = \"mean_ratio\"\nequals = \"closed_mean_ratio\"\n";
    let registry = super::models::registry();
    let mut experiment = sim::experiment::Experiment::parse(text, &registry).unwrap();
    let mut contradicted = 0;
    for seed in 0..200 {
        experiment.seed = seed;
        let judged = judge(&experiment.claims, &ran(&experiment).unwrap());
        contradicted += u32::from(overall(&judged) == Some(Verdict::Contradicts));
    }
    assert!((1..=20).contains(&contradicted), "{contradicted} of 200");
}
