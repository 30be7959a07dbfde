//! Contracts before the bank, with liars on every side: each case comes out as it says, whatever the seed.

#![cfg(test)]

use proto::message::bank::How;
use sim::court::{Case, Outcome, run};

fn find(name: &str) -> Case {
    Case::named(name).unwrap_or_else(|| panic!("there is no case {name}"))
}

fn tried(case: &Case, seed: u64) -> Outcome {
    run(case, seed).unwrap_or_else(|violation| panic!("{}: {violation}", case.name))
}

/// Tries a case with three seeds; all its contracts have to end, each in one of these ways.
fn check(name: &str, ends: &[How]) {
    let case = find(name);
    for seed in 1..=3 {
        let outcome = tried(&case, seed);
        let count: u32 = outcome.ends.values().sum();
        assert_eq!(usize::try_from(count).unwrap(), case.deals.len(), "{outcome}");
        let others: Vec<&How> = outcome.ends.keys().filter(|how| !ends.contains(how)).collect();
        assert!(others.is_empty(), "{others:?}: {outcome}");
    }
}

#[test]
fn who_follows_the_protocol_is_paid_by_the_ticket() {
    check("fair", &[How::Settled]);
    check("bond", &[How::Settled]);
    check("handed_over", &[How::Settled]);
    check("declined", &[How::Released]);
    check("failed", &[How::Released]);
}

#[test]
fn all_cases() {
    let mut failed = Vec::new();
    for case in Case::all() {
        for seed in 1..=3 {
            match run(&case, seed) {
                Ok(outcome) => eprintln!("{outcome}"),
                Err(violation) => {
                    failed.push(format!("{} {} {}: {}", case.name, seed, violation.invariant, violation.what))
                }
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
