//! The experiments that ship: each is read, and runs at its reduced size.

use sim::experiment::{Experiment, Options, Registry, judge, run};
use std::collections::BTreeSet;
use std::ops::ControlFlow;

#[test]
fn every_experiment_that_ships_is_valid_and_says_what_it_expects() {
    let registry = Registry::standard();
    let mut names = BTreeSet::new();
    for shipped in registry.shipped() {
        let experiment = Experiment::parse(shipped.text, &registry)
            .unwrap_or_else(|faults| panic!("{}: {faults:?}", shipped.file));
        assert!(!experiment.hypothesis.is_empty() && !experiment.expected.is_empty(), "{}", shipped.file);
        assert!(!experiment.claims.is_empty(), "{} claims nothing", shipped.file);
        assert!(names.insert(experiment.name.clone()) && names.insert(experiment.title), "{}", shipped.file);
        // `e7b` is in `e07b-….toml`.
        let number = experiment.name.trim_start_matches('e');
        let digits = number.trim_end_matches(char::is_alphabetic);
        let begin = format!("e{digits:0>2}{}-", number.trim_start_matches(digits));
        assert!(shipped.file.starts_with(&begin), "{} is in {}", experiment.name, shipped.file);
    }
}

#[test]
fn every_experiment_that_ships_runs_at_its_reduced_size() {
    let registry = Registry::standard();
    for shipped in registry.shipped() {
        let mut experiment = Experiment::parse(shipped.text, &registry).unwrap();
        assert!(experiment.quicken(&registry).unwrap(), "{} has no [quick]", shipped.file);
        let results = run(&experiment, &registry, Options::default(), &mut |_| ControlFlow::Continue(()));
        let results = results.unwrap_or_else(|error| panic!("{}: {error}", shipped.file));
        assert_eq!(judge(&experiment.claims, &results).len(), experiment.claims.len());
    }
}

#[test]
fn every_model_declares_what_its_tables_can_hold() {
    for model in Registry::standard().models() {
        let parameters = model.parameters();
        let keys: BTreeSet<&str> = parameters.iter().map(|parameter| parameter.key).collect();
        assert_eq!(keys.len(), parameters.len(), "{}: a key twice", model.name());
        for parameter in &parameters {
            assert_eq!(
                parameter.accept(parameter.default.value()),
                Ok(parameter.default.value()),
                "{}",
                parameter.key
            );
            let table = parameter.key.split('.').next();
            let tables = ["network", "churn", "population", "strategies", "rule", "work"];
            assert!(tables.contains(&table.unwrap()) && parameter.key.contains('.'), "{}", parameter.key);
        }
        for metric in model.metrics() {
            assert!(metric.name.ends_with(&format!("_{}", metric.unit)), "{}: {}", model.name(), metric.name);
        }
    }
}

#[test]
fn the_file_of_the_documentation_is_valid() {
    let page = include_str!("../../../../docs/sim.md");
    let files: Vec<&str> =
        page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(files.len(), 1);
    let experiment =
        Experiment::parse(files[0], &Registry::standard()).unwrap_or_else(|faults| panic!("{faults:?}"));
    assert_eq!(experiment.sweep.count(), Ok(6));
}
