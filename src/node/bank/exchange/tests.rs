//! What is exported comes back as it was; what is not whole comes back not at all.

use super::{CHUNK, ExchangeError, Exchanged, HEAD_SIZE, TAIL_SIZE, checked, export, import, owner};
use crate::node::bank::conformance::{Shelf, Teller, history, keys, read};
use bank::Record;
use bank::store::{Store as _, StoreError};
use proto::Hash;
use std::cell::Cell;

/// The journal of a bank with customers, and its file.
fn exported() -> (Vec<Record>, Exchanged, Vec<u8>) {
    exported_after(4)
}

fn exported_after(rounds: u64) -> (Vec<Record>, Exchanged, Vec<u8>) {
    let mut teller = Teller::new(None);
    let all: Vec<Record> = (0..rounds).flat_map(|round| teller.round(round)).collect();
    let (mut store, mut file) = (Shelf::of(keys().public()), Vec::new());
    store.commit(&all).unwrap();
    let seen = Cell::new(0);
    let exchanged = export(&mut store, keys().public(), &mut file, &|count| seen.set(count)).unwrap();
    assert_eq!(seen.get(), exchanged.records, "the progress goes to the end");
    (all, exchanged, file)
}

fn import_all(mut file: &[u8]) -> (Result<Exchanged, ExchangeError>, Shelf) {
    let mut store = Shelf::of(keys().public());
    let imported = owner(&mut file).and_then(|bank| import(&mut file, bank, &mut store, &|_| {}));
    (imported, store)
}

#[test]
fn a_journal_that_was_exported_is_imported_record_for_record() {
    let (all, exchanged, file) = exported();
    let records = u64::try_from(all.len()).unwrap();
    let bytes = u64::try_from(file.len()).unwrap();
    let expected = Exchanged { bank: keys().public(), records, head: all[all.len() - 1].chain, bytes };
    assert_eq!(exchanged, expected);
    let (imported, mut store) = import_all(&file);
    assert_eq!((imported.unwrap(), read(&mut store, 0)), (expected, Ok(all)));
}

#[test]
fn a_bank_without_records_is_exported_too() {
    let (mut store, mut file) = (Shelf::of(keys().public()), Vec::new());
    let exchanged = export(&mut store, keys().public(), &mut file, &|_| {}).unwrap();
    assert_eq!((exchanged.records, file.len()), (0, HEAD_SIZE + TAIL_SIZE));
    assert_eq!(import_all(&file).0.unwrap(), exchanged);
}

#[test]
fn a_file_that_was_cut_or_changed_anywhere_is_refused() {
    // It is read once for each of its bytes, and once more: a short one has as many kinds of places.
    let (_, _, file) = exported_after(1);
    assert!(file.len() < CHUNK);
    for length in 0..file.len() {
        let refused = import_all(&file[..length]).0;
        assert!(matches!(refused, Err(ExchangeError::Malformed { .. })), "cut to {length}: {refused:?}");
    }
    for at in 0..file.len() {
        let mut changed = file.clone();
        changed[at] ^= 1 << (at % 8);
        let refused = import_all(&changed).0;
        assert!(matches!(refused, Err(ExchangeError::Malformed { .. })), "byte {at}: {refused:?}");
    }
}

#[test]
fn a_file_is_refused_with_what_is_wrong() {
    let (all, exchanged, file) = exported();
    let check = |file: &[u8], reason: &str| match import_all(file).0 {
        Err(ExchangeError::Malformed { reason: said }) => assert_eq!(said, reason),
        other => panic!("{reason}: {other:?}"),
    };
    check(b"", "it is shorter than its head");
    check(&[b'x'; 200], "it does not begin like one");
    let with = |at: usize, value: u8| {
        let mut head = file[..HEAD_SIZE - 16].to_vec();
        head[at] = value;
        [checked(head), file[HEAD_SIZE..].to_vec()].concat()
    };
    check(&with(16, 9), "it is of version 9, this program reads 1");
    check(&with(17, 1), "its records are of format 1, this program's of 2");
    check(&with(20, 77), "record 0 does not continue the chain of this bank's journal");
    let frames = &file[..file.len() - TAIL_SIZE];
    check(frames, "its end is missing: it was cut off, or its export was");
    let end = |records: u64, head: Hash| {
        let mut tail = b"end-of-journal--".to_vec();
        tail.extend(records.to_le_bytes());
        tail.extend(head.0);
        [frames, &checked(tail)].concat()
    };
    let count = exchanged.records;
    check(
        &end(count + 1, exchanged.head),
        &format!("its end tells of {} records, and {count} are there", count + 1),
    );
    check(&end(count, all[0].chain), "its end tells of another chain than that of its last record");
}

#[test]
fn a_broken_chain_is_not_exported_and_a_broken_ledger_not_imported() {
    let all = history(1, 20);
    let (mut store, mut file) = (Shelf::of(keys().public()), Vec::new());
    store.commit(&all).unwrap();
    let exchanged = export(&mut store, keys().public(), &mut file, &|_| {}).unwrap();
    assert_eq!(exchanged.records, 20, "they are one chain");
    assert!(matches!(import_all(&file).0, Err(ExchangeError::Malformed { .. })), "they are no ledger");
    let mut store = Shelf::of(keys().public());
    store.commit(&[&all[..5], &all[6..]].concat()).unwrap();
    let refused = export(&mut store, keys().public(), &mut Vec::new(), &|_| {});
    let Err(ExchangeError::Store(StoreError::Foreign { reason })) = refused else { panic!("{refused:?}") };
    assert_eq!(reason, format!("record 6 does not continue the chain of {:#}", keys().public()));
}
