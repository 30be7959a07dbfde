use super::*;
use crate::experiment::{Model, Outcome, Value};
use std::collections::BTreeSet;

/// A run with these words and numbers; its figures are finite and declared.
pub(super) fn run(model: &dyn Model, given: &[(&str, &str)], seed: u64) -> Outcome {
    let value = |text: &str| match (text.parse::<i64>(), text.parse::<f64>(), text.parse::<bool>()) {
        (Ok(whole), ..) => Value::Integer(whole),
        (_, Ok(real), _) => Value::Real(real),
        (_, _, Ok(flag)) => Value::Flag(flag),
        _ => Value::Text(text.into()),
    };
    let setting = Setting::new(model, given.iter().map(|(key, text)| (*key, value(text)))).expect("it fits");
    let outcome = model.run(&setting, seed).unwrap_or_else(|fault| panic!("{given:?}: {fault}"));
    let names: Vec<&str> = model.metrics().iter().map(|metric| metric.name).collect();
    outcome.check(model.metrics(), &names).unwrap_or_else(|fault| panic!("{given:?}: {fault}"));
    outcome
}

/// A metric that means something.
pub(super) fn value(outcome: &Outcome, metric: &str) -> f64 {
    outcome.value(metric).unwrap_or_else(|| panic!("no {metric}: {outcome:?}"))
}

/// A metric is its closed form.
pub(super) fn closed_near(outcome: &Outcome, metric: &str, tolerance: f64) {
    let (found, closed) = (value(outcome, metric), value(outcome, &format!("closed_{metric}")));
    assert!((found - closed).abs() <= tolerance, "{metric}: {found} is not {closed} ± {tolerance}");
}

fn models() -> Vec<Box<dyn Model>> {
    vec![
        Box::new(Auction::standard()),
        Box::new(Sequence::standard()),
        Box::new(PricingGame::standard()),
        Box::new(Tournament::standard()),
        Box::new(Voting::standard()),
        Box::new(Routing::standard()),
        Box::new(Honesty::standard()),
    ]
}

#[test]
fn every_model_writes_all_its_metrics_and_repeats_itself() {
    for model in models() {
        let (one, again, other) = (run(&*model, &[], 1), run(&*model, &[], 1), run(&*model, &[], 2));
        assert_eq!(one, again, "{}", model.name());
        assert_ne!(one.trace(), other.trace(), "{}", model.name());
    }
}

#[test]
fn keys_and_metrics_have_one_meaning_each_and_end_in_their_unit() {
    for model in models() {
        let keys: Vec<&str> = model.parameters().iter().map(|parameter| parameter.key).collect();
        assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), keys.len(), "{}: {keys:?}", model.name());
        let names: Vec<&str> = model.metrics().iter().map(|metric| metric.name).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{}", model.name());
        for metric in model.metrics() {
            assert!(metric.name.ends_with(&format!("_{}", metric.unit)), "{}", metric.name);
        }
    }
}

#[test]
fn the_binomial_distribution_is_that_of_the_tables() {
    assert_eq!([choose(5, 0), choose(5, 2), choose(5, 5)], [1.0, 10.0, 1.0]);
    assert!((binomial(5, 2, 0.25) - 270.0 / 1024.0).abs() < 1e-15);
    let all: f64 = (0..=20).map(|some| binomial(20, some, 0.3)).sum();
    assert!((all - 1.0).abs() < 1e-12);
}
