//! Short sub-tasks that share contracts: in peace, in a storm, and with a bug in each thing that has to hold.

use proto::message::Message;
use proto::message::service::{NamedBlob, Report as Paper, ServiceMessage, Taken};
use proto::{Cycles, Signed, Span};
use service::{EventKind, Note, Output};
use sim::{Fault, Mutant, Report, Scenario, Sight, Site, Work, run, run_with};
use std::collections::BTreeMap;

/// Runs a scenario and expects that contracts were shared.
fn report(name: &str, seed: u64) -> Report {
    let scenario = Scenario::named(name).unwrap();
    let report = run(&scenario, seed).unwrap_or_else(|violation| panic!("seed {seed}: {violation}"));
    assert!(report.tally.sights.get(&Sight::Shared).is_some_and(|count| *count > 10), "{report}");
    report
}

#[test]
fn short_sub_tasks_share_contracts_and_each_ends_as_its_program_does() {
    for seed in 1..=4 {
        let report = report("series", seed);
        let counts: Vec<_> = report.verdicts.iter().map(|(kind, count)| (*kind, *count)).collect();
        assert_eq!(counts, [("failed", 10), ("succeeded", 390)], "{report}");
        assert_eq!((report.lost_attempts, report.held.0, report.tally.wrong_outputs), (0, 0, 0), "{report}");
    }
}

#[test]
fn what_slow_sellers_have_not_begun_goes_to_who_is_free() {
    let scenario = Scenario::named("series_uneven").unwrap();
    let (mut with_recalls, mut without_any, mut handed_back) = (Span(0), Span(0), 0);
    for seed in 1..=4 {
        let with = report("series_uneven", seed);
        assert_eq!(with.verdicts.get("succeeded"), Some(&300), "{with}");
        handed_back += with.tally.sights.get(&Sight::HandedBack).copied().unwrap_or(0);
        let mut deaf = Nodes(|_: &Site<'_>, output| match output {
            Output::Recall { .. } => Vec::new(),
            other => vec![other],
        });
        let without = run_with(&scenario, seed, &mut deaf).unwrap_or_else(|violation| panic!("{violation}"));
        assert_eq!(without.tally.sights.get(&Sight::HandedBack), None, "{without}");
        with_recalls.0 += with.took.0;
        without_any.0 += without.took.0;
    }
    // Not in each run: a recall that comes too late costs a contract.
    assert!(handed_back > 0 && with_recalls < without_any, "{handed_back} {with_recalls} {without_any}");
}

#[test]
fn in_a_storm_each_ends_once_and_what_was_done_is_paid_once() {
    let mut handed_back = 0;
    for seed in 1..=6 {
        let report = report("series_storm", seed);
        let count = |kind| report.verdicts.get(kind).copied().unwrap_or(0);
        assert_eq!(report.verdicts.values().sum::<u32>(), 600, "{report}");
        assert!(count("succeeded") >= 570, "{report}");
        handed_back += report.tally.sights.get(&Sight::HandedBack).copied().unwrap_or(0);
        assert!(report.tally.crashes == 4 && report.tally.wrong_outputs > 0, "{report}");
    }
    assert!(handed_back > 0);
}

#[test]
fn a_storm_is_the_same_each_time() {
    assert_eq!(report("series_storm", 7).trace, report("series_storm", 7).trace);
}

/// A bug in what nodes want done.
struct Nodes<F>(F);

impl<F: FnMut(&Site<'_>, Output) -> Vec<Output>> Mutant for Nodes<F> {
    fn node(&mut self, site: &Site<'_>, output: Output) -> Vec<Output> {
        (self.0)(site, output)
    }
}

/// Runs `series` with a bug and expects that `invariant` notices it.
fn check(mutant: &mut dyn Mutant, invariant: &str, words: &str) {
    check_in(&Scenario::named("series").unwrap(), mutant, invariant, words);
}

fn check_in(scenario: &Scenario, mutant: &mut dyn Mutant, invariant: &str, words: &str) {
    let violation = run_with(scenario, 1, mutant).expect_err(invariant);
    assert_eq!(violation.invariant, invariant, "{violation}");
    assert!(violation.what.contains(words), "{violation}");
}

/// Sellers that report something else of contracts that sub-tasks share, so that they and their buyers agree on it.
fn reports(change: fn(&mut Paper)) -> impl Mutant {
    let mut truth = BTreeMap::new();
    Nodes(move |site: &Site<'_>, mut output| {
        let Output::Send { message: Message::Service(message), .. } = &mut output else {
            return vec![output];
        };
        match message {
            ServiceMessage::Report(paper) if !paper.body.more.is_empty() => {
                let mut body = paper.body.clone();
                change(&mut body);
                let told = Signed::new(body, site.keys);
                truth.insert(told.hash(), paper.hash());
                **paper = told;
            }
            ServiceMessage::Taken(paper) => {
                let report = truth.get(&paper.body.report).copied().unwrap_or(paper.body.report);
                *paper = Signed::new(Taken { report, ..paper.body }, site.keys);
            }
            _ => {}
        }
        vec![output]
    })
}

