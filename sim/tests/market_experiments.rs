//! The market's experiments at a reduced size: they run, and no claim of theirs is contradicted.

#![cfg(test)]

use sim::experiment::{Experiment, Options, Registry, Verdict, judge, run};
use std::ops::ControlFlow;

#[test]
fn no_claim_of_a_market_experiment_is_contradicted_at_its_quick_size() {
    let registry = Registry::standard();
    let of_the_market = ["e1", "e2", "e3", "e4", "e5", "e6", "e7", "e7b", "e11", "e11b", "e13"];
    for shipped in registry.shipped() {
        let mut experiment = Experiment::parse(shipped.text, &registry).expect(shipped.file);
        if !of_the_market.contains(&experiment.name.as_str()) {
            continue;
        }
        experiment.quicken(&registry).expect(shipped.file);
        let results = run(&experiment, &registry, Options::default(), &mut |_| ControlFlow::Continue(()));
        for judged in judge(&experiment.claims, &results.expect(shipped.file)) {
            assert!(judged.looked_at > 0, "{}: {}", shipped.file, judged.claim);
            assert_ne!(judged.verdict, Verdict::Contradicts, "{}: {judged:?}", shipped.file);
        }
    }
}
