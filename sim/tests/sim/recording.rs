//! Runs as files: run again to the same hash, and made as small as they can be.

use proto::message::Message;
use proto::message::market::MarketMessage;
use proto::{Peer, Span};
use service::Output;
use sim::experiment::{
    Experiment, LabError, Metric, Model, Options, Outcome, Parameter, Registry, RunError, Setting,
    keep_broken, run, single,
};
use sim::model::WholeNodes;
use sim::recording::{Recording, Subject};
use sim::{Honest, Mutant, Site};
use std::ops::ControlFlow;

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

/// A bug that shows when a seller's clock is a second ahead of the first one's, by when its listing ends: from then on
/// messages bear a wrong sender.
#[derive(Default)]
struct Hasty {
    first: Option<Span>,
    other: Option<Peer>,
}

impl Mutant for Hasty {
    fn node(&mut self, site: &Site<'_>, output: Output) -> Vec<Output> {
        if let Output::Send { message: Message::Market(MarketMessage::List(list)), .. } = &output {
            let left = list.listing.body.expires.since(site.now);
            if left > self.first.get_or_insert(left).plus(Span::secs(1)) {
                self.other = Some(site.peer);
            }
        }
        vec![output]
    }

    fn sender(&mut self, site: &Site<'_>) -> Peer {
        self.other.unwrap_or(site.peer)
    }
}

/// Complete nodes with that bug.
struct HastyNodes;

impl Model for HastyNodes {
    fn name(&self) -> &'static str {
        "hasty"
    }

    fn about(&self) -> &'static str {
        "Complete nodes that mistake themselves for others."
    }

    fn parameters(&self) -> Vec<Parameter> {
        WholeNodes.parameters()
    }

    fn metrics(&self) -> &'static [Metric] {
        WholeNodes.metrics()
    }

    fn run(&self, setting: &Setting, seed: u64) -> Result<Outcome, RunError> {
        WholeNodes.run_with(setting, seed, &mut || Box::new(Hasty::default()))
    }
}

/// Makes a run that breaks `channel` smaller, down to so many faults and `sub_tasks`.
fn shrink<M: Mutant + Default + 'static>(
    recording: &Recording,
    faults: usize,
    sub_tasks: usize,
) -> Recording {
    assert_eq!(recording.end.broken.as_deref(), Some("channel"));
    let read: Recording = recording.to_string().parse().unwrap();
    let (end, _) = read.replay_with(&mut M::default()).unwrap();
    assert_eq!((&read, &end), (recording, &recording.end));

    let mut sizes = Vec::new();
    let small = read.shrink(&mut || Box::new(M::default()), &mut |found| sizes.push(found.faults.len()));
    let small = small.unwrap().unwrap();
    let found = small.recording;
    assert_eq!((found.faults.len(), found.end.broken.as_deref()), (faults, Some("channel")), "{found}");
    assert_eq!(found.sub_tasks, sub_tasks, "{found}");
    assert!(small.runs < 60 && sizes.is_sorted_by(|one, next| one >= next), "{sizes:?}");
    let (again, _) = found.replay_with(&mut M::default()).unwrap();
    assert_eq!(again, found.end);
    // One fault less, and nothing is broken.
    for left_out in &found.faults {
        let faults = found.faults.iter().copied().filter(|fault| fault != left_out).collect();
        let fewer = Recording { faults, ..found.clone() };
        let (end, _) = fewer.replay_with(&mut M::default()).unwrap();
        assert_ne!(end.broken.as_deref(), Some("channel"), "{fewer}");
    }
    found
}

#[test]
fn a_run_that_breaks_an_invariant_is_run_again_and_made_smaller() {
    let leave = Subject::Scenario("leave".into());
    let (recording, outcome) = Recording::of_with(leave, 1, &mut Confused::default()).unwrap();
    let violation = outcome.unwrap_err();
    assert_eq!((recording.end.events, recording.end.time), (violation.event, violation.time));
    let found = shrink::<Confused>(&recording, 2, 1);
    assert!(found.end.events < recording.end.events, "{found}");
}

#[test]
fn a_run_of_an_experiment_that_breaks_an_invariant_is_kept_and_made_smaller() {
    let text = "name = \"b\"\nmodel = \"hasty\"\n[population]\nsellers = 4\n[work]\nsub_tasks = 6\n\
        [network]\nloss_pct = 1\nheld_back_pct = 5\nheld_back_ms = 40\nclock_drift_ppm = 100\n\
        [sweep]\nnetwork = { wrong_clocks_pct = [0, 100], wrong_clocks_s = [0, 4] }\n";
    let text = text.replace("[sweep]\n", "[sweep]\ncombine = \"zip\"\n");
    let registry = Registry::standard().with(HastyNodes);
    let experiment = Experiment::parse(&text, &registry).unwrap();
    let error = run(&experiment, &registry, Options::default(), &mut |_| ControlFlow::Continue(()));
    let error = error.unwrap_err();
    let LabError::Run { error: RunError::Recorded(kept), .. } = &error else { panic!("{error}") };
    let (violation, recording) = kept.as_ref();
    assert_eq!((recording.seed, recording.end.events), (violation.seed, violation.event));

    let directory = tempfile::tempdir().unwrap();
    let kept = keep_broken(directory.path(), error.recording().unwrap()).unwrap();
    assert_eq!(std::fs::read_to_string(kept).unwrap(), recording.to_string());
    let found = shrink::<Hasty>(recording, 1, 1);
    let smallest = "nodes network.wrong_clocks_pct=100.0 network.wrong_clocks_s=4.0 population.sellers=4 work.sub_tasks=1";
    assert_eq!(found.reduced().to_string(), smallest);
}

#[test]
fn one_run_of_an_experiment_is_recorded_as_it_was_run() {
    let registry = Registry::standard();
    let text = "name = \"n\"\nmodel = \"nodes\"\nrepetitions = 2\n[work]\nsub_tasks = 2\n\
        [network]\nloss_pct = 2\n[sweep]\npopulation.sellers = [3, 4]\n";
    let mut experiment = Experiment::parse(text, &registry).unwrap();
    let model = experiment.model(&registry).unwrap();
    let several = single(&experiment, model, 1).map(|_| ()).map_err(|error| error.to_string());
    let expected = "`population.sellers`: expected one value, and not a sweep of 2 points";
    assert_eq!(several, Err(expected.into()));

    experiment.set(&registry, "population.sellers", "4").unwrap();
    let results =
        run(&experiment, &registry, Options::default(), &mut |_| ControlFlow::Continue(())).unwrap();
    let (setting, seed) = single(&experiment, model, 1).unwrap();
    let (recording, _) = Recording::of(model.subject(&setting).unwrap(), seed).unwrap();
    let second = &results.points[0].runs[1];
    assert_eq!((recording.seed, recording.end.hash.0), (second.seed, second.trace));
    assert_eq!((recording.faults.as_slice(), recording.sub_tasks), ([0].as_slice(), 2));
    let pool = registry.model("pool").unwrap();
    assert_eq!(pool.subject(&Setting::new::<&str>(pool, []).unwrap()), None);
}

#[test]
fn a_run_in_which_all_holds_is_run_again_and_cannot_be_made_smaller() {
    let (recording, outcome) = Recording::of(Subject::Scenario("calm".into()), 3).unwrap();
    let report = outcome.unwrap();
    let (end, _) = recording.replay().unwrap();
    assert_eq!((&end, end.hash, end.events), (&recording.end, report.trace, report.events));
    assert_eq!(recording.shrink(&mut || Box::new(Honest), &mut |_| {}).unwrap(), None);
}
