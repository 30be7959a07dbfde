//! Runs as files: run again to the same hash, and made as small as they can be.

#![cfg(test)]

use proto::Peer;
use service::Output;
use sim::recording::Recording;
use sim::{Mutant, Scenario, Site};

/// A bug that shows when two nodes have left in order: from then on messages bear a wrong sender.
#[derive(Default)]
struct Confused {
    left: u32,
    other: Option<Peer>,
}

impl Mutant for Confused {
    fn node(&mut self, site: &Site<'_>, output: Output) -> Vec<Output> {
        if matches!(output, Output::Left) {
            self.left += 1;
            self.other = Some(site.peer);
        }
        vec![output]
    }

    fn sender(&mut self, site: &Site<'_>) -> Peer {
        self.other.filter(|_| self.left >= 2).unwrap_or(site.peer)
    }
}

#[test]
fn a_run_that_breaks_an_invariant_is_run_again_and_made_smaller() {
    let scenario = Scenario::named("leave").unwrap();
    let (recording, outcome) = Recording::of_with(&scenario, 1, &mut Confused::default());
    let violation = outcome.unwrap_err();
    assert_eq!(recording.end.broken.as_deref(), Some("channel"));
    assert_eq!((recording.end.events, recording.end.time), (violation.event, violation.time));

    let read: Recording = recording.to_string().parse().unwrap();
    let (end, _) = read.replay_with(&mut Confused::default()).unwrap();
    assert_eq!(end, recording.end);

    let mut sizes = Vec::new();
    let small =
        read.shrink(&mut || Box::new(Confused::default()), &mut |found| sizes.push(found.faults.len()));
    let small = small.unwrap().unwrap();
    let found = &small.recording;
    assert_eq!((found.faults.len(), found.end.broken.as_deref()), (2, Some("channel")), "{found}");
    assert!(found.sub_tasks < 30 && found.end.events < recording.end.events, "{found}");
    assert!(small.runs < 60 && sizes.is_sorted_by(|one, next| one >= next), "{sizes:?}");
    let (again, _) = found.replay_with(&mut Confused::default()).unwrap();
    assert_eq!(again, found.end);
    // One fault less, and nothing is broken.
    for left_out in &found.faults {
        let faults = found.faults.iter().copied().filter(|fault| fault != left_out).collect();
        let fewer = Recording { faults, ..found.clone() };
        let (end, _) = fewer.replay_with(&mut Confused::default()).unwrap();
        assert_ne!(end.broken.as_deref(), Some("channel"), "{fewer}");
    }
}

#[test]
fn a_run_in_which_all_holds_is_run_again_and_cannot_be_made_smaller() {
    let scenario = Scenario::named("calm").unwrap();
    let (recording, outcome) = Recording::of(&scenario, 3);
    let report = outcome.unwrap();
    let (end, _) = recording.replay().unwrap();
    assert_eq!((&end, end.hash, end.events), (&recording.end, report.trace, report.events));
    assert_eq!(recording.shrink(&mut || Box::new(sim::Honest), &mut |_| {}).unwrap(), None);
}
