//! Programs that are saved go on from their last states, whoever crashes.

use proto::message::Message;
use proto::message::service::{Blob, Checkpoint, Outcome, ServiceMessage};
use proto::{Hash, Span, Time};
use service::journal::Saving;
use service::{Note, Output};
use sim::{Fault, Mutant, Report, Scenario, Sight, Site, Who, run, run_with};
use std::collections::{BTreeMap, BTreeSet};

/// Runs a scenario, in which all has to succeed, and gives how often a state counted and how often one was gone on from.
fn check(name: &str, seed: u64) -> Report {
    let scenario = Scenario::named(name).unwrap();
    let report = run(&scenario, seed).unwrap_or_else(|violation| panic!("{name} {seed}: {violation}"));
    assert_eq!(report.verdicts.get("succeeded"), Some(&12), "{name} {seed}: {report}");
    assert!(report.tally.states > 0, "{name} {seed}: {report}");
    report
}

#[test]
fn programs_go_on_when_sellers_and_storage_nodes_crash_or_are_cut_off() {
    for seed in 1..=4 {
        let report = check("checkpoints", seed);
        assert!(report.tally.resumed >= 2 && report.tally.crashes == 4, "{report}");
        assert!(report.tally.sights.get(&Sight::Difference).is_some_and(|seen| *seen > 0), "{report}");
    }
}

#[test]
fn storage_nodes_that_crash_are_replaced() {
    for seed in 1..=4 {
        let report = check("storage_dies", seed);
        assert!(report.tally.resumed >= 1 && report.tally.crashes == 5, "{report}");
    }
}

#[test]
fn storage_nodes_that_start_again_have_what_they_kept_and_are_paid_for_it() {
    for seed in 1..=4 {
        let report = check("storage_returns", seed);
        assert!(report.tally.resumed >= 2 && report.tally.crashes == 8, "{report}");
        assert!(report.tally.sights.get(&Sight::KeptOn).is_some_and(|seen| *seen > 0), "{report}");
    }
}

#[test]
fn programs_go_on_when_their_buyers_crash_and_start_again_and_then_their_sellers_crash() {
    for seed in 1..=4 {
        let report = check("buyer_returns", seed);
        assert!(report.tally.resumed >= 2 && report.tally.crashes == 7, "{report}");
    }
}

/// Only the buyers crash, so that whoever keeps a state for them is there to be paid.
fn only_buyers_crash() -> Scenario {
    let whole = Scenario::named("buyer_returns").unwrap();
    let is_meant =
        |fault: &Fault| matches!(fault, Fault::RestartAll | Fault::Crash { who: Who::Host(_), .. });
    let faults = whole.faults.iter().filter(|scheduled| is_meant(&scheduled.fault)).cloned().collect();
    Scenario { faults, releases_all: true, rest_within: Span::secs(120), ..whole }
}

#[test]
fn storage_nodes_are_paid_by_buyers_that_crash_and_start_again() {
    for seed in 1..=4 {
        let report =
            run(&only_buyers_crash(), seed).unwrap_or_else(|violation| panic!("{seed}: {violation}"));
        assert_eq!((report.verdicts.get("succeeded"), report.held.0), (Some(&12), 0), "{seed}: {report}");
    }
}

/// Nodes whose journals forget these notes.
struct Forgets(fn(&Note) -> bool);

impl Mutant for Forgets {
    fn node(&mut self, _: &Site<'_>, output: Output) -> Vec<Output> {
        match output {
            Output::Append { note } if (self.0)(&note) => Vec::new(),
            output => vec![output],
        }
    }

    fn tidied(&mut self, _: usize, notes: Vec<Note>) -> Vec<Note> {
        notes.into_iter().filter(|note| !(self.0)(note)).collect()
    }
}

#[test]
fn a_storage_node_that_forgets_its_contracts_is_noticed_because_it_signs_them_away() {
    let mut forgets = Forgets(|note| matches!(note, Note::Rented { .. }));
    check_noticed("storage_returns", &mut forgets, "owed", "under which it has kept a state");
}

#[test]
fn a_buyer_that_forgets_its_states_is_noticed_because_their_work_is_lost() {
    let mut forgets = Forgets(|note| matches!(note, Note::Saving(Saving::States { .. })));
    check_noticed("buyer_returns", &mut forgets, "work_lost", "are lost");
}

