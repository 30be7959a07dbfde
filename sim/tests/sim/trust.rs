//! Sellers that lie, and buyers that let several of them compute the same (paper §III-D).

use proto::message::Message;
use proto::message::service::{ServiceMessage, Verdict};
use proto::{ContractId, PublicKey, Signed};
use service::event::Vote;
use service::{EventKind, Note, Output};
use sim::{Mutant, Report, Scenario, Site, run, run_with};
use std::collections::{BTreeMap, BTreeSet};

fn report(name: &str, seed: u64) -> Report {
    let scenario = Scenario::named(name).unwrap();
    run(&scenario, seed).unwrap_or_else(|violation| panic!("{violation}"))
}

/// How many sub-tasks succeeded, and how many of these delivered a wrong output.
fn delivered(name: &str) -> (u32, u32) {
    let reports = (1..=2).map(|seed| report(name, seed));
    reports.fold((0, 0), |(succeeded, wrong), report| {
        let more = report.verdicts.get("succeeded").copied().unwrap_or(0);
        (succeeded + more, wrong + report.tally.wrong_outputs)
    })
}

#[test]
fn where_every_seller_is_believed_wrong_outputs_are_delivered() {
    let (succeeded, wrong) = delivered("believed");
    assert!(wrong * 10 > succeeded, "{wrong} of {succeeded}");
}

#[test]
fn sellers_that_answer_known_questions_wrongly_are_found_out() {
    let (_, believed) = delivered("believed");
    let (succeeded, wrong) = delivered("probed");
    assert!(wrong * 4 < believed && succeeded > 100, "{wrong} of {succeeded}, and {believed}");
    let (succeeded, stormy) = delivered("probed_storm");
    assert!(stormy * 2 < believed && succeeded > 75, "{stormy} of {succeeded}, and {believed}");
}

#[test]
fn two_of_three_deliver_nothing_wrong_unless_liars_are_in_league() {
    let (succeeded, wrong) = delivered("voters");
    assert_eq!(wrong, 0, "of {succeeded}");
    assert!(succeeded > 100, "{succeeded}");
    // Two of three sellers drawn from twenty, six of which are in league, outvote the third in a fifth of all draws.
    let (succeeded, wrong) = delivered("league");
    assert!(wrong > 0 && wrong * 3 < succeeded, "{wrong} of {succeeded}");
}

#[test]
fn the_same_holds_where_sellers_crash_hang_and_are_cut_off() {
    let (succeeded, wrong) = delivered("voters_storm");
    assert_eq!(wrong, 0, "of {succeeded}");
    assert!(succeeded > 75, "{succeeded}");
}

/// A bug in what nodes want done.
struct Nodes<F>(F);

impl<F: FnMut(&Site<'_>, Output) -> Vec<Output>> Mutant for Nodes<F> {
    fn node(&mut self, site: &Site<'_>, output: Output) -> Vec<Output> {
        (self.0)(site, output)
    }
}

#[test]
fn who_accepts_what_a_seller_that_was_found_out_has_delivered_is_noticed() {
    let mut mutant = Nodes(|site: &Site<'_>, mut output| {
        if let Output::Send { message: Message::Service(ServiceMessage::Verdict(paper)), .. } = &mut output {
            let verdict = Verdict { is_accepted: true, ..paper.body.clone() };
            *paper = Signed::new(verdict, site.keys);
        }
        vec![output]
    });
    let scenario = Scenario::named("probed").unwrap();
    let violation = run_with(&scenario, 1, &mut mutant).expect_err("distrusted");
    assert_eq!(violation.invariant, "distrusted", "{violation}");
    assert!(violation.what.contains("and it has answered a probe wrongly"), "{violation}");
}

/// A bug in what a buyer tells of an end.
fn check(seed: u64, change: fn(&mut service::End), words: &str) {
    let mut mutant = Nodes(|_: &Site<'_>, mut output| {
        if let Output::Tell(service::Event { kind: EventKind::Ended { end, .. }, .. }) = &mut output {
            change(end);
        }
        vec![output]
    });
    let scenario = Scenario::named("voters").unwrap();
    let violation = run_with(&scenario, seed, &mut mutant).expect_err(words);
    assert_eq!(violation.invariant, "accepted", "{violation}");
    assert!(violation.what.contains(words), "{violation}");
}

#[test]
fn an_output_of_an_outvoted_attempt_that_is_delivered_is_noticed() {
    check(
        1,
        |end| {
            if let Some(output) = end.outputs.first_mut() {
                output.blob.hash = proto::Hash([7; 32]);
            }
        },
        "and paid was",
    );
}

#[test]
fn an_outvoted_replica_that_is_paid_is_noticed() {
    // With others the books of the bank tell first.
    check(
        3,
        |end| {
            let has_result = end.verdict == service::event::Verdict::Succeeded;
            for replica in
                end.replicas.iter_mut().filter(|replica| has_result && replica.vote != Vote::Agreed)
            {
                replica.paid = proto::Money(1);
            }
        },
        "is paid: ",
    );
}

/// What buyers offer and sellers execute, and what of their journals buyers forget.
struct Counts {
    forgets: fn(&Note) -> bool,
    offered: BTreeMap<ContractId, (PublicKey, u32)>,
    executed: BTreeMap<(PublicKey, u32), BTreeSet<ContractId>>,
}

impl Mutant for Counts {
    fn node(&mut self, site: &Site<'_>, output: Output) -> Vec<Output> {
        match &output {
            Output::Append { note } if (self.forgets)(note) => return Vec::new(),
            Output::Send { message: Message::Service(ServiceMessage::Offer(offer)), .. } => {
                self.offered.insert(offer.body.contract, (site.keys.public(), offer.body.sub_task));
            }
            Output::Execute { contract, .. } => {
                if let Some(sub_task) = self.offered.get(contract) {
                    self.executed.entry(*sub_task).or_default().insert(*contract);
                }
            }
            _ => {}
        }
        vec![output]
    }

    fn tidied(&mut self, _: usize, notes: Vec<Note>) -> Vec<Note> {
        notes.into_iter().filter(|note| !(self.forgets)(note)).collect()
    }
}

/// The most executions of one sub-task, where all sellers are honest and only buyers crash.
fn most_executions(seed: u64, forgets: fn(&Note) -> bool) -> usize {
    let mut counts = Counts { forgets, offered: BTreeMap::new(), executed: BTreeMap::new() };
    let scenario = Scenario::named("voters_return").unwrap();
    let report = run_with(&scenario, seed, &mut counts).unwrap_or_else(|violation| panic!("{violation}"));
    assert_eq!((report.tally.crashes, report.tally.wrong_outputs, report.held.0), (8, 0, 0), "{report}");
    counts.executed.values().map(BTreeSet::len).max().unwrap_or(0)
}

#[test]
fn a_buyer_that_starts_again_in_the_middle_of_votes_buys_nothing_twice() {
    for seed in 1..=4 {
        assert_eq!(most_executions(seed, |_| false), 3, "seed {seed}");
    }
}

#[test]
fn a_buyer_that_forgets_its_votes_is_noticed_because_it_buys_more() {
    assert!(most_executions(1, |note| matches!(note, Note::Voting(_))) > 3);
}
