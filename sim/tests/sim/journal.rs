//! A node that ends in the middle of anything and starts again goes on with what it has written down: every sub-task ends,
//! each result is accepted once, and the money is where the verdicts say.

use proto::Span;
use proto::message::bank::How;
use proto::wire::Wire as _;
use service::{Note, Output};
use sim::{Expectation, Fault, Honest, Lie, Mutant, Scenario, Sight, Site, Votes, Work, run_with};

/// Ten nodes: the first buys, the last two sell.
fn small() -> Scenario {
    let calm = Scenario::named("calm").unwrap();
    Scenario {
        nodes: 10,
        sellers: 2,
        sub_tasks: 3,
        limit: Span::secs(400),
        rest_within: Span::secs(150),
        ..calm
    }
}

/// The same, and `host` ends with one of its notes.
fn with_crash(host: usize, note: u32, is_kept: bool) -> Scenario {
    let crash = Fault::CrashWriting { host, note, is_kept };
    Scenario { faults: vec![crash.at(Span(0))], ..small() }
}

/// How many notes each node writes when nothing goes wrong.
fn notes() -> Vec<u32> {
    run_with(&small(), 1, &mut Honest).unwrap_or_else(|violation| panic!("{violation}")).tally.notes
}

fn check(scenario: &Scenario, case: &str) {
    check_crashes(scenario, 1, case);
}

fn check_crashes(scenario: &Scenario, crashes: u32, case: &str) {
    let report = run_with(scenario, 1, &mut Honest).unwrap_or_else(|violation| panic!("{case}: {violation}"));
    assert_eq!((report.tally.crashes, report.held.0), (crashes, 0), "{case}: {report}");
}

/// A crash at every note of `host`, durable and not.
fn check_every_note(host: usize) {
    let count = notes()[host];
    assert!(count > 3, "node {host} writes {count} notes only");
    for note in 1..=count {
        for is_kept in [false, true] {
            check(&with_crash(host, note, is_kept), &format!("node {host}, note {note}, kept: {is_kept}"));
        }
    }
}

#[test]
fn a_buyer_that_ends_with_any_of_its_notes_gets_every_result_once() {
    check_every_note(0);
}

/// Two of three have to agree on each sub-task, of which there is one. A seller that asks for the program while the buyer is
/// down has failed, so that there have to be others.
fn voted() -> Scenario {
    let votes = Some(Votes { replicas: 3, quorum: 2, most: 4 });
    let small = small();
    Scenario { sellers: 8, sub_tasks: 1, work: Work { votes, ..small.work }, ..small }
}

#[test]
fn a_buyer_that_ends_with_any_note_of_a_vote_gets_the_result_once() {
    let ran = run_with(&voted(), 1, &mut Honest).unwrap_or_else(|violation| panic!("{violation}"));
    let count = ran.tally.notes[0];
    assert!(count > 12, "{count} notes only");
    for (note, is_kept) in (1..=count).flat_map(|note| [(note, false), (note, true)]) {
        let faults = vec![Fault::CrashWriting { host: 0, note, is_kept }.at(Span(0))];
        check(&Scenario { faults, ..voted() }, &format!("note {note}, kept: {is_kept}"));
    }
}

/// What a node writes first when it has started again is all of what was restored.
#[test]
fn a_buyer_that_ends_with_any_note_of_a_vote_and_again_when_it_starts_gets_the_result_once() {
    let count =
        run_with(&voted(), 1, &mut Honest).unwrap_or_else(|violation| panic!("{violation}")).tally.notes[0];
    for (note, is_kept) in (1..=count).flat_map(|note| [(note, false), (note, true)]) {
        let ends = |note, is_kept| Fault::CrashWriting { host: 0, note, is_kept }.at(Span(0));
        let faults = vec![ends(note, true), ends(note + 1, is_kept)];
        check_crashes(
            &Scenario { faults, ..voted() },
            2,
            &format!("notes {note} and the next, kept: {is_kept}"),
        );
    }
}

#[test]
fn a_seller_that_ends_with_any_of_its_notes_is_paid_for_what_it_delivered() {
    check_every_note(8);
    check_every_note(9);
}

#[test]
fn a_journal_holds_notes_of_both_sides() {
    let notes = notes();
    assert!(notes[0] >= 3 * 5 && notes[1..8] == [0; 7] && notes[8] + notes[9] >= 3 * 4, "{notes:?}");
}

/// A node whose journal forgets some of its notes.
struct Forgets(fn(&Note) -> bool);