#[test]
fn a_buyer_that_forgets_its_rooms_is_noticed_because_its_money_stays_tied_up() {
    let mut forgets = Forgets(|note| matches!(note, Note::Saving(Saving::Room { .. })));
    let violation = run_with(&only_buyers_crash(), 1, &mut forgets).expect_err("rest");
    assert_eq!(violation.invariant, "rest", "{violation}");
    assert!(violation.what.contains("holds are open"), "{violation}");
}

#[test]
fn what_is_no_state_is_said_and_the_work_starts_anew() {
    let mut said = 0;
    for seed in 1..=3 {
        let report = check("bad_states", seed);
        let words = "could not go on from its checkpoint";
        said += report.tally.retries.keys().filter(|why| why.contains(words)).count();
    }
    assert!(said > 0);
}

/// What sellers of `garbage` have handed over, and what of it was paid.
#[derive(Default)]
struct HandedOver {
    states: BTreeSet<Hash>,
    garbage: BTreeSet<Hash>,
    paid: BTreeSet<Hash>,
    /// When a buyer first opened something, and which one.
    opened: Option<(usize, Time)>,
}

impl Mutant for HandedOver {
    fn node(&mut self, site: &Site<'_>, output: Output) -> Vec<Output> {
        match &output {
            Output::Append { note } => match &**note {
                Note::Reported { report } => {
                    let is_liar = [5, 8, 10].contains(&site.host);
                    let handed_over = if is_liar { &mut self.garbage } else { &mut self.states };
                    if let Outcome::Migrated(state) = report.body.outcome {
                        handed_over.insert(state.blob.hash);
                    }
                }
                Note::Part { part, .. } => {
                    self.paid.insert(part.checkpoint.blob.hash);
                }
                _ => {}
            },
            Output::Open { .. } => {
                self.opened.get_or_insert((site.host, site.now));
            }
            _ => {}
        }
        vec![output]
    }
}

/// Runs a variant of `garbage`: all is done, and just those are paid that have handed states over.
fn check_handed_over(scenario: &Scenario, seed: u64) -> HandedOver {
    let mut seen = HandedOver::default();
    let report =
        run_with(scenario, seed, &mut seen).unwrap_or_else(|violation| panic!("{seed}: {violation}"));
    assert_eq!(report.verdicts.get("succeeded"), Some(&12), "{seed}: {report}");
    assert_eq!(seen.paid, seen.states, "{seed}: {report}");
    assert!(!seen.states.is_empty() && !seen.garbage.is_empty(), "{seed}: {report}");
    seen
}

#[test]
fn who_hands_a_state_over_is_paid_and_who_hands_garbage_over_is_not() {
    let scenario = Scenario::named("garbage").unwrap();
    for seed in 1..=3 {
        check_handed_over(&scenario, seed);
    }
}

#[test]
fn a_buyer_that_starts_again_while_it_opens_what_was_handed_over_opens_it_again() {
    let scenario = Scenario::named("garbage").unwrap();
    for seed in 1..=2 {
        let (buyer, at) = check_handed_over(&scenario, seed).opened.unwrap();
        let at = Span(at.0).plus(Span::millis(10));
        let crash = Fault::Crash { who: Who::Host(buyer), is_silent: false }.at(at);
        let faults = [crash, Fault::RestartAll.at(at.plus(Span::secs(1)))].into_iter();
        let crashed =
            Scenario { faults: scenario.faults.iter().cloned().chain(faults).collect(), ..scenario.clone() };
        check_handed_over(&crashed, seed);
    }
}

#[test]
fn a_buyer_that_pays_for_what_is_handed_over_without_a_look_at_it_is_noticed() {
    let mut mutant = Nodes(|_: &Site<'_>, output| match output {
        Output::Open { contract, mut job } => {
            job.resume = None;
            vec![Output::Open { contract, job }]
        }
        output => vec![output],
    });
    check_noticed("garbage", &mut mutant, "handed_over", "is no state");
}

#[test]
fn where_nobody_sells_room_the_buyer_keeps_the_states() {
    // In some of them the search for room takes seconds, since a message of the market is lost.
    for seed in 1..=24 {
        let report = check("no_room", seed);
        assert!(report.tally.resumed >= 2, "{report}");
    }
}

