//! The bank's journal after a crash (a torn end) and after damage (anything else).

use super::books::Books;
use super::network::Network;
use super::work::Slow;
use std::ops::Range;

/// Bytes of a frame around its record: length and its check before, checksum behind (`bank/src/journal.rs`).
const HEADER: usize = 8;
const CHECKSUM: usize = 16;

/// Where each record's frame is.
fn frames(journal: &[u8]) -> Vec<Range<usize>> {
    let mut frames = Vec::new();
    let mut at = 0;
    while at < journal.len() {
        let length = u32::from_le_bytes(journal[at..at + 4].try_into().expect("4 bytes"));
        let end = at + HEADER + usize::try_from(length).expect("it fits") + CHECKSUM;
        frames.push(at..end);
        at = end;
    }
    assert_eq!(at, journal.len(), "the journal ends with a whole frame");
    frames
}

/// A network whose bank was killed after some business, with its journal and its books before.
fn after_some_business() -> (Network, Vec<u8>, Books) {
    let mut network = Network::start(3);
    network.submit(0, &[Slow { name: "slow", count: 3, millions: 1, price: 10 }]);
    let task = network.wait(0, 0);
    let books = Books::when_nothing_is_held(&network, 5);
    books.check_payments(0, &task);
    network.kill_bank();
    let journal = std::fs::read(network.journal()).expect("the bank has a journal");
    (network, journal, books)
}

#[test]
fn a_torn_end_of_the_journal_is_cut_off_and_no_money_is_lost() {
    let (mut network, journal, books) = after_some_business();
    let frames = frames(&journal);
    // Three accounts, and for each sub-task a hold and its settlement.
    assert_eq!(frames.len(), 9);
    let last = &journal[frames[8].clone()];
    for torn in [&last[..last.len() / 2], &last[..last.len() - 1], &last[..5], &[0; 100]] {
        let whole = [&journal, torn].concat();
        std::fs::write(network.journal(), whole).expect("the journal can be written");
        network.restart_bank();
        assert!(Books::of(&network) == books, "{:#?}, before: {books:#?}", Books::of(&network));
        network.kill_bank();
        let kept = std::fs::read(network.journal()).expect("the bank has a journal");
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
    let frames = frames(&journal);
    let (middle, last) = (frames[4].clone(), frames[8].clone());
    let flipped = |at: usize| {
        let mut damaged = journal.clone();
        damaged[at] ^= 0x10;
        damaged
    };
    let without_a_record = [&journal[..middle.start], &journal[middle.end..]].concat();
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
    check_refused(&network, &without_a_record, "record 4");
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