#[test]
fn results_that_a_seller_takes_for_those_of_others_are_noticed() {
    let mut mutant = reports(|report| {
        if let Some(first) = report.more.first_mut() {
            std::mem::swap(&mut first.outputs, &mut report.outputs);
        }
    });
    check(&mut mutant, "outputs", "the outputs are");
}

#[test]
fn results_that_a_buyer_takes_for_those_of_others_are_noticed() {
    let mut before: Option<Vec<NamedBlob>> = None;
    let mut mutant = Nodes(move |_: &Site<'_>, mut output| {
        if let Output::Tell(service::Event { kind: EventKind::Ended { end, .. }, .. }) = &mut output {
            let outputs = end.outputs.clone();
            end.outputs = before.replace(outputs).unwrap_or_else(|| end.outputs.clone());
        }
        vec![output]
    });
    check(&mut mutant, "accepted", "and paid was");
}

#[test]
fn a_contract_that_is_paid_whole_though_it_ended_half_way_is_noticed() {
    let mut mutant = reports(|report| {
        report.more.pop();
    });
    check(&mut mutant, "metered", "results take");
}

#[test]
fn a_share_that_is_not_a_sub_tasks_own_is_noticed() {
    let mut mutant = Nodes(|_: &Site<'_>, mut output| {
        if let Output::Tell(service::Event { kind: EventKind::Ended { end, .. }, .. }) = &mut output {
            end.paid.0 += u64::from(end.fee.0 == 0 && end.paid.0 > 0);
        }
        vec![output]
    });
    check(&mut mutant, "paid_as_told", "that it shares, its parts are");
}

#[test]
fn a_run_under_a_contract_that_is_nobodys_is_noticed() {
    let mut mutant = Nodes(|site: &Site<'_>, mut output| {
        if let Output::Send { message: Message::Service(ServiceMessage::Offer(offer)), .. } = &mut output {
            let mut body = offer.body.clone();
            body.job.repeats.extend(body.job.repeats.first().cloned());
            **offer = Signed::new(body, site.keys);
        }
        vec![output]
    });
    check(&mut mutant, "shared", "is for a run that is nobody's");
}

/// The buyer ends when it has written so many notes, and starts again.
fn with_crash(note: u32) -> Scenario {
    let crash = Fault::CrashWriting { host: 0, note, is_kept: true };
    let calm = Scenario::named("series").unwrap();
    Scenario {
        sub_tasks: 60,
        faults: vec![crash.at(Span(0))],
        limit: Span::secs(300),
        rest_within: Span::secs(900),
        ..calm
    }
}

#[test]
fn a_buyer_that_ends_with_any_of_its_notes_gets_the_results_of_shared_contracts_once() {
    let whole = Scenario { faults: Vec::new(), ..with_crash(0) };
    let notes = run(&whole, 1).unwrap_or_else(|violation| panic!("{violation}")).tally.notes[0];
    assert!(notes > 60, "{notes}");
    for note in (1..=notes).step_by(5) {
        let report = run(&with_crash(note), 1).unwrap_or_else(|violation| panic!("note {note}: {violation}"));
        assert_eq!(report.tally.crashes, 1, "note {note}: {report}");
        assert_eq!(report.verdicts.get("succeeded"), Some(&59), "note {note}: {report}");
    }
}

#[test]
fn sub_tasks_that_a_buyer_forgets_to_have_ended_with_their_contract_are_noticed_when_it_pays_twice() {
    /// Its notes have the end of the first sub-task of a contract only. How many it has written, and which is the first
    /// that forgets something.
    #[derive(Default)]
    struct Forgets(u32, Option<u32>);
    impl Mutant for Forgets {
        fn node(&mut self, site: &Site<'_>, mut output: Output) -> Vec<Output> {
            if let Output::Append { note } = &mut output {
                self.0 += u32::from(site.host == 0);
                if let Note::Ended { ends, .. } = &mut **note
                    && ends.len() > 1
                {
                    ends.truncate(1);
                    self.1 = self.1.or(Some(self.0));
                }
            }
            vec![output]
        }
    }
    let (mut forgets, whole) = (Forgets::default(), Scenario { faults: Vec::new(), ..with_crash(0) });
    run_with(&whole, 1, &mut forgets).unwrap_or_else(|violation| panic!("{violation}"));
    let crash = with_crash(forgets.1.unwrap());
    check_in(&crash, &mut Forgets::default(), "sub_task_paid_once", "is paid for contract");
}

#[test]
fn equal_sellers_get_equally_many_of_equal_sub_tasks() {
    let series = Scenario::named("series").unwrap();
    let work = Work { cycles: (Cycles::mega(100), Cycles::mega(100)), failing: 0, ..series.work };
    let scenario = Scenario { nodes: 11, sellers: 10, sub_tasks: 200, work, ..series };
    for seed in 1..=4 {
        let report = run(&scenario, seed).unwrap_or_else(|violation| panic!("seed {seed}: {violation}"));
        let mut each: BTreeMap<_, u32> = BTreeMap::new();
        for end in report.ends.values() {
            *each.entry(end.sale.as_ref().unwrap().seller.key).or_default() += 1;
        }
        let counts: Vec<u32> = each.into_values().collect();
        assert_eq!(counts, [20; 10], "seed {seed}: {}", report.took);
    }
}