#[test]
fn what_stands_still_for_too_long_moves_on_with_its_state() {
    for seed in 1..=4 {
        let report = check("vacated", seed);
        assert!(report.tally.resumed >= 2 && report.tally.suspended > 0, "{report}");
    }
}

/// A bug in what nodes want done.
struct Nodes<F>(F);

impl<F: FnMut(&Site<'_>, Output) -> Vec<Output>> Mutant for Nodes<F> {
    fn node(&mut self, site: &Site<'_>, output: Output) -> Vec<Output> {
        (self.0)(site, output)
    }
}

/// Runs `scenario` with a bug and expects that `invariant` notices it.
fn check_noticed(scenario: &str, mutant: &mut dyn Mutant, invariant: &str, words: &str) {
    let scenario = Scenario::named(scenario).unwrap();
    let violation = run_with(&scenario, 1, mutant).expect_err(invariant);
    assert_eq!(violation.invariant, invariant, "{violation}");
    assert!(violation.what.contains(words), "{violation}");
}

#[test]
fn a_seller_that_saves_nothing_is_noticed() {
    let mut mutant = Nodes(|_: &Site<'_>, output| match output {
        Output::Save { .. } => Vec::new(),
        output => vec![output],
    });
    check_noticed("checkpoints", &mut mutant, "work_lost", "are lost");
}

#[test]
fn a_buyer_that_starts_anew_instead_of_going_on_is_noticed() {
    let mut mutant = Nodes(|_: &Site<'_>, output| match output {
        Output::Execute { contract, mut job } => {
            job.resume = None;
            vec![Output::Execute { contract, job }]
        }
        output => vec![output],
    });
    check_noticed("checkpoints", &mut mutant, "work_lost", "goes on from 0 c");
}

/// Runs `checkpoints` with sellers that take `of` a state for what it rests on, which is noticed.
fn check_other_base(of: fn(Checkpoint) -> Option<Blob>) {
    let mut mutant = Nodes(|_: &Site<'_>, output| match output {
        Output::Execute { contract, mut job } => {
            job.resume = job.resume.map(|state| Checkpoint { base: of(state), ..state });
            vec![Output::Execute { contract, job }]
        }
        output => vec![output],
    });
    check_noticed("checkpoints", &mut mutant, "rests_on", "does not rest on");
}

#[test]
fn a_seller_that_goes_on_from_a_difference_without_its_base_or_with_another_is_noticed() {
    check_other_base(|_| None);
    check_other_base(|state| state.base.and(Some(state.blob)));
}

#[test]
fn a_storage_node_that_forgets_what_a_difference_rests_on_is_noticed() {
    let mut fetched = BTreeMap::new();
    let mut mutant = Nodes(move |_: &Site<'_>, output| match output {
        // It has no more of a contract than what came last.
        Output::Fetch { contract, from, blobs } => {
            let before = fetched.insert(contract, blobs.clone()).unwrap_or_default();
            vec![Output::Drop { contract, blobs: before }, Output::Fetch { contract, from, blobs }]
        }
        output => vec![output],
    });
    check_noticed("checkpoints", &mut mutant, "kept", "has it not");
}

/// Sellers show what they have fetched to whom it is from, and to nobody else, also the states that they keep.
struct Reserved;

impl Mutant for Reserved {
    fn is_others(&mut self, host: usize, is_others: bool) -> bool {
        let buyers = Scenario::named("checkpoints").unwrap().buyers;
        is_others || host >= buyers
    }
}

#[test]
fn a_storage_node_that_shows_a_state_to_its_maker_only_is_noticed() {
    check_noticed("checkpoints", &mut Reserved, "work_lost", "goes on from 0 c");
}

#[test]
fn a_storage_node_that_says_that_it_has_what_it_has_not_is_noticed() {
    let mut mutant = Nodes(|_: &Site<'_>, output| match output {
        Output::Send { to, message: Message::Service(ServiceMessage::Kept(mut kept)) } => {
            kept.hashes.push(Hash([9; 32]));
            vec![Output::Send { to, message: Message::Service(ServiceMessage::Kept(kept)) }]
        }
        output => vec![output],
    });
    check_noticed("checkpoints", &mut mutant, "kept", "has it not");
}