impl Mutant for Forgets {
    fn node(&mut self, _: &Site<'_>, output: Output) -> Vec<Output> {
        match &output {
            // It counts, so that the crash is at the same place, and says nothing.
            Output::Append { note } if (self.0)(note) => {
                let until = proto::Time(0);
                vec![Output::Append {
                    note: Box::new(Note::Closed { contract: proto::CommandId([0; 16]), until }),
                }]
            }
            _ => vec![output],
        }
    }

    fn tidied(&mut self, _: usize, notes: Vec<Note>) -> Vec<Note> {
        notes.into_iter().filter(|note| !(self.0)(note)).collect()
    }
}

/// Whether `invariant` notices that the journal of `host` forgets what `forgets` says, when it ends with one of its notes.
fn is_noticed(host: usize, forgets: fn(&Note) -> bool, invariant: &str) -> bool {
    let violation = |note| run_with(&with_crash(host, note, true), 1, &mut Forgets(forgets)).err();
    (1..=notes()[host]).filter_map(violation).any(|violation| violation.invariant == invariant)
}

#[test]
fn a_buyer_that_forgets_its_contracts_is_noticed_because_it_pays_twice() {
    let forgets =
        |note: &Note| matches!(note, Note::Bought { .. } | Note::Offered { .. } | Note::Ended { .. });
    assert!(is_noticed(0, forgets, "sub_task_paid_once"));
}

#[test]
fn a_buyer_that_forgets_whom_it_has_asked_is_noticed_because_its_money_stays_tied_up() {
    assert!(is_noticed(0, |note| matches!(note, Note::Bought { .. } | Note::Offered { .. }), "rest"));
}

/// A buyer takes the outputs and says nothing; `host`, which sells, ends with one of its notes.
fn silent(host: usize, note: u32) -> Scenario {
    let calm = Scenario::named("calm").unwrap();
    let mute = Fault::Lie { host: 0, lie: Lie::Mute }.at(Span(0));
    let crash = Fault::CrashWriting { host, note, is_kept: true }.at(Span(0));
    let faults = vec![mute, crash];
    Scenario {
        sellers: 1,
        sub_tasks: 1,
        faults,
        net: calm.net,
        limit: Span::secs(900),
        rest_within: Span::secs(900),
        expectation: Expectation::Named,
        work: Work { failing: 0, wall: Span::secs(20), ..calm.work },
        ..Scenario::named("silent_buyer").unwrap()
    }
}

/// How many contracts were paid at the deadline because their sellers claimed them.
fn lapsed(note: u32, mutant: &mut dyn Mutant) -> Option<u32> {
    let report = run_with(&silent(7, note), 1, mutant).ok()?;
    Some(report.tally.sights.get(&Sight::Contract(How::Lapsed)).copied().unwrap_or(0))
}

/// The notes of a seller whose buyer is silent: it is hired, reports, is signed for, and claims.
const OF_A_SELLER: u32 = 4;

#[test]
fn a_seller_that_ends_with_any_of_its_notes_is_paid_by_a_buyer_that_says_nothing() {
    // With the first, its program was lost with it; with the second the buyer, which had not heard of the report, has
    // given it up, and nobody else sells.
    for note in 3..=OF_A_SELLER {
        assert_eq!(lapsed(note, &mut Honest), Some(1), "note {note}");
    }
}

#[test]
fn a_seller_that_forgets_that_the_buyer_has_signed_is_noticed_because_it_is_not_paid() {
    let mut forgets = Forgets(|note| matches!(note, Note::Given { .. } | Note::Contended { .. }));
    assert_ne!(lapsed(OF_A_SELLER, &mut forgets), Some(1));
}

/// Every note is read back as it was written.
struct Encodes(u32);

impl Mutant for Encodes {
    fn node(&mut self, _: &Site<'_>, output: Output) -> Vec<Output> {
        if let Output::Append { note } = &output {
            assert_eq!(Note::decode(&note.encode()).as_ref(), Ok(&**note));
            self.0 += 1;
        }
        vec![output]
    }
}

#[test]
fn notes_are_read_back_as_they_were_written() {
    for name in [
        "calm",
        "hang",
        "wrong_result",
        "poor_buyer",
        "owners",
        "buyer_returns",
        "voters_return",
        "storage_returns",
    ] {
        let mut encodes = Encodes(0);
        let ran = run_with(&Scenario::named(name).unwrap(), 1, &mut encodes);
        ran.unwrap_or_else(|violation| panic!("{name}: {violation}"));
        assert!(encodes.0 > 10, "{name}: {} notes", encodes.0);
    }
}
