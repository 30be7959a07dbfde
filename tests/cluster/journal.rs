//! The bank's journal after a crash (a torn end) and after damage (anything else).

use super::books::Books;
use super::network::Network;
use super::work::Slow;
use std::ops::Range;

/// Bytes of a segment's header, of a group's head before its frames, and of its end (`bank/src/store/file`).
const SEGMENT: usize = 144;
const GROUP: usize = 48;
const END: usize = 8;
/// Bytes of a frame around its record: length and its check before, checksum behind (`bank/src/journal.rs`).
const HEADER: usize = 8;
const CHECKSUM: usize = 16;

/// Where each group is, and where each record's frame is in it.
type Groups = Vec<(Range<usize>, Vec<Range<usize>>)>;

fn groups(journal: &[u8]) -> Groups {
    let number = |at: usize| {
        let bytes = journal[at..at + 4].try_into().expect("4 bytes");
        usize::try_from(u32::from_le_bytes(bytes)).expect("it fits")
    };
    let mut groups = Vec::new();
    let mut at = SEGMENT;
    while journal.get(at).is_some_and(|first| *first != 0) {
        let begin = at;
        let end = at + GROUP + number(at + 20);
        let mut frames = Vec::new();
        at += GROUP;
        while at < end {
            let next = at + HEADER + number(at) + CHECKSUM;
            frames.push(at..next);
            at = next;
        }
        at += END;
        groups.push((begin..at, frames));
    }
    groups
}

fn frames(groups: &Groups) -> Vec<Range<usize>> {
    groups.iter().flat_map(|(_, frames)| frames.clone()).collect()
}

/// A network whose bank was killed after some business, with its journal and its books before.
fn after_some_business() -> (Network, Vec<u8>, Books) {
    let mut network = Network::start(3);
    network.submit(0, &[Slow { name: "slow", count: 3, millions: 1, price: 10 }]);
    let task = network.wait(0, 0);
    let books = Books::when_nothing_is_held(&network, 5);
    books.check_payments(0, &task);
    network.kill_bank();
    let mut journal = std::fs::read(network.journal()).expect("the bank has a journal");
    // Behind the last group are the zeros that the next ones are written over.
    let used = journal.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    journal.truncate(used);
    (network, journal, books)
}

#[test]
fn a_torn_end_of_the_journal_is_cut_off_and_no_money_is_lost() {
    let (mut network, journal, books) = after_some_business();
    let groups = groups(&journal);
    // Three accounts, and for each sub-task a hold and its settlement.
    assert_eq!(frames(&groups).len(), 9);
    // A group that was begun: a part of its head, alone and with sectors behind it that were never written.
    let head = &journal[groups[0].0.start..][..GROUP];
    for torn in [&head[..GROUP - 1], &head[..5], &[&head[..20], &[0; 3_000]].concat(), &[0; 100]] {
        let whole = [&journal, torn].concat();
        std::fs::write(network.journal(), whole).expect("the journal can be written");
        network.restart_bank();
        assert!(Books::of(&network) == books, "{:#?}, before: {books:#?}", Books::of(&network));
        network.kill_bank();
        let mut kept = std::fs::read(network.journal()).expect("the bank has a journal");
        assert!(kept[journal.len()..].iter().all(|byte| *byte == 0), "only zeros are behind the last group");
        kept.truncate(journal.len());
        assert!(kept == journal, "{} bytes are kept of {} and {}", kept.len(), journal.len(), torn.len());
    }
    network.restart_bank();
    network.submit(0, &[Slow { name: "after", count: 2, millions: 1, price: 10 }]);
    assert_eq!(network.wait(0, 0).count("succeeded"), 2);
    Books::when_nothing_is_held(&network, 5).check_sum();
}

#[test]
fn a_bank_with_a_damaged_journal_says_where_and_does_not_start() {
    let (network, journal, _) = after_some_business();
    let groups = groups(&journal);
    let frames = frames(&groups);
    let (middle, last) = (frames[4].clone(), frames[8].clone());
    let flipped = |at: usize| {
        let mut damaged = journal.clone();
        damaged[at] ^= 0x10;
        damaged
    };
    let (lost, _) =
        groups.iter().find(|(_, frames)| frames.contains(&middle)).expect("record 4 is in a group").clone();
    let first =
        groups.iter().take_while(|(group, _)| *group != lost).map(|(_, frames)| frames.len()).sum::<usize>();
    let without_a_group = [&journal[..lost.start], &journal[lost.end..]].concat();
    let with_garbage = [&journal[..], &[0xa5; 100]].concat();
    for (damaged, record, byte) in [
        (flipped(middle.start + 30), 4, middle.start),
        (flipped(middle.start), 4, middle.start),
        (flipped(middle.end - 1), 4, middle.start),
        (flipped(last.start + 30), 8, last.start),
        (with_garbage, 9, journal.len()),
    ] {
        let place = format!("the journal is damaged in record {record}, at byte {byte}: ");
        check_refused(&network, &damaged, &place);
    }
    let place =
        format!("the journal is damaged in record {first}, at byte {}: a group of records from", lost.start);
    check_refused(&network, &without_a_group, &place);
    let other = [&journal[..24], &[7; 32], &journal[56..]].concat();
    check_refused(&network, &other, "the journal is damaged in record 0, at byte 0: the header does not fit");
}

/// With this journal the bank ends with status 1 and `place` in its message, and leaves the journal alone.
#[track_caller]
fn check_refused(network: &Network, damaged: &[u8], place: &str) {
    std::fs::write(network.journal(), damaged).expect("the journal can be written");
    let (status, message) = network.refused_bank();
    assert_eq!(status, Some(1), "{message}");
    assert!(message.contains(place), "`{place}` is not in: {message}");
    let kept = std::fs::read(network.journal()).expect("the bank has a journal");
    assert!(kept == damaged, "evidence was changed: {message}");
}
